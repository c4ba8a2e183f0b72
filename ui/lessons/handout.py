"""A lesson as a one-page handout: question, figure, link, and a table for observations."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import segno

from btmodels.paths import ASSETS
from ui.lessons import glossary, markup, questions
from ui.lessons.lesson import KEY

_STYLE = """<style>
@page { size: A4; margin: 14mm; }
body { margin: 0 auto; max-width: 182mm; font-size: 10pt; line-height: 1.35; }
.head { display: grid; grid-template-columns: 1fr 26mm; gap: 6mm; align-items: start; }
h1 { margin: 0 0 2mm; font-size: 16pt; } .head svg { width: 26mm; height: 26mm; }
.link { font-size: 8pt; overflow-wrap: anywhere; } p { margin: 0 0 2mm; }
table + p { margin-top: 3mm; }
img { display: block; max-width: 100%; max-height: 88mm; margin: 3mm auto; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { border: 1px solid #999; padding: 1.5mm 2mm; text-align: start; vertical-align: top; }
td { height: 14mm; font-size: 9pt; } th:first-child { width: 44%; } .answer { height: 16mm; }
.notice { margin-top: 3mm; font-size: 8pt; }
</style>"""
_MOST = 5  # tasks that fit on the page


def address_of(lesson: str, url: str) -> str:
    """Return the link to a lesson.

    Args:
        lesson: Its name in the address.
        url: URL of any view of Learn.
    """
    return urlunsplit((*urlsplit(url)[:3], f"{KEY}={lesson}", ""))


def page(lesson: str, text: Mapping[str, str], url: str) -> str:
    """Return the handout as a self-contained HTML document.

    Args:
        lesson: Its name in the address.
        text: Text of the lesson, by heading.
        url: URL of any view of Learn, from which the lesson's link is made.
    """
    link = address_of(lesson, url)
    code = segno.make(link, error="m", micro=False).svg_inline(border=0, omitsize=True)
    rows = "".join(
        f"<tr><td>{number}. {markup.line(glossary.plain(task.question.words))}</td><td></td><td></td></tr>"
        for number, task in enumerate(questions.tasks(text)[:_MOST], 1)
    )
    body = (
        f'{_STYLE}<div class="head"><div><h1>{markup.line(text["Title"])}</h1>'
        f"<p><strong>{markup.line(glossary.plain(text['Question']))}</strong></p>"
        f'<p class="link">{html.escape(link)}</p></div>{code}</div>{_figure(lesson)}'
        "<table><thead><tr><th>Try it on the screen</th><th>What I expect, and why</th>"
        f"<th>What I saw</th></tr></thead><tbody>{rows}</tbody></table>"
        '<p><strong>My answer to the question at the top:</strong></p><div class="answer"></div>'
        '<p class="notice">For teaching and research. Not a medical device.</p>'
    )
    return markup.document(text["Title"], body)


def _figure(lesson: str) -> str:
    path = ASSETS / "figures" / "lessons" / f"{lesson}.webp"
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="Figure of the lesson" src="data:image/webp;base64,{data}">'
