"""The input check on the page: its findings for a slice, and one-click corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from btmodels.quality import check, corrections
from btmodels.quality.findings import Finding, QualityReport
from ui.session.cache import SessionCache, upload_key
from ui.session.stack import Stack

_reports: SessionCache[QualityReport] = SessionCache("quality.reports", 2000)
"""Reports by key of a slice; holds more than any stack has slices, so that no slice is checked again."""

CORRECTED = upload_key("quality.corrected")
"""Session key of the chosen corrections, by key of the uploaded slice."""

_MARK = "~"
"""Separates the key of a slice from its corrections."""

_ICONS = {"stop": ":material/block:", "fault": ":material/healing:", "note": ":material/info:"}


def corrected(stack: Stack) -> Stack:
    """Return a stack with this visitor's chosen corrections applied.

    A corrected slice has its own key, so that it never gets results of the original.
    """
    chosen = st.session_state.get(CORRECTED, {})
    if not any(key in chosen for key in stack.keys):
        return stack
    slices, keys = list(stack.slices), list(stack.keys)
    for i, key in enumerate(stack.keys):
        if names := chosen.get(key):
            slices[i] = corrections.correct(slices[i], names)
            keys[i] = f"{key}{_MARK}{'+'.join(names)}"
    return replace(stack, slices=tuple(slices), keys=tuple(keys))


def report(stack: Stack, index: int) -> QualityReport:
    """Return the input check's report on a slice; each slice is checked once."""
    key = stack.keys[index]
    found, each = _reports.get(key), stack.slices[index]
    return found or _reports.put(key, check.check_slice(each.pixels, spacing=each.spacing))


def rejected(stack: Stack) -> dict[str, str]:
    """Return the reasons why checked slices get no mask, by key.

    The networks know the site's own patients, so the input check comments on those, but rejects none.
    """
    if stack.shared:
        return {}
    reports = {key: _reports.get(key) for key in stack.keys}
    return {key: each.stop.text for key, each in reports.items() if each and each.stop}


def accepted(stack: Stack, indices: Sequence[int]) -> list[int]:
    """Check slices and return the indices of those that may get a mask."""
    if stack.shared:
        return list(indices)
    return [index for index in indices if report(stack, index).stop is None]


def draw(stack: Stack, index: int) -> None:
    """Draw the input check's findings for a slice, with a button for each correction."""
    key, _, done = stack.keys[index].partition(_MARK)
    seen = report(stack, index)
    # If the picture is not a slice of a head, nothing else matters and no correction helps.
    for finding in [seen.stop] if seen.stop else seen.findings:
        _finding(finding, key, done)
    if done and st.button(
        "Undo the correction", key=f"quality.undo.{key}", icon=":material/undo:", type="tertiary"
    ):
        _choose(key, ())


def _finding(finding: Finding, key: str, done: str) -> None:
    box = st.info if finding.severity == "note" else st.warning
    words = " ".join(filter(None, (finding.text, finding.cost)))
    box(words, icon=_ICONS[finding.severity])
    with st.popover("The figures behind this", type="tertiary"):
        st.markdown(finding.evidence)
    had = tuple(filter(None, done.split("+")))
    if finding.correction and finding.correction not in had:
        words, _ = corrections.CORRECTIONS[finding.correction]
        tip = "The analysis then runs on the corrected slice and says so. Your file stays as it is."
        if st.button(
            words, key=f"quality.{finding.correction}.{key}", icon=":material/healing:", help=tip
        ):
            _choose(key, (*had, finding.correction))


def _choose(key: str, names: tuple[str, ...]) -> None:
    chosen = dict(st.session_state.get(CORRECTED, {}))
    chosen.pop(key, None)
    st.session_state[CORRECTED] = chosen | ({key: names} if names else {})
    st.rerun()  # the whole page, since the stack has changed
