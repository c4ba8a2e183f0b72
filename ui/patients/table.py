"""The cohort as a table to sort and filter; a click on a row opens its patient."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from btmodels.dataset.thumbnails import PatientPreview, get_thumbnail_queue
from ui.results import scores
from ui.session.analysis import SEGMENTER
from ui.session.samples import Sample
from ui.shared.badges import badge_of

LOOK_AGAIN_SECONDS = 2.0
"""Refresh interval while folders are being opened."""

MOST_HEIGHT, HEADER_HEIGHT, ROW_HEIGHT = 400, 38, 44
"""Heights in pixels: of the table, of its header, and of a row with a thumbnail."""

FILTER, TABLE = "patients.filter", "patients.table"
"""Session keys of two widgets."""

WRONG = "problems found"


def table(patients: Mapping[str, Sample], chosen: str) -> None:
    """Draw the cohort; columns that require opening the folders fill in row by row.

    Args:
        patients: Patients by folder name, in row order.
        chosen: Session key of the selected folder name, which a click on a row changes.
    """
    found = get_thumbnail_queue().request([sample.patient for sample in patients.values()])
    drawn = st.session_state.get(chosen)
    if len(found) < len(patients):
        st.fragment(_table, run_every=LOOK_AGAIN_SECONDS)(patients, chosen, drawn, True)
    else:
        _table(patients, chosen, drawn, False)


def _table(
    patients: Mapping[str, Sample], chosen: str, drawn: str | None, looks_again: bool
) -> None:
    found = get_thumbnail_queue().request([sample.patient for sample in patients.values()])
    if looks_again and len(found) == len(patients):
        st.rerun()  # the whole page must change, and needs no more refreshes
    if st.session_state.get(chosen) != drawn:
        st.rerun()  # a click on a row reruns only this fragment, but the page must show another patient
    shown = _filtered(patients, found)
    if shown and drawn not in shown:
        st.session_state[chosen] = next(iter(shown))  # the page shows only patients in the table
        st.rerun()
    table_rows = rows(shown, found, recorded_dice())
    names = list(shown)
    marked = [names.index(drawn)] if drawn in names else []
    # The selected row follows the page's selectbox.
    st.session_state[TABLE] = {"selection": {"rows": marked, "columns": [], "cells": []}}
    st.dataframe(
        table_rows,
        key=TABLE,
        hide_index=True,
        height=min(MOST_HEIGHT, ROW_HEIGHT * len(table_rows) + HEADER_HEIGHT),
        row_height=ROW_HEIGHT,
        placeholder="–",
        on_select=lambda: _pick(names, chosen),
        selection_mode="single-row",
        alt="The cohort: one row per patient, with what the networks have seen of them, slices and scores.",
        column_config=_columns(any(row["Problems"] for row in table_rows)),
    )
    _say(patients, found)


def rows(
    patients: Mapping[str, Sample], found: Mapping[str, PatientPreview], dice: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the table's rows.

    Args:
        patients: Patients by folder name.
        found: Previews of the folders opened so far.
        dice: Recorded scores by folder name, 0 to 1.
    """
    alarms = recorded_alarms()
    made = []
    for name, sample in patients.items():
        preview = found.get(name)
        problems = preview.problems if preview else sample.patient.problems
        made.append(
            {
                "Slice": _data_url(preview.thumbnail) if preview and preview.thumbnail else None,
                "Patient": name,
                "The networks": badge_of(sample.provenance).label,
                "Slices": len(sample.patient.files),
                "With tumor": preview.tumor_slices if preview else None,
                "Tumor pixels": preview.tumor_pixels if preview else None,
                "Dice": None if name in alarms else dice.get(name),
                "Without tumor": alarms.get(name),
                "Problems": " ".join(problems) or None,
            }
        )
    return made


def recorded_alarms() -> dict[str, str]:
    """Return the recorded false alarms of patients without a tumor in words, by folder name."""
    scored, _ = scores.read(SEGMENTER)
    return {
        name: f"no tumor; {false_alarms(patient.get('false_alarm_slices', 0))}"
        for subset in scored.values()
        for name, patient in subset.get("patients", {}).items()
        if patient.get("tumor_slices") == 0
    }


def false_alarms(slices: int) -> str:
    """Return the number of false alarms in words."""
    return "no false alarm" if not slices else f"{slices} false alarm{'s' * (slices > 1)}"


def recorded_dice() -> dict[str, float]:
    """Return the recorded Dice by folder name, for the current weights of the site's segmenter."""
    scored, _ = scores.read(SEGMENTER)
    return {
        name: patient["dice"]
        for subset in scored.values()
        for name, patient in subset.get("patients", {}).items()
        if isinstance(patient.get("dice"), int | float)
    }


def _filtered(
    patients: Mapping[str, Sample], found: Mapping[str, PatientPreview]
) -> dict[str, Sample]:
    def kinds(name: str, sample: Sample) -> set[str]:
        wrong = found[name].problems if name in found else sample.patient.problems
        return {badge_of(sample.provenance).label} | ({WRONG} if wrong else set())

    by_name = {name: kinds(name, sample) for name, sample in patients.items()}
    counts = Counter(kind for each in by_name.values() for kind in each)
    if len(counts) < 2:
        return dict(patients)
    wanted = st.pills(
        "Show only",
        sorted(counts, key=lambda kind: (kind == WRONG, -counts[kind])),
        selection_mode="multi",
        format_func=lambda kind: f"{kind} ({counts[kind]})",
        key=FILTER,
    )
    return {n: s for n, s in patients.items() if not wanted or by_name[n] & set(wanted)}


def _columns(wrong: bool) -> dict[str, Any]:
    column = st.column_config
    return {
        "Slice": column.ImageColumn(
            "", help="The slice with the largest true mask, outlined.", width=64
        ),
        "Patient": column.TextColumn(width=220),
        "The networks": column.TextColumn(
            help="Whether the networks have seen this patient: trained on, validation (thresholds "
            "were chosen on it), never seen, or synthetic."
        ),
        "Slices": column.NumberColumn(),
        "With tumor": column.NumberColumn(help="Slices whose true mask marks anything."),
        "Tumor pixels": column.NumberColumn(
            format="localized", help="Marked pixels of the true masks, all slices together."
        ),
        "Dice": column.ProgressColumn(
            help="Overlap of the site's segmenter with the truth over all slices of the patient, "
            "0 to 1, as recorded for these very weights. Evidence only where never seen.",
            min_value=0.0,
            max_value=1.0,
            format="%.3f",
        ),
        "Without tumor": column.TextColumn(
            help="Patients whose true masks are empty: slices in which something is marked are false "
            "alarms."
        ),
        "Problems": column.TextColumn(width="large") if wrong else None,
    }


def _pick(names: list[str], chosen: str) -> None:
    picked = st.session_state[TABLE]["selection"]["rows"]
    if picked and picked[0] < len(names):
        st.session_state[chosen] = names[picked[0]]


def _say(patients: Mapping[str, Sample], found: Mapping[str, PatientPreview]) -> None:
    if len(found) < len(patients):
        share = len(found) / len(patients)
        words = f"Reading the folders: {len(found)} of {len(patients)} patients"
        st.progress(share, f"{words}. You can choose one in the meantime.")


def _data_url(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"
