"""The editor of a route: stops, captions, and the conditions for starting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from btmodels.errors import CohortError
from btmodels.inference import engine
from ui.analyze import slice_picker
from ui.present import address, page
from ui.present.route import (
    MOST_CHARACTERS,
    MOST_STOPS,
    SHOWS,
    SLIDES,
    Stop,
    moved,
    shorten,
    stop_of,
)
from ui.session import analysis, samples
from ui.session.stack import Stack
from ui.session.view_state import LAYERS, USUAL_LAYERS, read_link
from ui.shared.content import sections
from ui.shared.text import plain

EDITION = "route.edition"
"""Session key: counter of changes to the stops, so that each caption field stays with its stop."""

HERE, ASK, TELL = (
    "Replace with the view above",
    "Ask first, then show the answer",
    "Show the answer at once",
)
EARLIER, LATER, OUT = "Move up", "Move down", "Remove"

_OTHER = "route.other"

_WARMTH = {
    "warm": "Networks warm",
    "warming": "Networks warming up",
    "off": "Networks switched off",
    "failed": "Networks failed",
}


def editor(linkable: bool) -> None:
    """Draw the editor; ``linkable`` tells whether the view on screen can be one of the stops."""
    text = sections("cards/present.md")
    for problem in address.problems():
        st.warning(problem, icon=":material/link_off:")
    folded = st.expander(
        "Route for presenting",
        icon=":material/slideshow:",
        key="route.open",
        on_change="rerun",  # drawn only when open, since it takes as long as the rest of the page
    )
    if not folded.open:
        return
    stops, _ = address.current_route()
    with folded:
        st.markdown(text.get("Route" if linkable else "No view", ""))
        for index, stop in enumerate(stops):
            _row(index, stop, len(stops), linkable)
        with st.container(horizontal=True):
            full = len(stops) >= MOST_STOPS
            words = f"A route has at most {MOST_STOPS} stops." if full else None
            st.button(
                "Add the view above",
                icon=":material/add:",
                disabled=full or not linkable,
                help=words,
                on_click=_add,
            )
            others = {} if full else {word: words for word, words in SLIDES.items()}
            if linkable and not full:
                others = {word: f"This patient: {words}" for word, words in SHOWS.items()} | others
            st.menu_button(
                "Add another stop",
                list(others),
                format_func=others.get,
                icon=":material/add_chart:",
                disabled=full,
                key=_OTHER,
                on_click=_add_other,
            )
            st.button(
                "Present the route", icon=":material/play_arrow:", on_click=address.start_route
            )
            st.button("Standard route", icon=":material/restart_alt:", on_click=_keep, args=(None,))
            if st.button("Get all stops ready", icon=":material/bolt:"):
                _get_ready(stops)
        page.checklist(stops, checks(stops))


def checks(stops: tuple[Stop, ...]) -> list[tuple[str, bool]]:
    """Return the conditions for presenting, in words, each with whether it holds."""
    status = engine.get_engine().status()
    unsound = [n for n in status.networks.values() if n.state in ("missing", "altered")]
    opened = _open(stops)
    ready = sum(analysis.ready(stack, model) for stack, model in opened)
    slices = sum(len(stack.slices) for stack, _ in opened)
    return [
        (_WARMTH[status.state], status.state == "warm"),
        ("Weights not verified" if unsound else "Weights verified", not unsound),
        (f"{ready} of {slices} slices ready", ready == slices),
    ]


def describe(stop: Stop) -> str:
    """Describe a stop in a few words."""
    if stop.slide:
        return SLIDES[stop.slide]
    found = [stop.patient]
    if "slice" in stop.query:
        found.append(f"slice {stop.query['slice']}")
    found += [stop.query[key] for key in ("channel", "model") if key in stop.query]
    if "verdict" in stop.query:
        found.append(f"verdict by the {stop.query['verdict']}")
    if stop.shows:
        return ", ".join([*found, SHOWS[stop.shows]])
    layers = stop.query.get("layers", ",".join(USUAL_LAYERS)).split(",")
    found.append(" + ".join(layer for layer in layers if layer in LAYERS) or "no layers")
    if "wipe" in stop.query:
        found.append(f"compared with {stop.query['wipe']}")
    found += [f"{key} {stop.query[key]}" for key in ("zoom",) if key in stop.query]
    return ", ".join([*found, "asks first"] if stop.asks else found)


def other_stop(word: str, query: Mapping[str, str]) -> Stop:
    """Return a stop that shows no slice.

    Args:
        word: A key of `SLIDES` or `SHOWS`.
        query: Query of a view of the patient, for `SHOWS`.
    """
    if word in SLIDES:
        return Stop({"slide": word}, SLIDES[word])
    kept = ("patient", "slice", "model", "threshold")
    return Stop({key: query[key] for key in kept if key in query} | {"show": word})


def _row(index: int, stop: Stop, stops: int, linkable: bool) -> None:
    edition = st.session_state.get(EDITION, 0)
    words, caption, menu = st.columns([2, 2.4, 0.9], vertical_alignment="center")
    words.markdown(f"**{index + 1}** · {plain(describe(stop))}")
    key = f"route.caption.{edition}.{index}"
    caption.text_input(
        f"Caption of stop {index + 1}",
        stop.caption,
        max_chars=MOST_CHARACTERS,
        key=key,
        placeholder="No caption",
        label_visibility="collapsed",
        on_change=_caption,
        args=(index, key),
    )
    asking = [] if stop.slide or stop.shows else [TELL if stop.asks else ASK]
    options = [HERE] * linkable + asking + [EARLIER] * (index > 0) + [LATER] * (index < stops - 1)
    key = f"route.menu.{edition}.{index}"
    menu.menu_button(
        f"Stop {index + 1}",
        options + [OUT] * (stops > 1),
        key=key,
        on_click=_change,
        args=(index, key),
        width="stretch",
    )


def _change(index: int, key: str) -> None:
    stops, _ = address.current_route()
    asked = st.session_state[key]
    if asked == HERE:
        changed = (*stops[:index], _current(stops[index].caption), *stops[index + 1 :])
    elif asked in (ASK, TELL):
        query = {key: value for key, value in stops[index].query.items() if key != "ask"}
        query |= {"ask": "1"} if asked == ASK else {}
        changed = (*stops[:index], replace(stops[index], query=query), *stops[index + 1 :])
    elif asked == OUT:
        changed = (*stops[:index], *stops[index + 1 :])
    else:
        changed = moved(stops, index, 1 if asked == LATER else -1)
    _keep(changed)


def _caption(index: int, key: str) -> None:
    stops, _ = address.current_route()
    changed = replace(stops[index], caption=shorten(st.session_state[key]))
    address.save_route((*stops[:index], changed, *stops[index + 1 :]))


def _add() -> None:
    stops, _ = address.current_route()
    _keep((*stops, _current()))


def _add_other() -> None:
    stops, _ = address.current_route()
    word = st.session_state[_OTHER]
    _keep((*stops, other_stop(word, {} if word in SLIDES else _current().query)))


def _keep(stops: tuple[Stop, ...] | None) -> None:
    st.session_state[EDITION] = st.session_state.get(EDITION, 0) + 1
    address.save_route(stops)


def _current(caption: str = "") -> Stop:
    query = st.session_state[f"{slice_picker.ANALYZE}.{slice_picker.WRITTEN}"]
    model = query.get("model")
    usual = {
        "channel": "flair",
        "layers": ",".join(USUAL_LAYERS),
        "model": next(iter(analysis.segmenters()), ""),
        "threshold": str(analysis.stored_threshold(model)),
    }
    return stop_of(query, usual, caption)


def _open(stops: tuple[Stop, ...]) -> list[tuple[Stack, str | None]]:
    """Return each stack of the route, once per segmenter."""
    library, opened = samples.library(), {}
    for stop in stops:
        if stop.slide:
            continue
        link, _ = read_link(stop.query, library.samples, analysis.segmenters())
        try:
            stack = samples.stack_of(library.samples[stop.patient], stop.patient)
        except CohortError:
            continue
        opened[stop.patient, link.model] = stack, link.model
    return list(opened.values())


def _get_ready(stops: tuple[Stop, ...]) -> None:
    opened = _open(stops)
    bar = st.progress(0.0, "Analyzing every slice of the route…")
    for done, (stack, model) in enumerate(opened, start=1):
        # Each round analyzes at least one slice, so there are at most as many rounds as slices.
        for _ in stack.slices:
            if not analysis.cached(stack, model).pending:
                break
            analysis.run_next(stack, 0, model)
        bar.progress(done / len(opened))
    bar.empty()
