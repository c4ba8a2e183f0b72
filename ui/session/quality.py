"""The input check on the page: what it sees in a slice, and what one click does about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from btmodels.quality import check, corrections
from btmodels.quality.findings import Finding, QualityReport
from ui.session.stack import Stack

DIAGNOSES, MENDED = "quality.diagnoses", "quality.mended"
"""Session keys: what was seen, by key of a slice, and the mends that were chosen, by key as uploaded."""

_MARK = "~"
"""Parts the key of a slice from the mends it has had."""

KEPT = 2000
"""Diagnoses a session keeps: more than any stack has slices, or one would be looked at for ever."""

_ICONS = {"stop": ":material/block:", "fault": ":material/healing:", "note": ":material/info:"}


def corrected(stack: Stack) -> Stack:
    """Return a stack with the mends that this visitor has chosen for its slices.

    A mended slice has another key, so that nothing known of the one as it came is taken for its own.
    """
    chosen = st.session_state.get(MENDED, {})
    if not any(key in chosen for key in stack.keys):
        return stack
    slices, keys = list(stack.slices), list(stack.keys)
    for i, key in enumerate(stack.keys):
        if names := chosen.get(key):
            slices[i] = corrections.correct(slices[i], names)
            keys[i] = f"{key}{_MARK}{'+'.join(names)}"
    return replace(stack, slices=tuple(slices), keys=tuple(keys))


def report(stack: Stack, index: int) -> QualityReport:
    """Return what the input check sees in a slice; each is looked at once."""
    known: dict[str, QualityReport] = st.session_state.setdefault(DIAGNOSES, {})
    key = stack.keys[index]
    if key not in known:
        while len(known) >= KEPT:
            del known[next(iter(known))]
        known[key] = check.check_slice(stack.slices[index].pixels)
    return known[key]


def rejected(stack: Stack) -> dict[str, str]:
    """Return why some of the slices that were looked at get no mask, by their keys.

    The site's own patients are known to be what the networks learned from: of them the input check tells
    what it sees, but it stops nothing.
    """
    if stack.shared:
        return {}
    known: dict[str, QualityReport] = st.session_state.get(DIAGNOSES, {})
    seen = {key: known[key].stop for key in stack.keys if key in known}
    return {key: stop.text for key, stop in seen.items() if stop}


def accepted(stack: Stack, indices: Sequence[int]) -> list[int]:
    """Look at slices and return those of them that may get a mask."""
    if stack.shared:
        return list(indices)
    return [index for index in indices if report(stack, index).stop is None]


def forget() -> None:
    """Drop all that was seen and chosen."""
    for key in (DIAGNOSES, MENDED):
        st.session_state.pop(key, None)


def draw(stack: Stack, index: int) -> None:
    """Draw what the input check sees in a slice, with a button for each mend; nothing where all is well."""
    key, _, done = stack.keys[index].partition(_MARK)
    seen = report(stack, index)
    # Of what is no slice of a head nothing else matters, and no other mend helps.
    for finding in [seen.stop] if seen.stop else seen.findings:
        _finding(finding, key, done)
    if done and st.button(
        "Undo the mend", key=f"quality.undo.{key}", icon=":material/undo:", type="tertiary"
    ):
        _choose(key, ())


def _finding(finding: Finding, key: str, done: str) -> None:
    box = st.info if finding.severity == "note" else st.warning
    words = " ".join(filter(None, (finding.text, finding.cost)))
    box(f"{words}\n\n:small[{finding.evidence}]", icon=_ICONS[finding.severity])
    had = tuple(filter(None, done.split("+")))
    if finding.correction and finding.correction not in had:
        words, _ = corrections.CORRECTIONS[finding.correction]
        tip = "The analysis then runs on the mended slice, and says so. Your file stays as it is."
        if st.button(
            words, key=f"quality.{finding.correction}.{key}", icon=":material/healing:", help=tip
        ):
            _choose(key, (*had, finding.correction))


def _choose(key: str, names: tuple[str, ...]) -> None:
    chosen = dict(st.session_state.get(MENDED, {}))
    chosen.pop(key, None)
    st.session_state[MENDED] = chosen | ({key: names} if names else {})
    st.rerun()  # all of the page: the stack itself is another one now
