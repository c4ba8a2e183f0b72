"""The history of slices that this visitor has viewed, with a link back to each."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from btmodels import registry
from btmodels.measurement.study import percent
from btmodels.slices import Analysis, VerdictSource
from ui.analyze import slice_picker, uploader
from ui.session.cache import SessionCache
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View
from ui.viewer.gallery import turn

_TABLE, _GO, _OPEN = "history.table", "history.go", "history.open"
_HEIGHT = 240


@dataclass(frozen=True)
class Row:
    """A slice as last viewed: its location, and the networks' results."""

    stack: str
    key: str
    name: str
    number: int | None
    shared: bool
    model: str
    source: VerdictSource
    threshold: float
    verdict_by: str
    probability: float
    marked: int
    dice: float | None


_seen: SessionCache[Row] = SessionCache("history.rows", 100, lambda row: not row.shared)


def note(analyzed: Analyzed, view: View, analysis: Analysis) -> None:
    """Remember in this session that a slice was seen."""
    stack = analyzed.stack
    each = stack.slices[view.slice]
    row = Row(
        stack.id,
        stack.keys[view.slice],
        each.label,
        each.number,
        stack.shared,
        analysis.model,
        analyzed.source,
        analysis.threshold,
        analysis.verdict.network,
        analysis.verdict.probability,
        analysis.marked_pixels,
        analysis.dice,
    )
    _seen.put((row.key, row.model, row.verdict_by), row)


def draw(stack: Stack) -> None:
    """Draw the collapsed list; a click on a row leads back to that slice.

    Args:
        stack: The stack on screen.
    """
    if st.session_state.pop(_GO, False):
        st.rerun()
    rows = list(reversed(_available()))
    if len(rows) < 2:
        return
    folded = st.expander(
        f"Seen in this session: {len(rows)}",
        icon=":material/history:",
        key=_OPEN,
        on_change="rerun",  # drawn only when open, since a table takes as long as the rest of the column
    )
    if not folded.open:
        return
    with folded:
        st.caption("Choose a row to go back to that slice.")
        st.dataframe(
            [
                {
                    "Slice": row.name,
                    "Marked": row.marked,
                    "Tumor": percent(row.probability),
                    "Verdict by": registry.get(row.verdict_by).title,
                    "Dice": row.dice,
                    "From": row.stack if row.shared else "your files",
                    "Segmenter": row.model,
                    "Threshold": row.threshold,
                }
                for row in rows
            ],
            hide_index=True,
            height=min(_HEIGHT, 36 * (len(rows) + 1)),
            placeholder="–",
            key=_TABLE,
            on_select=lambda: _back(rows, stack),
            selection_mode="single-row",
            alt="Slices seen in this session: choose a row to go back to one.",
            column_config={
                "Marked": st.column_config.NumberColumn(help="Marked pixels.", format="%d px"),
                "Tumor": st.column_config.TextColumn(
                    help="Calibrated probability that the slice shows a tumor."
                ),
                "Dice": st.column_config.NumberColumn(format="%.3f"),
            },
        )


def _available() -> list[Row]:
    """Return the rows that can be reopened. Uploads count only while the session holds them."""
    own = st.session_state.get(uploader.OWN)
    keys = set(own.keys) if own else set()
    return [row for row in _seen.values() if row.shared or _uploaded(row) in keys]


def _uploaded(row: Row) -> str:
    # A corrected slice has its own key, which begins with that of the uploaded slice.
    return row.key.rpartition("~")[0] or row.key


def _back(rows: list[Row], stack: Stack) -> None:
    chosen = st.session_state[_TABLE]["selection"]["rows"]
    if not chosen or chosen[0] >= len(rows):
        return
    row = rows[chosen[0]]
    own = st.session_state.get(uploader.OWN)
    if row.shared:
        st.query_params.from_dict(
            {
                "patient": row.stack,
                "slice": str(row.number),
                "model": row.model,
                "verdict": row.source,
                "threshold": str(row.threshold),
            }
        )
        st.session_state["analyze.source"] = "Samples"
    elif own and _uploaded(row) in own.keys:
        st.query_params.from_dict({"source": "files"})
        st.session_state[f"{slice_picker.ANALYZE}.{slice_picker.MODEL}"] = row.model
        st.session_state[f"{slice_picker.ANALYZE}.{slice_picker.VERDICT}"] = row.source
        turn(own.id, own.keys.index(_uploaded(row)))
    if row.stack == stack.id and row.key in stack.keys:
        turn(stack.id, stack.keys.index(row.key))
    st.session_state[_GO] = True
