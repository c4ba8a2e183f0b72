"""A lesson as a one-page handout: question, figure, link, and a table for observations."""

from __future__ import annotations

from collections.abc import Mapping

from ui.lessons import glossary, markup, paper, questions

_STYLE = """<style>
@page { size: A4; margin: 14mm; }
body { margin: 0 auto; max-width: 182mm; font-size: 10pt; line-height: 1.35; }
table + p { margin-top: 3mm; } p { margin: 0 0 2mm; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { border: 1px solid #999; padding: 1.5mm 2mm; text-align: start; vertical-align: top; }
td { height: 14mm; font-size: 9pt; } th:first-child { width: 44%; } .answer { height: 16mm; }
.notice { margin-top: 3mm; font-size: 8pt; }
</style>"""
_MOST = 5  # tasks that fit on the page


def page(lesson: str, text: Mapping[str, str], url: str) -> str:
    """Return the handout as a self-contained HTML document.

    Args:
        lesson: Its name in the address.
        text: Text of the lesson, by heading.
        url: URL of any view of Learn, from which the lesson's link is made.
    """
    rows = "".join(
        f"<tr><td>{number}. {markup.line(glossary.plain(task.question.words))}</td><td></td><td></td></tr>"
        for number, task in enumerate(questions.tasks(text)[:_MOST], 1)
    )
    body = (
        f"{_STYLE}{paper.top(lesson, text, url)}"
        "<table><thead><tr><th>Try it on the screen</th><th>What I expect, and why</th>"
        f"<th>What I saw</th></tr></thead><tbody>{rows}</tbody></table>"
        '<p><strong>My answer to the question at the top:</strong></p><div class="answer"></div>'
        '<p class="notice">For teaching and research. Not a medical device.</p>'
    )
    return markup.document(text["Title"], body)
