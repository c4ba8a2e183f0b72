"""Presenting: a single view on the screen, and a route of views to step through by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from btmodels import registry
from btmodels.errors import CohortError
from btmodels.slices import VerdictSource
from ui.analyze import slice_picker
from ui.present.address import (
    VISIT,
    current_route,
    query_without,
    route_query,
    start,
    start_uploads,
    step_of_address,
    wants_files,
)
from ui.present.route import Step, Stop, format_route, steps_of
from ui.present.slides import draw_slide
from ui.present.whole_patient import draw_whole_patient
from ui.results.slice_answer import draw_slice_answer
from ui.session import analysis, samples
from ui.session.cache import keep, upload_key
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import LAYERS, SOURCES, View, read_link
from ui.shared import badges
from ui.shared.component_files import component
from ui.shared.text import plain, quoted
from ui.viewer.viewer import state_key
from ui.viewer.workbench import KEY as VIEWER
from ui.viewer.workbench import workbench

_component = component("presenter", "present/present")

UPLOAD = upload_key("present.upload")
"""Session key: the visitor's own slices to present, the segmenter, who gives the verdict, and the view."""

_RETURN = upload_key("present.return")
_SWITCH, _BAR = "present.switch", "present.bar"


def present_button(uploads: bool = False) -> None:
    """Draw the button that presents the current view; the P key does the same.

    Args:
        uploads: Whether the visitor's files are on screen, which `remember_upload` keeps.
    """
    asked = st.query_params.get("present")
    if asked is not None:
        st.warning(
            f"“present” must be 1 or left out, not {quoted(asked)}.", icon=":material/link_off:"
        )
    _draw("switch", _SWITCH, start_uploads if uploads else start)


def checklist(stops: tuple[Stop, ...], checks: list[tuple[str, bool]]) -> None:
    """Draw the checklist before presenting, and the link that keeps the route.

    Args:
        stops: Stops of the route.
        checks: Conditions in words, each with whether it holds.
    """
    text = format_route(stops, samples.library().samples)
    _draw("panel", "present.panel", lambda: None, checks=checks, route=text)


def remember_upload(stack: Stack, model: str | None, source: VerdictSource, view: View) -> None:
    """Keep the visitor's displayed slices in this session, so that they can be presented."""
    keep(UPLOAD, (stack, model, source, view))


def view_before_leaving(stack: Stack) -> View | None:
    """Return what was on screen of the visitor's own slices when they left them for another page.

    Returns:
        The view to go on with; None if the visitor comes for the first time.
    """
    if state_key(VIEWER, stack) not in st.session_state:  # the page is opened, not run again
        kept = st.session_state.get(UPLOAD)
        keep(_RETURN, (stack.id, kept[-1] if kept and kept[0].id == stack.id else None))
    known, view = st.session_state.get(_RETURN, (None, None))
    return view if known == stack.id else None


def draw_presentation() -> None:
    """Draw the view of the address, or of the stop that it names, large and without the page around it."""
    st.html(Path(__file__).parent / "present_page.css")
    stops, problems = current_route()
    step, sentences = step_of_address(stops)
    problems += sentences
    stop = _shown(stops, step)
    if stop.slide:
        draw_slide(stop.slide, stop.caption)
        for problem in problems:
            st.warning(problem, icon=":material/link_off:")
    else:
        _draw_view(stop, problems, hidden=bool(step and step.hidden))
    steps = steps_of(stops)
    with st.bottom:
        _draw(
            "bar",
            _BAR,
            _go,
            step=steps.index(step) + 1 if step else 0,
            steps=[each.stop for each in steps],
            stops=len(stops),
        )


def _shown(stops: tuple[Stop, ...], step: Step | None) -> Stop:
    return (
        stops[step.stop - 1] if step else Stop(query_without("present", "route", "stop", "answer"))
    )


def _draw_view(stop: Stop, problems: list[str], hidden: bool) -> None:
    if "patient" not in stop.query and UPLOAD in st.session_state and wants_files():
        stack, *networks, view = st.session_state[UPLOAD]
        _draw_stack(stack, view, *networks, "", problems, hidden=False)
        return
    if wants_files():
        problems.append("Your files are no longer in this session; a sample is shown instead.")
    library = samples.library()
    if not library.samples:
        st.info("There are no samples in this copy of the project, so there is nothing to present.")
        return
    link, sentences = read_link(stop.query, library.samples, analysis.segmenters())
    problems += [sentence for sentence in sentences if not any(sentence in p for p in problems)]
    folder = link.patient or next(iter(library.samples))
    try:
        stack = samples.stack_of(library.samples[folder], folder)
    except CohortError as error:
        st.error(str(error))
        return
    index = stack.index_of(link.number)
    if index is None:
        index = stack.largest_lesion_slice()
        if link.number is not None:
            problems.append(f"{folder} has no slice {link.number}; another one is shown.")
    threshold = analysis.stored_threshold(link.model)
    view = link.view(index, 0.5 if threshold is None else threshold)
    if stop.shows:
        draw_whole_patient(stack, view, link.model, stop.shows, stop.caption, problems)
        return
    if hidden:
        view = replace(view, wipe="", **dict.fromkeys(LAYERS, False))
    source = link.verdict or SOURCES[0]
    _draw_stack(stack, view, link.model, source, stop.caption, problems, hidden)


def _draw_stack(
    stack: Stack,
    start_with: View,
    model: str | None,
    source: VerdictSource,
    caption: str,
    problems: list[str],
    hidden: bool,
) -> None:
    def beside(analyzed: Analyzed, view: View) -> None:
        if caption:
            st.subheader(plain(caption), anchor=False)
        badges.draw(analyzed.stack.provenance[view.slice])
        if not hidden:
            _draw_answer(analyzed, view)
        for problem in problems:
            st.warning(problem, icon=":material/link_off:")

    workbench(
        stack,
        start_with,
        beside,
        model,
        shares=(1.5, 1),
        key=f"present.{st.session_state.get(VISIT, 0)}",
        bare=True,
        source=source,
    )


def _draw_answer(analyzed: Analyzed, view: View) -> None:
    found = analyzed.analyses[view.slice]
    shown = found and analysis.at_threshold(found, view.threshold)
    draw_slice_answer(shown)
    if found is None:
        key = analyzed.stack.keys[view.slice]
        st.markdown(analyzed.stopped.get(key, analyzed.message))
        return
    threshold = f"threshold {view.threshold:.2f}"
    if view.threshold != analyzed.threshold:
        threshold += ", set manually"
    verdict_by, segmenter = (
        registry.get(name).title for name in (shown.verdict.network, shown.model)
    )
    st.caption(
        f"Verdict: {verdict_by}, {shown.verdict.basis}.  \nMarked: {segmenter}, {threshold}."
    )
    for warning in shown.warnings:
        st.warning(warning, icon=":material/warning:")


def _draw(kind: str, key: str, answer, **data) -> None:
    _component(key=key, data={"kind": kind} | data, on_go_change=answer)


def _go() -> None:
    where = st.session_state[_BAR]["go"]
    stops, _ = current_route()
    steps = steps_of(stops)
    step, _ = step_of_address(stops)
    if where == "leave":
        shown = _shown(stops, step).query
        _leave({key: value for key, value in shown.items() if key not in ("ask", "show", "slide")})
    elif where in range(1, len(steps) + 1):
        start(steps[where - 1])


def _leave(query: Mapping[str, str]) -> None:
    # A page ignores an address equal to the last one it wrote.
    for page in (slice_picker.ANALYZE, "patients"):
        st.session_state.pop(f"{page}.{slice_picker.WRITTEN}", None)
    st.query_params.from_dict(dict(query) | route_query())
