"""Encoder and decoder: a network on paper, opened up, and with its skips switched off."""

from __future__ import annotations

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.encoder_decoder import anatomy, bench, grid, residual, skips
from ui.lessons.lesson import Lesson
from ui.lessons.segmentation import pair
from ui.session.stack import Analyzed, Stack


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and what to try."""
    stack = slice_choice.choose(lesson)
    if stack is None:
        return
    analyzed = slice_choice.analyze(stack)
    lesson.prose("Screen: before you start", title=False)
    _bench(lesson, analyzed)
    lesson.prose("In words")
    lesson.prose("Two trained networks on this slice")
    pair.draw(lesson, stack)
    lesson.prose("Inside the U")
    anatomy.draw(lesson, stack)
    lesson.prose("What the skips carry")
    _skips(lesson, stack)
    lesson.prose("Smaller, and larger again")
    _grid(lesson)
    lesson.prose("The residual block")
    _residual(lesson)


# Each part runs alone when its own hand comes to rest.


@st.fragment
def _bench(lesson: Lesson, analyzed: Analyzed) -> None:
    bench.draw(lesson, analyzed)


@st.fragment
def _skips(lesson: Lesson, stack: Stack) -> None:
    skips.draw(lesson, stack)


@st.fragment
def _grid(lesson: Lesson) -> None:
    grid.draw(lesson)


@st.fragment
def _residual(lesson: Lesson) -> None:
    residual.draw(lesson)
