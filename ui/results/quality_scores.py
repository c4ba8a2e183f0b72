"""Scores of the input check for About, measured by `python -m train quality`."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.results.metrics_file import read_metrics

MISSING = "How well the input check works was not measured in this copy of the project."

SUBSETS = {
    "test": "LGG, patients never seen",
    "validation": "LGG, patients used to set the limits",
    "synthetic": "synthetic patients, also used to fit it",
}


def draw_quality_scores() -> None:
    """Draw the rates of passed, caught and wrongly stopped pictures."""
    found = read_metrics("quality")
    if found is None:
        st.info(MISSING)
        return
    for title, rows, alt in (
        ("Slices as they are", clean_slices, "Slices that pass untouched, by patients."),
        (
            "Pictures that are not a slice of a head",
            other_pictures,
            "Pictures that get no mask, by kind.",
        ),
        (
            "Slices degraded on purpose",
            corrupted_slices,
            "Degraded slices that are caught, by kind.",
        ),
    ):
        st.markdown(f"**{title}**")
        st.dataframe(rows(found), hide_index=True, height="content", alt=alt)
    # No caption: code in its gray has too little contrast.
    st.markdown(
        f"Made by `{found['command']}`; checking a slice takes {found['milliseconds']:.0f} ms of "
        "one processor core."
    )


def clean_slices(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per subset of patients."""
    return [
        {
            "Kind": SUBSETS.get(row["subset"], row["subset"]),
            "Slices": row["slices"],
            "Pass untouched": _share(row["passed"], row["slices"]),
            "Wrongly stopped": row["stopped"],
        }
        for row in found["slices"]
    ]


def other_pictures(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per kind of picture, and one for all of them."""
    rows = [
        {"Kind": row["kind"], "Pictures": row["pictures"], "Stopped": row["caught"],
         "Would get a mask": row["masks"]}
        for row in found["negatives"]
    ]  # fmt: skip
    total = {
        key: sum(row[key] for row in rows) for key in ("Pictures", "Stopped", "Would get a mask")
    }
    return [*rows, {"Kind": "all"} | total]


def corrupted_slices(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per kind of corruption."""
    return [
        {
            "Kind": row["kind"],
            "What was done": row["what"],
            "Slices": row["pictures"],
            "Caught": _share(row["caught"], row["pictures"]),
        }
        for row in found["corrupted"]
    ]


def _share(part: int, of: int) -> str:
    return f"{100 * part / of:.1f}%" if of else "–"
