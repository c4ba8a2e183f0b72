"""Learn: an overview of the lessons, or one lesson with a link to the next.

A lesson is a file assets/lessons/<address>.md and a module of `ui.lessons` with ``draw(lesson)``, which
draws everything between the question and the check: figures, their tasks with
`ui.lessons.lesson.Lesson.tasks`, and text with `ui.lessons.lesson.Lesson.prose`. An entry in `LESSONS`
adds it to the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from ui.lessons import glossary, projector, questions, teacher
from ui.lessons.encoder_decoder import encoder_decoder
from ui.lessons.lesson import WIDTH, Lesson, start_at_top
from ui.lessons.measuring import measuring
from ui.lessons.paper import KEY
from ui.lessons.segmentation import segmentation
from ui.lessons.test_set import held_out
from ui.lessons.training import training
from ui.lessons.transfer import transfer
from ui.lessons.two_steps import two_steps
from ui.shared.content import sections
from ui.shared.text import quoted

PAGE = "pages/learn.py"


@dataclass(frozen=True)
class Entry:
    """A lesson in the list.

    Attributes:
        draw: Draws the part between its question and the check.
        icon: Icon in the overview.
        figures: Titles of the figures that a projector can show alone, by their name in `Lesson.key`.
    """

    draw: Callable[[Lesson], None]
    icon: str
    figures: Mapping[str, str] = field(default_factory=dict)


LESSONS: dict[str, Entry] = {
    "segmentation": Entry(
        segmentation.draw,
        ":material/brush:",
        {"ways": "Mark a tumor in four ways", "steps": "Label, box, pixels"},
    ),
    "encoder-decoder": Entry(
        encoder_decoder.draw,
        ":material/schema:",
        {
            "convolution": "A convolution by hand",
            "bench": "What full resolution costs",
            "anatomy": "The U and what its blocks show",
            "grid": "Pooling and its way back",
            "block": "A residual block",
        },
    ),
    "measuring": Entry(
        measuring.draw,
        ":material/straighten:",
        {"measure": "A threshold and its scores", "masks": "Five losses on one slice"},
    ),
    "test-set": Entry(held_out.draw, ":material/call_split:", {"splits": "By slice or by patient"}),
    "transfer": Entry(
        transfer.draw,
        ":material/move_up:",
        {"kernels": "First kernels of five origins", "freezing": "Frozen or unfrozen"},
    ),
    "train": Entry(
        training.draw, ":material/model_training:", {"picture": "Networks while they learn"}
    ),
    "classify-then-segment": Entry(
        two_steps.draw,
        ":material/alt_route:",
        {"cascade": "Both steps on all test slices", "slice": "Both steps on one slice"},
    ),
}
"""Lessons by their name in the address, in teaching order."""


def text_of(address: str) -> dict[str, str]:
    """Return the text of a lesson, by heading."""
    return sections(f"lessons/{address}.md")


def draw(text: Mapping[str, str]) -> None:
    """Draw the lesson named in the address, or the overview.

    Args:
        text: Text of the page, by heading.
    """
    asked = st.query_params.get(KEY)
    if asked == teacher.ADDRESS:
        start_at_top(asked)
        teacher.draw({address: (text_of(address), LESSONS[address].figures) for address in LESSONS})
        return
    start_at_top(asked if asked in LESSONS else "")
    if asked in LESSONS:
        _lesson(asked)
        return
    _overview(text, asked)


def _overview(text: Mapping[str, str], asked: str | None) -> None:
    st.title(text.get("Headline", "Learn"), anchor=False)
    st.markdown(text.get("Sentence", ""))
    if asked is None:
        st.query_params.clear()  # see `ui.lessons.lesson`: the browser's address may be that of a lesson
    else:
        st.warning(
            f"This site has no lesson {quoted(asked)}; these are the ones it has.",
            icon=":material/link_off:",
        )
    with st.grid(min_column_width=250, gap="medium"):
        for number, address in enumerate(LESSONS, 1):
            words = text_of(address)
            with st.container(border=True, height="stretch"):
                st.subheader(f"{number} · {words['Title']}", anchor=False)
                st.markdown(words["In short"])
                right, all_of_them = questions.solved(words["Check"], f"learn.{address}.check")
                if right:
                    st.caption(f":material/check: {right} of {all_of_them} questions answered")
                st.page_link(
                    PAGE,
                    label=f"Begin: {words['Title']}",
                    icon=LESSONS[address].icon,
                    query_params={KEY: address},
                )
        with st.container(border=True, height="stretch"):
            st.subheader(teacher.TITLE, anchor=False)
            st.markdown(text.get(teacher.TITLE, ""))
            st.page_link(
                PAGE,
                label="Open the page for teachers",
                icon=":material/school:",
                query_params={KEY: teacher.ADDRESS},
            )
    with st.expander("Glossary: every word that the lessons explain", icon=":material/dictionary:"):
        terms = sorted(glossary.terms().items(), key=lambda pair: pair[0].lower())
        with st.container(width=WIDTH):
            for term, explanation in terms:
                st.markdown(f"**{term}.** {explanation}")


def _lesson(address: str) -> None:
    order = list(LESSONS)
    index = order.index(address)
    st.page_link(
        PAGE, label=f"All lessons · this is {index + 1} of {len(order)}", icon=":material/apps:"
    )
    lesson = Lesson(address, text_of(address))
    figure = lesson.choice(projector.KEY, ["all", *LESSONS[address].figures], "all")
    if figure != "all":
        projector.alone(lesson.key(figure), lesson.key("back"))
    lesson.open()
    LESSONS[address].draw(lesson)
    lesson.close()
    if figure != "all":  # below the figure, which has the screen
        with st.container(key=lesson.key("back")):
            label = f"The whole lesson: {lesson.text['Title']}"
            st.page_link(
                PAGE, label=label, icon=":material/menu_book:", query_params={KEY: address}
            )
    st.divider()
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for step, word, icon, position in (
            (-1, "Previous", ":material/arrow_back:", "left"),
            (1, "Next", ":material/arrow_forward:", "right"),
        ):
            if 0 <= index + step < len(order):
                other = order[index + step]
                st.page_link(
                    PAGE,
                    label=f"{word}: {text_of(other)['Title']}",
                    icon=icon,
                    icon_position=position,
                    query_params={KEY: other},
                )
