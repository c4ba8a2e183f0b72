"""One figure of a lesson alone on the screen, for a projector or for a link to that figure."""

from __future__ import annotations

import re

import streamlit as st

KEY = "figure"
"""Query parameter that names the figure."""

_ALONE = """<style>
[data-testid=stMainBlockContainer] {{ max-width: none; padding: 4rem 1.5rem 1rem; }}
[data-testid=stMainBlockContainer] :is(hr, [data-testid=stElementContainer]) {{ display: none; }}
[data-testid=stLayoutWrapper]:not(:has(.{figure}, .{back})) {{ display: none; }}
[data-testid=stMainBlockContainer] :is(.{figure}, .{back} [data-testid=stElementContainer]) {{
  display: block;
}}
</style>"""
"""The rest of the lesson is hidden, not removed, since a figure may depend on its choices."""


def style_of(key: str) -> str:
    """Return Streamlit's CSS class for an element with this key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())


def alone(figure: str, back: str) -> None:
    """Hide the page except for two elements.

    Args:
        figure, back: Keys of the figure and of the container with the link back to the lesson.
    """
    st.html(_ALONE.format(figure=style_of(figure), back=style_of(back)))
