"""Presenting: a view alone on the screen, and a route of views to walk by key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from btmodels.errors import CohortError
from ui.analyze import results, slice_picker
from ui.present.route import Stop, format_route, parse_route
from ui.session import analysis, samples
from ui.session.stack import Analyzed
from ui.session.view_state import View, read_link
from ui.shared import badges
from ui.shared.component_files import module, read
from ui.shared.content import sections
from ui.shared.text import plain, quoted
from ui.viewer.workbench import workbench

_component = st.components.v2.component(
    "presenter",
    html=read("present/present.html"),
    css=read("present/present.css"),
    js=module("present/present.js"),
)

ROUTE, VISIT = "present.route", "present.visit"
"""Session keys: the route as text, where it is not the usual one, and how many stops were visited."""

_SWITCH, _BAR = "present.switch", "present.bar"


def presenting() -> bool:
    """Tell whether the address asks for a page that presents."""
    return st.query_params.get("present") == "1"


def present_button() -> None:
    """Draw the button that starts to present what is on screen; key P does the same."""
    asked = st.query_params.get("present")
    if asked is not None:
        st.warning(f"“present” is 1 or left out, not {quoted(asked)}.", icon=":material/link_off:")
    _draw("switch", _SWITCH, start)


def checklist(stops: tuple[Stop, ...], checks: list[tuple[str, bool]]) -> None:
    """Draw the line to read before presenting, and the link that keeps the route.

    Args:
        stops: Of the route.
        checks: What the server knows: words, and whether they are good news.
    """
    text = format_route(stops, samples.library().samples)
    _draw("panel", "present.panel", lambda: None, checks=checks, route=text)


def current_route() -> tuple[tuple[Stop, ...], list[str]]:
    """Return the stops of the route, and one sentence for each thing of it that makes no sense.

    A route in the address becomes that of the session; without one it is the usual one, as far as
    its patients are here.
    """
    patients, models = samples.library().samples, analysis.segmenters()
    stops, problems = parse_route(_asked() or "", patients, models)
    if stops:
        return stops, problems
    if _asked():
        problems.append("Nothing of this route is here; the usual one stands in.")
    return parse_route(_usual_route(), patients, models)[0], problems


def save_route(stops: tuple[Stop, ...] | None) -> None:
    """Make ``stops`` the route of this session and its address; None is the usual route."""
    text = format_route(stops, samples.library().samples) if stops else None
    st.session_state[ROUTE] = text
    st.query_params.from_dict(_without("route") | ({"route": text} if text else {}))


def route_query() -> dict[str, str]:
    """Return what the address carries of the route: nothing while it is the usual one."""
    text = _asked()
    return {"route": text} if text else {}


def start(stop: int | None = None) -> None:
    """Present a stop of the route, or else the view on screen, as the route or its link has it."""
    st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1
    view = _without("present", "route", "stop") if stop is None else {"stop": str(stop)}
    st.query_params.from_dict({"present": "1"} | view | route_query())


def draw_presentation() -> None:
    """Draw the view of the address, or of the stop that it names, alone and large."""
    st.html(Path(__file__).parent / "present_page.css")
    stops, problems = current_route()
    number, sentences = _number(len(stops))
    problems += sentences
    stop = stops[number - 1] if number else Stop(_without("present", "route", "stop"))
    _show(stop, problems)
    with st.bottom:
        _draw("bar", _BAR, _go, stop=number, stops=len(stops))


def _show(stop: Stop, problems: list[str]) -> None:
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
    stored = analysis.stored_threshold(link.model)

    def beside(analyzed: Analyzed, view: View) -> None:
        if stop.caption:
            st.subheader(plain(stop.caption), anchor=False)
        badges.draw(analyzed.stack.provenance[view.slice])
        results.steps(analyzed, view, brief=True)
        for problem in problems:
            st.warning(problem, icon=":material/link_off:")

    workbench(
        stack,
        link.view(index, 0.5 if stored is None else stored),
        beside,
        link.model,
        shares=(1.8, 1),
        key=f"present.{st.session_state.get(VISIT, 0)}",
        bare=True,
    )


def _asked() -> str | None:
    # The address says it once; from then on the session keeps it, whatever is written to the address.
    if text := st.query_params.get("route"):
        st.session_state[ROUTE] = text
    return st.session_state.get(ROUTE)


def _usual_route() -> str:
    stops = sections("cards/route.md").items()
    return "~".join(f"{stop}..{' '.join(words.split())}" for stop, words in stops if stop)


def _number(stops: int) -> tuple[int, list[str]]:
    # Without a stop the address is that of a view to begin with, if it names one.
    text = st.query_params.get("stop")
    if text is None:
        return (0 if "patient" in st.query_params or not stops else 1), []
    if text.isdecimal() and 1 <= int(text) <= stops:
        return int(text), []
    return min(1, stops), [f"The route has no stop {quoted(text)}; it begins with its first one."]


def _draw(kind: str, key: str, answer, **data) -> None:
    _component(key=key, data={"kind": kind, "stop": 0} | data, on_go_change=answer)


def _go() -> None:
    where = st.session_state[_BAR]["go"]
    stops, _ = current_route()
    number, _ = _number(len(stops))
    if where == "leave":
        _leave(stops[number - 1].query if number else _without("present", "route", "stop"))
    elif where in range(1, len(stops) + 1):
        start(where)


def _leave(query: Mapping[str, str]) -> None:
    # Analyze reads an address only where it is not the one that it wrote last.
    st.session_state.pop(f"{slice_picker.ANALYZE}.{slice_picker.WRITTEN}", None)
    st.query_params.from_dict(dict(query) | route_query())


def _without(*keys: str) -> dict[str, str]:
    return {key: value for key, value in st.query_params.to_dict().items() if key not in keys}
