"""Common parts of the lessons: text with explained terms, tasks, an address, a check, a sheet."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from ui.lessons import questions, source_excerpt, worksheet
from ui.lessons.paper import KEY
from ui.lessons.shared import prose, tasks
from ui.shared.component_files import component
from ui.shared.text import quoted

WIDTH = 496
"""Width of prose in pixels: about 70 characters, as in ui/lessons/shared/prose.css."""

_ASKED, _WRITTEN = "learn.asked", "learn.written"
"""Session keys: the address that opened the lesson, and the last one it wrote."""


_STYLE = """<style>
[data-testid=stRadioOption] > div > div:first-child { box-shadow: inset 0 0 0 1px #7f7f7f; }
@media (pointer: coarse) {
  [data-testid=stRadio] label { min-height: 2.75rem; align-items: center; }
  [data-testid=stDataFrame] { margin-top: 2.5rem; }
}
</style>"""
"""Circles of answers that are seen, and answers that a finger hits; room for the toolbar that a phone shows
above each table."""

_top = component("page_top", "lessons/shared/page_top")


def start_at_top(address: str) -> None:
    """Scroll to the top of the page if ``address`` has changed."""
    _top(key="learn.top", data={"address": address})


def anchor_of(heading: str) -> str:
    """Return the anchor of a section."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


class Lesson:
    """One lesson while it is drawn.

    `choice` and `number` read the lesson's part of the address, and `write` updates it. They return the
    values with which the lesson was *opened*. These stay the same while the visitor interacts, so
    components and widgets can use them as initial values.

    Attributes:
        address: Its name in the address, such as ``measuring``.
        text: Its text from assets/lessons, by heading.
    """

    def __init__(self, address: str, text: Mapping[str, str]) -> None:
        self.address, self.text = address, text
        self._problems: list[str] = []
        self._refused: set[str] = set()
        self._asked = _asked(address)
        self._head = st.container()

    def key(self, name: str) -> str:
        """Return a session key of this lesson."""
        return f"learn.{self.address}.{name}"

    def prose(self, heading: str, title: bool = True) -> None:
        """Draw a section of the lesson's text.

        Args:
            heading: Heading of the section; nothing is drawn if the text lacks it.
            title: Draw the heading, too.
        """
        if heading not in self.text:
            return
        if title:
            st.header(heading, anchor=anchor_of(heading))
        prose.draw(self.text[heading], self.key(f"words.{anchor_of(heading)}"))

    def tasks(self, figure: str) -> None:
        """Draw the predictions and tasks beside a figure."""
        tasks.draw(self.text, self.address, figure, self.key(f"tasks.{figure}"))

    def choice(self, key: str, words: Collection[str], usual: str) -> str:
        """Return the word that the address gives for ``key``; warn if it is not one of ``words``."""
        if key not in self._asked:
            return usual
        word = self._asked[key]
        if word in words:
            return word
        self._refused.add(key)
        self.problem(f"There is no {key} {quoted(word)} in this lesson; {usual} is shown instead.")
        return usual

    def number(self, key: str, low: float, high: float, usual: float) -> float:
        """Return the number that the address gives for ``key``; warn if it is out of range."""
        if key not in self._asked:
            return usual
        try:
            value = float(self._asked[key])
        except ValueError:
            value = math.nan
        if low <= value <= high:
            return value
        self._refused.add(key)
        self.problem(
            f"{key.capitalize()} is a number from {low:g} to {high:g} in this lesson, not "
            f"{quoted(self._asked[key])}; {usual:g} is shown instead."
        )
        return usual

    def select(
        self,
        key: str,
        label: str,
        words: Mapping[str, str],
        usual: str | None = None,
        control: Callable[..., str] = st.selectbox,
        **more: Any,
    ) -> str:
        """Draw a choice that starts at what the address gives, and write it to the address.

        Args:
            key: Its key in the address.
            label: Its label.
            words: What to choose from: words of the address, with their texts.
            usual: The word that the address leaves out; None is the first.
            control: `st.selectbox` or `st.segmented_control`.
            more: Further options of the control.
        """
        usual, state = usual or next(iter(words)), self.key(key)
        asked = self.choice(key, words, usual)
        if st.session_state.get(state) not in words:
            st.session_state[state] = asked
        chosen = control(label, list(words), format_func=words.get, key=state, **more)
        self.write(**{key: None if chosen == usual else chosen})
        return chosen

    def problem(self, sentence: str) -> None:
        """Report a problem with the address at the top of the lesson, once."""
        if sentence not in self._problems:
            self._problems.append(sentence)
            self._head.warning(sentence, icon=":material/link_off:")

    def write(self, **state: object) -> None:
        """Update the address: values by key, None for the default.

        Other keys keep their values from earlier calls.
        """
        query = st.session_state.get(_WRITTEN, {KEY: self.address} | self._asked)
        query = {key: value for key, value in query.items() if key not in {*state, *self._refused}}
        query |= {key: str(value) for key, value in state.items() if value is not None}
        st.session_state[_WRITTEN] = query
        if st.query_params.to_dict() != query:
            st.query_params.from_dict(query)

    def open(self) -> None:
        """Draw the top of the lesson: title, question, and outline."""
        st.html(_STYLE)
        st.title(self.text["Title"], anchor=False)
        prose.draw(f"#### {self.text['Question']}", self.key("words.question"))
        links = [f"[{heading}](#{anchor_of(heading)})" for heading in self.headings()]
        st.markdown(" · ".join(links))

    def headings(self) -> list[str]:
        """Return the headings of the lesson's sections, in order."""
        shown = [heading for heading in self.text if heading not in worksheet.WRITTEN]
        shown = [each for each in shown if not each.startswith(worksheet.UNTITLED)]
        return [*shown, "Check"]

    def close(self) -> None:
        """Draw the end of a lesson: the check, the code, a sheet to print, sources."""
        st.header("Check", anchor=anchor_of("Check"))
        with st.container(width=WIDTH):
            questions.draw(self.text["Check"], self.key("check"))
        left, right = st.columns(2, gap="large")
        url = st.context.url  # known here, but not where a download is made
        with left:
            st.subheader("The code that does it", anchor=False)
            source_excerpt.draw(self.text.get("Code", ""))
        with right:
            st.subheader("On paper", anchor=False)
            st.markdown(
                "Figure, text, tasks and questions to print, with the answers on a separate page."
            )
            st.download_button(
                "Sheet to print",
                lambda: worksheet.sheet(self.address, self.text, url).encode(),
                f"{self.address}.html",
                "text/html",
                icon=":material/print:",
                on_click="ignore",
                key=self.key("sheet"),
            )
            if "Sources" in self.text:
                st.subheader("Sources", anchor=False)
                st.markdown(self.text["Sources"])


def _asked(address: str) -> dict[str, str]:
    # The address as entered, not as updated by the lesson since.
    query = st.query_params.to_dict()
    if query != st.session_state.get(_WRITTEN):
        st.session_state[_ASKED] = query
        st.session_state.pop(_WRITTEN, None)
        # A link from a page to itself reaches the script, but not the browser's address.
        st.query_params.from_dict(query)
    asked = st.session_state.get(_ASKED, query)
    return {key: value for key, value in asked.items() if key != KEY}
