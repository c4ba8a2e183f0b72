"""The viewer with the networks' answers for its slice: the center of Analyze and Overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from ui.session import analysis, gradcam
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View
from ui.shared.deferred import later
from ui.viewer.gallery import turner
from ui.viewer.viewer import viewer

KEY = "viewer"


@st.fragment
def workbench(
    stack: Stack,
    start: View,
    beside: Callable[[Analyzed, View], None],
    model: str | None = None,
    below: Callable[[Analyzed], None] | None = None,
    shares: tuple[float, float] = (2.2, 1),
    under: Callable[[Analyzed, View], None] | None = None,
    page: str = "analyze",
    key: str = KEY,
    bare: bool = False,
    above: Callable[[Analyzed, View], None] | None = None,
    follow: bool = False,
) -> None:
    """Draw the viewer with the page's content beside it, and analyze slice after slice meanwhile.

    The hand moves things in the browser; this fragment alone runs again when it comes to rest.

    Args:
        stack: What to show.
        start: What is set when this stack comes up first.
        beside: Draws the column beside the viewer, from what is analyzed and what the hand has set.
        model: Segmenter; None is the site's own.
        below: Draws what stands under the viewer.
        shares: Widths of viewer and column.
        under: Draws what stands under both, as wide as the page.
        page: Address of the page that a copied link leads to.
        key: Of the viewer; another key starts afresh.
        bare: Show the picture without its controls, as large as the window allows.
        above: Draws what stands above both.
        follow: Open on the slice with the most marked, and go there as results arrive, until the visitor
            has turned slices.
    """
    analyzed = analysis.cached(stack, model)
    if follow:
        start = replace(start, slice=analyzed.suggested_slice())
    top = st.container()
    left, right = st.columns(shares, gap="medium")
    with left, st.container(key="picture"):
        view = viewer(analyzed, start, key, page, bare)
        if analyzed.pending:
            analysis.prefetch(stack, view.slice, model)
    if above:
        with top:
            above(analyzed, view)
    with right:
        beside(analyzed, view)
    if below:
        with left:
            below(analyzed)
    turner()
    if under:
        under(analyzed, view)
    if analyzed.pending:
        # The slice is shown at once; its mask, and then those of the others, follow.
        later(lambda: analysis.run_next(stack, view.slice, model))
    elif gradcam.is_missing(analyzed, view):
        later(lambda: gradcam.compute(stack, view.slice))
