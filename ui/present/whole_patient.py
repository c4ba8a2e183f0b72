"""Stops that show a whole patient: the tumor in 3-D, or its area in each slice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.patients import figures
from ui.patients.scores import Tally, tally
from ui.present.projected import project
from ui.session import analysis
from ui.session.stack import Stack
from ui.session.view_state import View
from ui.shared import badges
from ui.shared.deferred import later
from ui.shared.text import DASH, plain
from ui.surface.rotating_head import can_rotate, rotating_head


@st.fragment
def draw_whole_patient(
    stack: Stack, view: View, model: str | None, show: str, caption: str, problems: Sequence[str]
) -> None:
    """Draw a whole patient while its slices are analyzed.

    Args:
        stack: The patient.
        view: Gives the threshold, and the slice to mark in the area curve.
        model: Segmenter; None is the site's own.
        show: One of `ui.present.route.SHOWS`.
        caption: Caption of the stop.
        problems: Problems of the route, in sentences.
    """
    analyzed = analysis.cached(stack, model)
    counted = tally(analyzed, view.threshold)
    left, right = st.columns([1.5, 1], gap="medium")
    with left, st.container(key="picture"):
        if show == "area":
            project(
                figures.area_figure(stack, counted, view.slice),
                "present.area",
                "Marked pixels of each slice, predicted and true.",
            )
        elif can_rotate(analyzed):
            rotating_head(analyzed, view.threshold, "present.head")
        else:
            st.info(
                "This patient has too few slices, or slices of different sizes, for a 3-D view."
            )
    with right:
        if caption:
            st.subheader(plain(caption), anchor=False)
        badges.draw(stack.provenance[view.slice])
        _draw_sums(counted, analyzed.pending)
        if analyzed.message and not analyzed.pending:
            st.markdown(analyzed.message)
        for problem in problems:
            st.warning(problem, icon=":material/link_off:")
    if analyzed.pending:
        later(lambda: analysis.run_next(stack, view.slice, model))


def _draw_sums(counted: Tally, pending: bool) -> None:
    there = [pixels for pixels in counted.predicted if pixels is not None]
    marked = sum(pixels > 0 for pixels in there)
    slices = len(counted.predicted)
    with st.container(horizontal=True, gap="small", key="answers"):
        st.metric("Slices with tumor marked", f"{marked} of {slices}", border=True, width="stretch")
        dice = DASH if counted.dice is None or pending else f"{counted.dice:.2f}"
        st.metric("Dice of this patient", dice, border=True, width="stretch")
    if pending:
        st.caption(f"{len(there)} of {slices} slices segmented so far")
