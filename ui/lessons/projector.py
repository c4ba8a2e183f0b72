"""One figure of a lesson alone on the screen, for a projector or for a link to that figure."""

from __future__ import annotations

import re

import streamlit as st

KEY = "figure"
"""Parameter of the address that names the figure."""

_ALONE = """<style>
[data-testid=stMainBlockContainer] {{ max-width: none; padding: 4rem 1.5rem 1rem; }}
[data-testid=stMainBlockContainer] :is(hr, [data-testid=stElementContainer]) {{ display: none; }}
[data-testid=stLayoutWrapper]:not(:has(.{figure}, .{back})) {{ display: none; }}
[data-testid=stMainBlockContainer] :is(.{figure}, .{back} [data-testid=stElementContainer]) {{
  display: block;
}}
</style>"""
"""The rest of the lesson is there and works, but is not shown: a figure may depend on its choices."""


def style_of(key: str) -> str:
    """Return the class that Streamlit gives an element with a key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())


def alone(figure: str, back: str) -> None:
    """Show nothing of the page but two elements.

    Args:
        figure, back: Keys of the figure, and of the container with the way back to the lesson.
    """
    st.html(_ALONE.format(figure=style_of(figure), back=style_of(back)))
