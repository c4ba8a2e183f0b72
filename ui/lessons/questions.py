"""The questions that close a lesson: read from Markdown, answered by a click, explained."""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st

_ANSWER = re.compile(r"^- \[([ x])\] (.+)$")


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        words: The question.
        answers: To choose from, two or more.
        right: Index of the right one.
        why: What explains the answer.
    """

    words: str
    answers: tuple[str, ...]
    right: int
    why: str


def parse(text: str) -> tuple[Question, ...]:
    """Read questions: each a level-3 heading, answers as a task list, and a quote that explains::

        ### Which pixels does a mask mark?
        - [ ] all of them
        - [x] those of the tumor
        > That is what it is for.

    Raises:
        ValueError: A question without two answers, without exactly one right one, or unexplained.
    """
    return tuple(_question(part) for part in re.split(r"^### +", text, flags=re.MULTILINE)[1:])


def draw(text: str, key: str) -> None:
    """Draw the questions of a lesson.

    Args:
        text: As for `parse`.
        key: Prefix of the widgets' keys.
    """
    for number, question in enumerate(parse(text), 1):
        _draw(number, question, f"{key}.{number}")


@st.fragment
def _draw(number: int, question: Question, key: str) -> None:
    with st.container(border=True):
        chosen = st.radio(
            f"{number}. {question.words}",
            range(len(question.answers)),
            format_func=lambda index: question.answers[index],
            index=None,
            key=key,
        )
        if chosen == question.right:
            st.success(f"Yes. {question.why}", icon=":material/check_circle:")
        elif chosen is not None:
            st.warning(
                f"Not quite: {question.answers[question.right]} {question.why}",
                icon=":material/lightbulb:",
            )


def _question(part: str) -> Question:
    words, _, body = part.partition("\n")
    lines = body.strip().splitlines()
    answers = [match for line in lines if (match := _ANSWER.match(line))]
    right = [index for index, match in enumerate(answers) if match[1] == "x"]
    why = " ".join(line[1:].strip() for line in lines if line.startswith(">"))
    if len(answers) < 2 or len(right) != 1 or not why:
        raise ValueError(
            "A question has two answers or more, one of them right, and an explanation. "
            f"Received: {words!r} with {len(answers)} answers, {len(right)} right, "
            f"{'an' if why else 'no'} explanation"
        )
    return Question(words.strip(), tuple(match[2].strip() for match in answers), right[0], why)
