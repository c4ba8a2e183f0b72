"""A lesson on paper: question, words, what to try, the check, and the answers on a page apart."""

from __future__ import annotations

import html
from collections.abc import Mapping

from ui.lessons import glossary, print_html
from ui.lessons import questions as lesson_check
from ui.shared.content import sections

WRITTEN = ("Try this", "Check", "Code", "Title", "In short", "Question", "Sources", "")
"""Sections with a place of their own on the sheet, or none."""

SCREEN = "Screen: "
"""Sections whose heading begins so speak of what is on the screen, and are left out."""


def sheet(text: Mapping[str, str]) -> str:
    """Return a lesson as an HTML document to print.

    Args:
        text: Of the lesson, by heading.
    """
    title = text.get("Title", "Lesson")
    known: set[str] = set()
    words = {heading: glossary.resolve(part, known)[0] for heading, part in text.items()}
    questions = lesson_check.parse(text.get("Check", ""))
    parts = [
        f"<h1>{print_html.line(title)}</h1>",
        f"<p><strong>{print_html.line(words['Question'])}</strong></p>",
    ]
    for heading, part in words.items():
        if heading not in WRITTEN and not heading.startswith(SCREEN):
            parts += [f"<h2>{print_html.line(heading)}</h2>", print_html.blocks(part)]
    if "Try this" in words:
        parts += ["<h2>Try this</h2>", print_html.blocks(words["Try this"])]
    parts.append("<h2>Check</h2>")
    for number, question in enumerate(questions, 1):
        parts.append(f"<h3>{number}. {print_html.line(question.words)}</h3>")
        choices = "".join(f"<li>{print_html.line(answer)}</li>" for answer in question.answers)
        parts.append(f'<ul class="boxes">{choices}</ul>')
    parts.append("<h2>Your answer to the question at the top</h2>")
    parts += ['<div class="write"></div>'] * 3
    parts.append('<h2 class="answers">Answers</h2>')
    for number, question in enumerate(questions, 1):
        answer = print_html.line(question.answers[question.right])
        parts.append(f"<h3>{number}. {answer}</h3><p>{print_html.line(question.why)}</p>")
    explained = {term: part for term, part in glossary.terms().items() if term in known}
    if explained:
        parts.append("<h2>Words</h2><dl>")
        parts += [
            f"<dt>{html.escape(term)}</dt><dd>{print_html.line(' '.join(part.split()))}</dd>"
            for term, part in explained.items()
        ]
        parts.append("</dl>")
    if "Sources" in text:
        parts += ["<h2>Sources</h2>", print_html.blocks(text["Sources"])]
    notice = sections("cards/notice.md").get("", "")
    parts.append(f'<p class="notice">{print_html.line(notice)}</p>')
    return print_html.document(title, "\n".join(parts))
