"""The state of a presentation in the address: on or off, route, and step."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.present.route import Step, Stop, format_route, parse_route, steps_of
from ui.present.standard_route import standard_route
from ui.session import analysis, samples
from ui.shared.text import quoted

ROUTE, VISIT = "present.route", "present.visit"
"""Session keys: the route as text if it is not the standard one, and the number of steps shown."""


def presenting() -> bool:
    """Return whether the address requests a presentation."""
    return st.query_params.get("present") == "1"


def current_route() -> tuple[tuple[Stop, ...], list[str]]:
    """Return the stops of the route, and one sentence for each invalid part.

    A route in the address becomes the session's route; the default is the standard route, without
    patients that are missing here.
    """
    patients, models = samples.library().samples, analysis.segmenters()
    stops, problems = parse_route(_asked() or "", patients, models)
    if stops:
        return stops, problems
    if _asked():
        problems.append(
            "This site has none of the stops of this route; the standard route is shown."
        )
    return parse_route(standard_route(), patients, models)[0], problems


def problems() -> list[str]:
    """Return the problems of a requested route, one sentence each; the standard route has none."""
    return current_route()[1] if _asked() else []


def save_route(stops: tuple[Stop, ...] | None) -> None:
    """Make ``stops`` the route of this session and the address; None is the standard route."""
    text = format_route(stops, samples.library().samples) if stops else None
    st.session_state[ROUTE] = text
    st.query_params.from_dict(query_without("route") | ({"route": text} if text else {}))


def route_query() -> dict[str, str]:
    """Return the route's part of the address: empty for the standard route."""
    text = _asked()
    return {"route": text} if text else {}


def start(step: Step | None = None) -> None:
    """Present a step of the route, or the view on screen if ``step`` is None."""
    st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1
    view = query_without("present", "route", "stop", "answer")
    if step:
        answer = {} if step.hidden else {"answer": "1"}
        view = {"stop": str(step.stop)} | answer
    st.query_params.from_dict({"present": "1"} | view | route_query())


def start_uploads() -> None:
    """Present the visitor's own slices on screen, which the address never names."""
    st.query_params.from_dict({"source": "files"})
    start()


def start_route() -> None:
    """Present the route from its first step."""
    start(steps_of(current_route()[0])[0])


def step_of_address(stops: Sequence[Stop]) -> tuple[Step | None, list[str]]:
    """Return the step named in the address, or None if it names a view; and sentences on invalid parts."""
    # Without a stop, the address may name a view.
    text = st.query_params.get("stop")
    steps = steps_of(stops)
    if text is None:
        named = "patient" in st.query_params or wants_files()
        return (None if named or not stops else steps[0]), []
    if text.isdecimal() and 1 <= int(text) <= len(stops):
        answered = st.query_params.get("answer") == "1"
        here = [step for step in steps if step.stop == int(text)]
        return here[-1 if answered else 0], []
    first = steps[0] if steps else None
    return first, [f"The route has no stop {quoted(text)}; it starts at the first one."]


def wants_files() -> bool:
    """Return whether the address requests the visitor's own files."""
    return st.query_params.get("source") == "files"


def _asked() -> str | None:
    # The address gives the route once; then the session keeps it, whatever is written to the address.
    if text := st.query_params.get("route"):
        st.session_state[ROUTE] = text
    return st.session_state.get(ROUTE)


def query_without(*keys: str) -> dict[str, str]:
    """Return the query of the address without ``keys``."""
    return {key: value for key, value in st.query_params.to_dict().items() if key not in keys}
