"""Worst cases first, each with a link to its slice if this site has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ui.results import experiments
from ui.results.scores import Network
from ui.scoreboard.comparison import help_of
from ui.session import samples
from ui.shared.content import sections
from ui.shared.tables import table

WORDS = "cards/worst_patients.md"
"""Text on each of the worst patients, worst first."""

Text = dict[str, str]
Column = st.column_config


def draw_worst_masks(network: Network, subset: str, text: Text) -> None:
    """Draw the patients by ascending Dice."""
    st.markdown(text.get("Worst cases", ""))
    _table(network, subset, text, _by_dice, _dice_columns(text))


def draw_worst_verdicts(network: Network, subset: str, text: Text) -> None:
    """Draw the patients by ascending accuracy of the verdicts."""
    st.markdown(text.get("Worst cases, classifier", ""))
    _table(network, subset, text, _by_verdicts, _verdict_columns(text))


def draw_worst_in_folds(text: Text) -> None:
    """Draw the errors in the patients with the lowest Dice in cross-validation, in words."""
    document = experiments.load("crossval")
    told = {name: words for name, words in sections(WORDS).items() if name}
    found = (document or {}).get("patients", {})
    if not found.keys() >= told.keys():
        return
    rows = [
        {
            "Patient": name,
            "View": link(name, None, document["network"]["name"]),
            "What went wrong": words,
            **{title: found[name][title.lower()] for title in ("Dice", "Precision", "Recall")},
        }
        for name, words in told.items()
    ]
    number = Column.NumberColumn
    under = sum(row["Recall"] < row["Precision"] for row in rows)
    with st.expander(f"What went wrong in the {len(rows)} worst patients in cross-validation"):
        st.markdown(
            f"{text.get('Worst in the folds', '')} In {under} of the {len(rows)} the network marks too "
            f"little, in {len(rows) - under} too much."
        )
        table(
            rows,
            _first_columns()
            | {title: number(format="%.2f") for title in ("Dice", "Precision", "Recall")}
            | {"What went wrong": Column.TextColumn(width="large")},
            "worst-crossval",
            "The worst patients of the cross-validation, with what went wrong in words.",
        )


def link(folder: str, number: str | None, model: str | None) -> str | None:
    """Return the relative address of a slice in Analyze; None if the patient is not available."""
    if folder not in samples.library().samples:
        return None
    query = {"patient": folder, "slice": number, "model": model}
    return f"analyze?{urlencode({key: value for key, value in query.items() if value})}"


def _table(network: Network, subset: str, text: Text, rows_of: Any, columns: dict) -> None:
    name = network.spec.name
    model = name if network.spec.task == "segment" else None
    rows = rows_of(network.scored[subset], model)
    alt = "Patients, worst first, with links to their slices."
    table(rows, columns, f"worst-{name}-{subset}", alt)
    if not any(row["View"] for row in rows):
        st.caption(text.get("Worst cases without data", ""))


def _by_dice(scored: Mapping[str, Any], model: str | None) -> list[dict[str, Any]]:
    patients = scored["patients"]
    # Patients without a Dice (nothing to mark, nothing marked) have no errors, so they come last.
    order = sorted(patients, key=lambda folder: _or_above(patients[folder].get("dice")))
    rows = []
    for folder in order:
        each = patients[folder]
        number = _most_wrong(scored.get("per_slice", {}).get(folder, {}))
        rows.append(
            {
                "Patient": folder,
                "View": link(folder, number, model),
                "Dice": each.get("dice"),
                "Slice": number,
                "Precision": each.get("precision"),
                "Recall": each.get("recall"),
                "Hausdorff 95": each.get("hausdorff95"),
                "Tumor pixels": each.get("tumor_pixels"),
                "False alarms": each.get("false_alarm_slices"),
                "Empty slices": each.get("empty_slices"),
                "Slices": each.get("slices"),
            }
        )
    return rows


def _by_verdicts(scored: Mapping[str, Any], model: str | None) -> list[dict[str, Any]]:
    rows = []
    for folder, each in scored["patients"].items():
        number = _farthest_off(scored.get("per_slice", {}).get(folder, {}))
        rows.append(
            {
                "Patient": folder,
                "View": link(folder, number, model),
                "Accuracy": each.get("accuracy"),
                "Slice": number,
                "Missed": each.get("missed_slices"),
                "False alarms": each.get("false_alarm_slices"),
                "AUC": each.get("auc"),
                "Tumor slices": each.get("tumor_slices"),
                "Slices": each.get("slices"),
            }
        )
    return sorted(rows, key=lambda row: _or_above(row["Accuracy"]))


def _dice_columns(text: Text) -> dict[str, Any]:
    number = Column.NumberColumn
    return _first_columns() | {
        "Dice": number(format="%.3f", help=help_of(text, "Dice")),
        "Slice": Column.TextColumn(help="The slice with the most wrong pixels."),
        "Precision": number(format="%.3f", help="The share of marked pixels that are tumor."),
        "Recall": number(format="%.3f", help="The share of the tumor's pixels that are marked."),
        "Hausdorff 95": number(format="%.1f px", help=help_of(text, "Hausdorff 95")),
        "Tumor pixels": number(
            format="localized", help="Over all slices, as the expert drew them."
        ),
        "False alarms": number(help="Slices without tumor on which anything is marked."),
        "Empty slices": number(help="Slices without tumor."),
        "Slices": number(),
    }


def _verdict_columns(text: Text) -> dict[str, Any]:
    number = Column.NumberColumn
    return _first_columns() | {
        "Accuracy": number(format="%.3f", help=help_of(text, "Accuracy")),
        "Slice": Column.TextColumn(help="The slice whose probability is farthest from the truth."),
        "Missed": number(help="Slices with tumor that were called tumor-free."),
        "False alarms": number(help="Slices without tumor that were called tumor."),
        "AUC": number(format="%.3f", help=help_of(text, "AUC")),
        "Tumor slices": number(),
        "Slices": number(),
    }


def _first_columns() -> dict[str, Any]:
    return {
        "Patient": Column.TextColumn(pinned=True, width=190),
        "View": Column.LinkColumn(
            display_text="open", width="small", help="Opens this slice in Analyze."
        ),
    }


def _most_wrong(slices: Mapping[str, list[int]]) -> str | None:
    wrong = {number: fp + fn for number, (_, fp, fn, _) in slices.items()}
    return max(wrong, key=wrong.get) if any(wrong.values()) else None


def _farthest_off(slices: Mapping[str, list[float]]) -> str | None:
    wrong = {number: abs(tumor - probability) for number, (probability, tumor) in slices.items()}
    return max(wrong, key=wrong.get) if wrong else None


def _or_above(score: float | None) -> float:
    return 2.0 if score is None else score
