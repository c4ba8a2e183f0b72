"""Lesson *Encoder and decoder*: a convolution, a network builder, a real network's maps, and its skips."""

from __future__ import annotations

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.encoder_decoder import anatomy, architecture_builder, residual, skips
from ui.lessons.encoder_decoder.operations import convolution, pooling
from ui.lessons.lesson import Lesson
from ui.lessons.segmentation import pair
from ui.session.stack import Analyzed, Stack


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    stack = slice_choice.choose(lesson, model=anatomy.MODEL)
    if stack is None:
        return
    analyzed = slice_choice.analyze(stack)
    lesson.prose("A convolution by hand")
    convolution.draw(lesson, stack)
    lesson.tasks("convolution")
    lesson.prose("In words")
    lesson.prose("Why not stay at full resolution?")
    _builder(lesson, analyzed)
    lesson.tasks("builder")
    lesson.prose("Down and up again")
    lesson.prose("Two trained networks on this slice")
    pair.draw(lesson, stack, ("sequential", "unet"))
    lesson.prose("Inside the U")
    anatomy.draw(lesson, stack)
    lesson.tasks("anatomy")
    lesson.prose("What the skips carry")
    _skips(lesson, stack)
    lesson.prose("Smaller, and larger again")
    _pooling(lesson)
    lesson.tasks("pooling")
    lesson.prose("The residual block")
    residual.draw_block(lesson)
    lesson.tasks("residual")
    lesson.prose("Deep stacks, trained")
    residual.draw_stacks(lesson)
    lesson.prose("Gradients as measured")
    _residual(lesson)
    lesson.prose("The ResUNet")
    pair.draw(lesson, stack, ("unet", "resunet_small"))


# Each part reruns alone after its own controls change.


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
