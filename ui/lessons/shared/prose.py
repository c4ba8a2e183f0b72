"""Prose of a lesson at a readable width, with explained terms."""

from __future__ import annotations

from ui.lessons import glossary
from ui.shared.component_files import component

_prose = component("lesson_prose", "lessons/shared/prose")


def draw(text: str, key: str) -> None:
    """Draw Markdown with marked terms.

    Args:
        text: As for `ui.lessons.glossary.html_of`.
        key: Key of the component.
    """
    _prose(key=key, data={"html": glossary.html_of(text), "terms": glossary.explanations(text)})
