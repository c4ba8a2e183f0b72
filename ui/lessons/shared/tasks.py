"""Tasks beside a figure: predict, try, read the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from ui.lessons import glossary, markup, projector, questions
from ui.lessons.questions import Task
from ui.shared.component_files import component

_tasks = component("lesson_tasks", "lessons/shared/tasks")


WIDGETS = "widgets"
"""In place of a panel's name in a task's ``show``: what *Show me* sets are widgets of the lesson."""


def draw(text: Mapping[str, str], address: str, figure: str, key: str) -> None:
    """Draw the tasks of a figure.

    Args:
        text: Text of the lesson, by heading.
        address: Name of the lesson in the address.
        figure: Name in the headings (see `ui.lessons.questions.tasks`).
        key: Key of the component.
    """
    tasks = questions.tasks(text, figure)
    found = [
        {
            "id": f"{address} {figure} {number}",
            "words": _line(task.question.words),
            "answers": [_line(each) for each in task.question.answers],
            "right": task.question.right,
            "because": [_line(each) for each in task.question.because],
            "why": _line(task.question.why),
            "show": task.show,
            "place": _place(task, address),
        }
        for number, task in enumerate(tasks, 1)
    ]
    if found:
        _tasks(
            key=key,
            data={"tasks": found, "widgets": WIDGETS},
            on_asked_change=lambda: _show(tasks, st.session_state[key]["asked"], address),
        )


def _place(task: Task, address: str) -> str | None:
    """Return the CSS class of the first widget that *Show me* sets."""
    if not task.show or task.show[0] != WIDGETS:
        return None
    return projector.style_of(_key(address, next(iter(task.show[1]))))


def _key(address: str, name: str) -> str:
    return f"learn.{address}.{name}"


def _show(tasks: Sequence[Task], asked: object, address: str) -> None:
    # The browser says only which task; what that sets stands in the lesson's text.
    if not isinstance(asked, int) or not 0 <= asked < len(tasks):
        return
    panel, state = tasks[asked].show or ("", {})
    if panel == WIDGETS:
        for name, value in state.items():
            st.session_state[_key(address, name)] = value


def _line(text: str) -> str:
    return markup.line(glossary.plain(text))
