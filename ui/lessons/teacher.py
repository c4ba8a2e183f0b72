"""Page for teachers: time and pitfalls of each lesson, all answers, handouts, and single figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from ui.lessons import glossary, handout, projector, questions
from ui.lessons.lesson import WIDTH
from ui.lessons.paper import KEY
from ui.lessons.questions import Question
from ui.shared.content import sections

ADDRESS = "teacher"
"""Name in the address instead of a lesson's."""

TITLE = "For teachers"

PAGE = "pages/learn.py"


def draw(lessons: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]) -> None:
    """Draw the page.

    Args:
        lessons: Text by heading and figures by key, for each lesson by its name in the address.
    """
    words = sections("lessons/teacher.md")
    url = st.context.url  # known here, but not where a download is made
    st.page_link(PAGE, label="All lessons", icon=":material/apps:")
    st.title(TITLE, anchor=False)
    with st.container(width=WIDTH):
        st.markdown(words.get("In short", ""))
    for number, (address, (text, figures)) in enumerate(lessons.items(), 1):
        st.header(f"{number} · {text['Title']}", anchor=address)
        with st.container(width=WIDTH):
            st.markdown(words.get(address, ""))
        st.download_button(
            "Handout of one page",
            lambda address=address, text=text: handout.page(address, text, url).encode(),
            f"{address}-handout.html",
            "text/html",
            icon=":material/print:",
            on_click="ignore",
            key=f"learn.teacher.handout.{address}",
        )
        _projected(address, figures)
        with st.expander("Answers to tasks and check", icon=":material/key:"):
            st.markdown(_answers([task.question for task in questions.tasks(text)]))
            st.markdown("**Check**")
            st.markdown(_answers(questions.parse(text["Check"])))


def _projected(address: str, figures: Mapping[str, str]) -> None:
    with st.container(horizontal=True):
        for figure, title in figures.items():
            st.page_link(
                PAGE,
                label=title,
                icon=":material/present_to_all:",
                query_params={KEY: address, projector.KEY: figure},
            )


def _answers(asked: Iterable[Question]) -> str:
    return "\n".join(
        f"{number}. {glossary.plain(each.words)} **{glossary.plain(each.answer)}** "
        f"{glossary.plain(each.why)}"
        for number, each in enumerate(asked, 1)
    )
