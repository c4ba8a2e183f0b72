"""Presenting: a view alone on the screen, and a route of views to walk by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from btmodels.errors import CohortError
from ui.analyze import slice_picker
from ui.present.route import Step, Stop, format_route, parse_route, steps_of
from ui.present.slides import draw_slide
from ui.present.standard_route import standard_route
from ui.results.slice_answer import draw_slice_answer
from ui.session import analysis, samples
from ui.session.cache import upload_key
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import LAYERS, View, read_link
from ui.shared import badges
from ui.shared.component_files import module, read
from ui.shared.text import plain, quoted
from ui.viewer.workbench import workbench

_component = st.components.v2.component(
    "presenter",
    html=read("present/present.html"),
    css=read("present/present.css"),
    js=module("present/present.js"),
)

ROUTE, VISIT = "present.route", "present.visit"
"""Session keys: the route as text, where it is not the standard one, and how many steps were shown."""

UPLOAD = upload_key("present.upload")
"""Session key: the visitor's own slices to present, the segmenter, and the view."""

_SWITCH, _BAR = "present.switch", "present.bar"


def presenting() -> bool:
    """Tell whether the address asks for a page that presents."""
    return st.query_params.get("present") == "1"


def present_button(uploads: bool = False) -> None:
    """Draw the button that starts to present what is on screen; key P does the same.

    Args:
        uploads: Whether files of the visitor are on screen, which `remember_upload` keeps.
    """
    asked = st.query_params.get("present")
    if asked is not None:
        st.warning(f"“present” is 1 or left out, not {quoted(asked)}.", icon=":material/link_off:")
    _draw("switch", _SWITCH, start_uploads if uploads else start)


def checklist(stops: tuple[Stop, ...], checks: list[tuple[str, bool]]) -> None:
    """Draw the line to read before presenting, and the link that keeps the route.

    Args:
        stops: Of the route.
        checks: What the server knows: words, and whether they are good news.
    """
    text = format_route(stops, samples.library().samples)
    _draw("panel", "present.panel", lambda: None, checks=checks, route=text)


def remember_upload(stack: Stack, model: str | None, view: View) -> None:
    """Keep in this session what of the visitor's files is on screen, so that it can be presented."""
    st.session_state[UPLOAD] = stack, model, view


def current_route() -> tuple[tuple[Stop, ...], list[str]]:
    """Return the stops of the route, and one sentence for each thing of it that makes no sense.

    A route in the address becomes that of the session; without one it is the standard one, as far as
    its patients are here.
    """
    patients, models = samples.library().samples, analysis.segmenters()
    stops, problems = parse_route(_asked() or "", patients, models)
    if stops:
        return stops, problems
    if _asked():
        problems.append("Nothing of this route is here; the standard one is shown.")
    return parse_route(standard_route(), patients, models)[0], problems


def save_route(stops: tuple[Stop, ...] | None) -> None:
    """Make ``stops`` the route of this session and its address; None is the standard route."""
    text = format_route(stops, samples.library().samples) if stops else None
    st.session_state[ROUTE] = text
    st.query_params.from_dict(_without("route") | ({"route": text} if text else {}))


def route_query() -> dict[str, str]:
    """Return what the address carries of the route: nothing while it is the standard one."""
    text = _asked()
    return {"route": text} if text else {}


def start(step: Step | None = None) -> None:
    """Present a step of the route, or else the view on screen, as the route or its link has it."""
    st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1
    view = _without("present", "route", "stop", "answer")
    if step:
        answer = {} if step.hidden else {"answer": "1"}
        view = {"stop": str(step.stop)} | answer
    st.query_params.from_dict({"present": "1"} | view | route_query())


def start_uploads() -> None:
    """Present the visitor's own slices on screen, which no address names."""
    st.query_params.from_dict({"source": "files"})
    start()


def start_route() -> None:
    """Present the route from its first step."""
    start(steps_of(current_route()[0])[0])


def draw_presentation() -> None:
    """Draw the view of the address, or of the stop that it names, alone and large."""
    st.html(Path(__file__).parent / "present_page.css")
    stops, problems = current_route()
    step, sentences = _step(stops)
    problems += sentences
    stop = stops[step.stop - 1] if step else Stop(_without("present", "route", "stop", "answer"))
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


def _draw_view(stop: Stop, problems: list[str], hidden: bool) -> None:
    if "patient" not in stop.query and UPLOAD in st.session_state and _wants_files():
        stack, model, view = st.session_state[UPLOAD]
        _draw_stack(stack, view, model, "", problems, hidden=False)
        return
    if _wants_files():
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
    if hidden:
        view = replace(view, wipe="", **dict.fromkeys(LAYERS, False))
    _draw_stack(stack, view, link.model, stop.caption, problems, hidden)


def _draw_stack(
    stack: Stack,
    start_with: View,
    model: str | None,
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
    )


def _draw_answer(analyzed: Analyzed, view: View) -> None:
    found = analyzed.analyses[view.slice]
    shown = found and analysis.at_threshold(found, view.threshold)
    draw_slice_answer(shown)
    if found is None:
        key = analyzed.stack.keys[view.slice]
        st.markdown(analyzed.stopped.get(key, analyzed.message))
        return
    threshold = f"Threshold {view.threshold:.2f}"
    if view.threshold != analyzed.threshold:
        threshold += ", set manually"
    st.caption(threshold)
    for warning in shown.warnings if shown else ():
        st.warning(warning, icon=":material/warning:")


def _wants_files() -> bool:
    return st.query_params.get("source") == "files"


def _asked() -> str | None:
    # The address says it once; from then on the session keeps it, whatever is written to the address.
    if text := st.query_params.get("route"):
        st.session_state[ROUTE] = text
    return st.session_state.get(ROUTE)


def _step(stops: Sequence[Stop]) -> tuple[Step | None, list[str]]:
    # Without a stop the address is that of a view to begin with, if it names one.
    text = st.query_params.get("stop")
    steps = steps_of(stops)
    if text is None:
        named = "patient" in st.query_params or _wants_files()
        return (None if named or not stops else steps[0]), []
    if text.isdecimal() and 1 <= int(text) <= len(stops):
        answered = st.query_params.get("answer") == "1"
        here = [step for step in steps if step.stop == int(text)]
        return here[-1 if answered else 0], []
    first = steps[0] if steps else None
    return first, [f"The route has no stop {quoted(text)}; it begins with its first one."]


def _draw(kind: str, key: str, answer, **data) -> None:
    _component(key=key, data={"kind": kind} | data, on_go_change=answer)


def _go() -> None:
    where = st.session_state[_BAR]["go"]
    stops, _ = current_route()
    steps = steps_of(stops)
    step, _ = _step(stops)
    if where == "leave":
        shown = (
            stops[step.stop - 1].query if step else _without("present", "route", "stop", "answer")
        )
        _leave({key: value for key, value in shown.items() if key not in ("ask", "slide")})
    elif where in range(1, len(steps) + 1):
        start(steps[where - 1])


def _leave(query: Mapping[str, str]) -> None:
    # A page reads an address only where it is not the one that it wrote last.
    for page in (slice_picker.ANALYZE, "patients"):
        st.session_state.pop(f"{page}.{slice_picker.WRITTEN}", None)
    st.query_params.from_dict(dict(query) | route_query())


def _without(*keys: str) -> dict[str, str]:
    return {key: value for key, value in st.query_params.to_dict().items() if key not in keys}
