"""Encoder and decoder: a network on paper, opened up, and with its skips switched off."""

from __future__ import annotations

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.encoder_decoder import anatomy, architecture_builder, pooling, residual, skips
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
    _builder(lesson, analyzed)
    lesson.prose("In words")
    lesson.prose("Two trained networks on this slice")
    pair.draw(lesson, stack)
    lesson.prose("Inside the U")
    anatomy.draw(lesson, stack)
    lesson.prose("What the skips carry")
    _skips(lesson, stack)
    lesson.prose("Smaller, and larger again")
    _pooling(lesson)
    lesson.prose("The residual block")
    _residual(lesson)


# Each part runs alone when its own hand comes to rest.


@st.fragment
def _builder(lesson: Lesson, analyzed: Analyzed) -> None:
    architecture_builder.draw(lesson, analyzed)


@st.fragment
def _skips(lesson: Lesson, stack: Stack) -> None:
    skips.draw(lesson, stack)


@st.fragment
def _pooling(lesson: Lesson) -> None:
    pooling.draw(lesson)


@st.fragment
def _residual(lesson: Lesson) -> None:
    residual.draw(lesson)
