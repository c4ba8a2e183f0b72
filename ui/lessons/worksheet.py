"""A lesson as a worksheet: question, figure, text, tasks, the check, and answers on a separate page."""

from __future__ import annotations

import html
from collections.abc import Mapping

from ui.lessons import glossary, markup, paper, questions
from ui.lessons.questions import Question
from ui.shared.content import sections

WRITTEN = ("Check", "Code", "Title", "In short", "Question", "Sources", "")
"""Sections with their own place on the sheet, or none."""

SCREEN, TASK = "Screen: ", "Task: "
"""Prefixes of headings: text for the screen, which the sheet leaves out, and tasks."""

UNTITLED = (SCREEN, TASK)


def sheet(lesson: str, text: Mapping[str, str], url: str) -> str:
    """Return a lesson as an HTML document to print.

    Args:
        lesson: Its name in the address.
        text: Text of the lesson, by heading.
        url: URL of any view of Learn, from which the lesson's link is made.
    """
    words = {heading: glossary.plain(part) for heading, part in text.items()}
    marked = {term for part in text.values() for term in glossary.marked(part)}
    checks, tried = questions.parse(words.get("Check", "")), questions.tasks(words)
    parts = [paper.top(lesson, text, url)]
    for heading, part in words.items():
        if heading not in WRITTEN and not heading.startswith(UNTITLED):
            parts += [f"<h2>{markup.line(heading)}</h2>", markup.blocks(part)]
    parts.append("<h2>Try it on the screen</h2>")
    for number, task in enumerate(tried, 1):
        parts += [_asked(number, task.question), '<div class="write">What I saw:</div>']
    parts.append("<h2>Check</h2>")
    parts += [_asked(number, question) for number, question in enumerate(checks, 1)]
    parts.append("<h2>Your answer to the question at the top</h2>")
    parts += ['<div class="write"></div>'] * 3
    parts.append('<h2 class="answers">Answers</h2>')
    for heading, answered in (
        ("Try it", [task.question for task in tried]),
        ("Check", checks),
    ):
        parts.append(f"<h3>{heading}</h3>")
        parts += [_answered(number, question) for number, question in enumerate(answered, 1)]
    explained = {term: part for term, part in glossary.terms().items() if term in marked}
    if explained:
        parts.append("<h2>Words</h2><dl>")
        parts += [
            f"<dt>{html.escape(term)}</dt><dd>{markup.line(part)}</dd>"
            for term, part in explained.items()
        ]
        parts.append("</dl>")
    if "Sources" in text:
        parts += ["<h2>Sources</h2>", markup.blocks(text["Sources"])]
    notice = sections("cards/notice.md").get("", "")
    parts.append(f'<p class="notice">{markup.line(notice)}</p>')
    return markup.document(text["Title"], "\n".join(parts))


def _asked(number: int, question: Question) -> str:
    choices = "".join(f"<li>{markup.line(answer)}</li>" for answer in question.answers)
    return f'<h3>{number}. {markup.line(question.words)}</h3><ul class="boxes">{choices}</ul>'


def _answered(number: int, question: Question) -> str:
    right = markup.line(question.answer)
    return f"<p>{number}. <strong>{right}</strong> {markup.line(question.why)}</p>"
