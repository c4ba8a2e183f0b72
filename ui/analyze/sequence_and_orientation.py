"""Sequences said by hand, and slices turned by hand: what a file does not say itself."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from btmodels.io.sequences import TITLES
from btmodels.slices import Turn
from ui.analyze.upload_batch import Batch
from ui.session.cache import upload_key

SEQUENCES, TURNS = upload_key("analyze.sequences"), upload_key("analyze.turns")
"""Session keys of what was said by hand: by id of a scan, by anchor of a study."""

_ALL = ""
_SAYS = {
    None: "As recognized",
    "flair": TITLES["flair"],
    "pre": TITLES["pre"],
    "post": TITLES["post"],
    "mask": "A mask: the truth",
    "other": "Leave it out",
}
_WHICH = upload_key("analyze.turn.which")


def draw(batch: Batch) -> None:
    """Draw both choices for the files of a batch, folded away."""
    with st.expander("Sequences and orientation", icon=":material/3d_rotation:"):
        if batch.scans:
            _sequences(batch)
        _turns(batch)


def _sequences(batch: Batch) -> None:
    chosen = st.session_state.setdefault(SEQUENCES, {})
    names = _told_apart({scan.id: scan.name for scan in batch.scans})
    left, right = st.columns(2)
    scan = left.selectbox(
        "Picture, volume or series",
        list(names),
        format_func=lambda key: names.get(key, key),
        key="analyze.sequence.scan",
    )
    recognized = next(each.sequence for each in batch.scans if each.id == scan)
    found = TITLES.get(recognized, "not recognized")
    says = right.selectbox(
        "What it is",
        list(_SAYS),
        index=list(_SAYS).index(chosen.get(scan)),
        format_func=lambda key: f"{_SAYS[key]}: {found}" if key is None else _SAYS[key],
        key=f"analyze.sequence.{scan}",
        help="FLAIR shows most tumors bright. T1 shows the anatomy; after a contrast agent it shows "
        "where the tumor's vessels leak. What is missing is replaced by FLAIR, as in the data set.",
    )
    if says != chosen.get(scan):
        chosen.pop(scan, None)
        if says:
            chosen[scan] = says
        st.rerun()


def _turns(batch: Batch) -> None:
    titles = _told_apart({study.anchor: study.title for study in batch.studies})
    if len(titles) > 1:
        st.selectbox(
            "Turn",
            [_ALL, *titles],
            format_func=lambda key: titles.get(key, key or "All slices"),
            key=_WHICH,
        )
    which = st.session_state.get(_WHICH, _ALL)
    anchors = [which] if which in titles else list(titles)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, quarters, mirror in (
            ("Turn left", "rotate_left", 3, False),
            ("Turn right", "rotate_right", 1, False),
            ("Mirror", "flip", 0, True),
        ):
            st.button(
                label,
                icon=f":material/{icon}:",
                on_click=_turn,
                args=(anchors, quarters, mirror),
                key=f"analyze.turn.{label}",
            )
        if st.session_state.get(TURNS):
            st.button("As uploaded", on_click=_reset, type="tertiary", icon=":material/undo:")
    st.caption(
        "The networks know slices with the face up and the patient's right on the left. Masks that you "
        "download are turned back, as your file lies."
    )


def _told_apart(names: dict[str, str]) -> dict[str, str]:
    # A choice goes by its words, so no two may be the same.
    taken: dict[str, int] = {}
    result = {}
    for key, name in names.items():
        taken[name] = number = taken.get(name, 0) + 1
        result[key] = name if number == 1 else f"{name} ({number})"
    return result


def _turn(anchors: list[str], quarters: int, mirror: bool) -> None:
    turns = st.session_state.setdefault(TURNS, {})
    for anchor in anchors:
        was = turns.get(anchor, Turn())
        # A turn after a mirror is the other way round before it.
        more = -quarters if was.mirrored else quarters
        now = replace(was, quarters=(was.quarters + more) % 4, mirrored=was.mirrored != mirror)
        turns[anchor] = now
        if now == Turn():
            del turns[anchor]


def _reset() -> None:
    st.session_state.pop(TURNS, None)
