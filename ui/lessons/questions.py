"""Questions of lessons, from Markdown: the check at the end, and the predictions of tasks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

_ANSWER = re.compile(r"^- \[([ x])\] (.+)$")
_SHOW = re.compile(r"^show: (\S+) (\{.*\})$", re.MULTILINE)
_TASK = re.compile(r"^Task: (\S+) (\d+)$")

GIVEN = "learn.answers"
"""Session key of the given answers, by question; a widget's own state ends with its page."""


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        words: The question.
        answers: Two or more answers to choose from.
        right: Index of the right answer.
        why: Explanation of the right answer.
        because: For each answer the reason why it is wrong; empty for the right one.
    """

    words: str
    answers: tuple[str, ...]
    right: int
    why: str
    because: tuple[str, ...]

    @property
    def answer(self) -> str:
        """The right answer, with a full stop."""
        return self.answers[self.right].rstrip(".") + "."


@dataclass(frozen=True)
class Task:
    """Something to predict, then to try on a figure.

    Attributes:
        figure: Name of its figure.
        question: The task, the predictions to choose from, and the outcome.
        show: Name of the panel that *Show me* sets, and its state; None if there is none.
    """

    figure: str
    question: Question
    show: tuple[str, dict[str, Any]] | None


def parse(text: str) -> tuple[Question, ...]:
    """Read questions: each a level-3 heading, answers as a task list, and a quote that explains::

        ### Which pixels does a mask mark?
        - [ ] all of them
          > That would be the whole slice.
        - [x] those of the tumor
        > That is what it is for.

    Raises:
        ValueError: A question without two answers, without exactly one right one, or unexplained.
    """
    parts = re.split(r"^### +", text, flags=re.MULTILINE)[1:]
    return tuple(_question(*part.partition("\n")[::2]) for part in parts)


def tasks(text: Mapping[str, str], figure: str | None = None) -> tuple[Task, ...]:
    """Read the tasks of a lesson: sections with headings such as ``Task: measure 1``.

    The task comes first, then the predictions, in the form of the answers of `parse`, then optionally
    a line such as ``show: measure {"threshold": 0.2}``.

    Args:
        text: Text of the lesson, by heading.
        figure: Figure whose tasks to read; None for all.
    """
    found = []
    for heading, body in text.items():
        match = _TASK.match(heading)
        if match is None or figure not in (None, match[1]):
            continue
        shown = _SHOW.search(body)
        words, marker, rest = _SHOW.sub("", body).partition("\n- [")
        question = _question(" ".join(words.split()), marker + rest)
        show = (shown[1], json.loads(shown[2])) if shown else None
        found.append(Task(match[1], question, show))
    return tuple(found)


def draw(text: str, key: str) -> None:
    """Draw the questions of a lesson.

    Args:
        text: As for `parse`.
        key: Prefix of the widgets' keys.
    """
    for number, question in enumerate(parse(text), 1):
        _draw(number, question, f"{key}.{number}")


def solved(text: str, key: str) -> tuple[int, int]:
    """Return the number of correctly answered questions of a lesson, and the number of questions."""
    questions = parse(text)
    given = st.session_state.get(GIVEN, {})
    right = [given.get(f"{key}.{n}") == each.right for n, each in enumerate(questions, 1)]
    return sum(right), len(questions)


@st.fragment
def _draw(number: int, question: Question, key: str) -> None:
    given = st.session_state.setdefault(GIVEN, {})
    with st.container(border=True):
        chosen = st.radio(
            f"{number}. {question.words}",
            range(len(question.answers)),
            format_func=lambda index: question.answers[index],
            index=given.get(key),
            key=key,
        )
        given[key] = chosen
        if chosen == question.right:
            st.success(f"Yes. {question.why}", icon=":material/check_circle:")
        elif chosen is not None:
            st.warning(
                f"Not quite. {question.because[chosen]} Try again.", icon=":material/lightbulb:"
            )


def _question(words: str, body: str) -> Question:
    answers: list[list[str]] = []
    marks, why = [], []
    for line in body.strip().splitlines():
        if match := _ANSWER.match(line):
            marks.append(match[1])
            answers.append([match[2].strip()])
        elif line.startswith(">"):
            why.append(line[1:].strip())
        elif line.strip().startswith(">") and answers:
            answers[-1].append(line.strip()[1:].strip())
    right = [index for index, mark in enumerate(marks) if mark == "x"]
    because = tuple(" ".join(lines[1:]) for lines in answers)
    wrong = [reason for index, reason in enumerate(because) if index not in right]
    if len(answers) < 2 or len(right) != 1 or not why or not all(wrong):
        raise ValueError(
            "A question has two answers or more, one of them right, each other one with why it is "
            f"wrong, and an explanation. Received: {words.strip()!r} with {len(answers)} answers, "
            f"{len(right)} right, {sum(map(bool, wrong))} with a reason, "
            f"{'an' if why else 'no'} explanation"
        )
    texts = tuple(lines[0] for lines in answers)
    return Question(words.strip(), texts, right[0], " ".join(why), because)
