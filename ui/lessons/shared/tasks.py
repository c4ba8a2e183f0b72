"""Tasks beside a figure: predict, try, read the outcome."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ui.lessons import glossary, markup, questions
from ui.shared.component_files import module, read

_tasks = st.components.v2.component(
    "lesson_tasks",
    html=read("lessons/shared/tasks.html"),
    css=read("lessons/shared/tasks.css"),
    js=module("lessons/shared/tasks.js"),
)


def draw(text: Mapping[str, str], address: str, figure: str, key: str) -> None:
    """Draw the tasks of a figure.

    Args:
        text: Text of the lesson, by heading.
        address: Name of the lesson in the address.
        figure: Name in the headings (see `ui.lessons.questions.tasks`).
        key: Key of the component.
    """
    found = [
        {
            "id": f"{address} {figure} {number}",
            "words": _line(task.question.words),
            "answers": [_line(each) for each in task.question.answers],
            "right": task.question.right,
            "because": [_line(each) for each in task.question.because],
            "why": _line(task.question.why),
            "show": task.show,
        }
        for number, task in enumerate(questions.tasks(text, figure), 1)
    ]
    if found:
        _tasks(key=key, data={"tasks": found})


def _line(text: str) -> str:
    return markup.line(glossary.plain(text))
