"""The viewer with the networks' results for its slice: the center of Analyze and Overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from btmodels.slices import VerdictSource
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
    shares: tuple[float, float] = (2.2, 1),
    under: Callable[[Analyzed, View], None] | None = None,
    page: str = "analyze",
    key: str = KEY,
    bare: bool = False,
    above: Callable[[Analyzed, View], None] | None = None,
    follow: bool = False,
    source: VerdictSource = "segmenter",
) -> None:
    """Draw the viewer with the page's content beside it, while slice after slice is analyzed.

    The viewer's controls work in the browser; only this fragment reruns after a visitor's action.

    Args:
        stack: The slices to show.
        start: Initial state of the viewer for this stack.
        beside: Draws the column beside the viewer, from the analyses and the viewer's state.
        model: Segmenter; None is the site's own.
        shares: Relative widths of viewer and column.
        under: Draws the content below both, as wide as the page.
        page: Address of the page that a copied link leads to.
        key: Key of the viewer; another key resets it.
        bare: Show the picture without its controls, as large as the window allows.
        above: Draws the content above both.
        follow: Open the slice with the largest marked area, and follow it as results arrive, until the
            visitor has turned slices.
        source: Which network gives the verdicts.
    """
    analysis.run_promptly(stack, start.slice, model)
    analyzed = analysis.cached(stack, model, source)
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
    turner()
    if under:
        under(analyzed, view)
    if analyzed.pending:
        # The slice is shown at once; its mask follows, then those of the other slices.
        later(lambda: analysis.run_next(stack, view.slice, model))
    elif gradcam.is_missing(analyzed, view):
        later(lambda: gradcam.compute(stack, view.slice))
