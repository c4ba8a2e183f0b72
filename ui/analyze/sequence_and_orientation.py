"""Manual assignment of sequences and orientation, which files do not always state."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from btmodels.io.batch import ScanChoice
from btmodels.io.formats import stem_of_volume
from btmodels.io.sequences import SEQUENCES as SEQUENCE_CHANNELS
from btmodels.io.sequences import TITLES, recognize
from btmodels.slices import Turn
from ui.analyze.upload_batch import UploadBatch
from ui.session.cache import upload_key

SEQUENCES, TURNS = upload_key("analyze.sequences"), upload_key("analyze.turns")
"""Session keys of manual choices: by a scan's id, and by a study's anchor."""

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


def draw(batch: UploadBatch) -> None:
    """Draw both choices for the files of a batch in a collapsed section."""
    with st.expander("Sequences and orientation", icon=":material/3d_rotation:"):
        if batch.scans:
            _sequences(batch)
        _turns(batch)


def ask(batch: UploadBatch) -> bool:
    """Ask which of several volumes is FLAIR if neither file nor name says; nothing is guessed.

    Returns:
        Whether an answer is still missing.
    """
    chosen = st.session_state.setdefault(SEQUENCES, {})
    cases: dict[tuple[str, str], list[ScanChoice]] = {}
    for scan in batch.scans:
        if scan.channel_of:
            cases.setdefault((scan.case, scan.channel_of), []).append(scan)
    for (_, name), volumes in cases.items():
        if any(scan.id in chosen for scan in volumes):
            continue
        named = named_sequences(name, len(volumes))
        st.warning(
            f"Nothing in the files says which sequences the {len(volumes)} volumes of {name} are. "
            "Which one is FLAIR, the sequence in which fluid is dark and most tumors are bright?",
            icon=":material/help:",
        )
        with st.container(horizontal=True):
            for place, scan in enumerate(volumes):
                title = TITLES.get(named[place], "")
                st.button(
                    f"Volume {place + 1}" + (f": {title}, by the file's name" if title else ""),
                    key=f"analyze.volume.{scan.id}",
                    type="primary" if named[place] == "flair" else "secondary",
                    on_click=_answer,
                    args=([each.id for each in volumes], place, named),
                )
        return True
    return False


def named_sequences(name: str, volumes: int) -> list[str | None]:
    """Return the sequences listed in a file's name, one for each of its volumes; else None for each."""
    words = re.split(r"[^A-Za-z0-9+]+", stem_of_volume(name))
    found = [each for each in map(recognize, words) if each in SEQUENCE_CHANNELS]
    return list(found) if len(found) == volumes == len(set(found)) else [None] * volumes


def _answer(ids: list[str], flair: int, named: list[str | None]) -> None:
    agrees = named[flair] == "flair"
    for place, key in enumerate(ids):
        other = named[place] if agrees and named[place] else "other"
        role = "flair" if place == flair else other
        st.session_state[SEQUENCES][key] = st.session_state[f"analyze.sequence.{key}"] = role


def _sequences(batch: UploadBatch) -> None:
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


def _turns(batch: UploadBatch) -> None:
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
        "The networks expect slices with the face up and the patient's right on the left. Masks that "
        "you download are turned back to match your file."
    )


def _told_apart(names: dict[str, str]) -> dict[str, str]:
    # Options are identified by their labels, so no two may be the same.
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
        # A rotation after mirroring equals the opposite rotation before it.
        more = -quarters if was.mirrored else quarters
        now = replace(was, quarters=(was.quarters + more) % 4, mirrored=was.mirrored != mirror)
        turns[anchor] = now
        if now == Turn():
            del turns[anchor]


def _reset() -> None:
    st.session_state.pop(TURNS, None)
