"""Lesson *Encoder and decoder*: a convolution, a network builder, a real network's maps, and its skips."""

from __future__ import annotations

from ui.lessons import slice_choice
from ui.lessons.encoder_decoder import anatomy, architecture_builder, residual, skips
from ui.lessons.encoder_decoder.operations import convolution, pooling
from ui.lessons.lesson import Lesson
from ui.lessons.segmentation import pair


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
    architecture_builder.draw(lesson, analyzed)
    lesson.tasks("builder")
    lesson.prose("Down and up again")
    lesson.prose("Two trained networks on this slice")
    pair.draw(lesson, stack, ("sequential", "unet"))
    lesson.prose("Inside the U")
    anatomy.draw(lesson, stack)
    lesson.tasks("anatomy")
    lesson.prose("What the skips carry")
    skips.draw(lesson, stack)
    lesson.prose("Smaller, and larger again")
    pooling.draw(lesson)
    lesson.tasks("pooling")
    lesson.prose("The residual block")
    residual.draw_block(lesson)
    lesson.tasks("residual")
    lesson.prose("Deep stacks, trained")
    residual.draw_stacks(lesson)
    lesson.prose("Gradients as measured")
    residual.draw(lesson)
    lesson.prose("The ResUNet")
    pair.draw(lesson, stack, ("unet", "resunet_small"))
