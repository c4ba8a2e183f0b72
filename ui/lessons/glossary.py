"""Terms that lessons explain where they first stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from ui.shared.content import sections

FILE = "lessons/glossary.md"

_MARK = re.compile(r"\[\[([^\]|]+)(?:\|([^\]|]+))?\]\]")


def terms() -> dict[str, str]:
    """Return explanations by term, in the order of the file."""
    return {term: text for term, text in sections(FILE).items() if term}


def marked(text: str) -> list[str]:
    """Return the terms that a text marks, each once, in order.

    Args:
        text: Markdown with ``[[Dice]]``, or ``[[masks|mask]]`` where the term is written otherwise.
    """
    return list(dict.fromkeys(_term(match) for match in _MARK.finditer(text)))


def resolve(text: str, known: set[str]) -> tuple[str, list[str]]:
    """Take the marks out of a text.

    Args:
        text: As for `marked`.
        known: Terms that were explained before; those of this text are added.

    Returns:
        Markdown in which terms that stand there for the first time are bold, and these terms.
    """
    first: list[str] = []

    def plain(match: re.Match) -> str:
        term, shown = _term(match), match[1]
        if term in known:
            return shown
        known.add(term)
        first.append(term)
        return f"**{shown}**"

    return _MARK.sub(plain, text), first


def draw(names: Sequence[str]) -> None:
    """Draw a button for each term that opens its explanation; keys reach them as a finger does."""
    explained = terms()
    there = [name for name in names if name in explained]
    if not there:
        return
    with st.container(horizontal=True, gap="small"):
        for name in there:
            with st.popover(name, icon=":material/help:", type="tertiary"):
                st.markdown(f"**{name}.** {explained[name]}")


def _term(match: re.Match) -> str:
    return match[2] or match[1]
