"""Worst cases first, each with a link to its slice if this site has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from ui.results import experiments
from ui.results.scores import Network
from ui.scoreboard.comparison import help_of
from ui.session import samples
from ui.shared import tables
from ui.shared.content import sections

WORDS = "cards/worst_patients.md"
"""Text on each of the worst patients, worst first."""

Text = dict[str, str]

_PRECISION = "The share of marked pixels that are tumor."
_RECALL = "The share of the tumor's pixels that are marked."

_FIRST_COLUMNS = (
    tables.text("Patient", "patient", pinned=True, width=190),
    tables.link(
        "View", "link", display_text="open", width="small", help="Opens this slice in Analyze."
    ),
)


def draw_worst_masks(network: Network, subset: str, text: Text) -> None:
    """Draw the patients by ascending Dice."""
    st.markdown(text.get("Worst cases", ""))
    columns = (
        tables.number("Dice", "dice", "%.3f", help=help_of(text, "Dice")),
        tables.text("Slice", "slice", help="The slice with the most wrong pixels."),
        tables.number("Precision", "precision", "%.3f", help=_PRECISION),
        tables.number("Recall", "recall", "%.3f", help=_RECALL),
        tables.number("Hausdorff 95", "hausdorff95", "%.1f px", help=help_of(text, "Hausdorff 95")),
        tables.number(
            "Tumor pixels",
            "tumor_pixels",
            "localized",
            help="Over all slices, as the expert drew them.",
        ),
        tables.number(
            "False alarms",
            "false_alarm_slices",
            help="Slices without tumor on which anything is marked.",
        ),
        tables.number("Empty slices", "empty_slices", help="Slices without tumor."),
        tables.number("Slices", "slices"),
    )
    # Patients without a Dice (nothing to mark, nothing marked) have no errors, so they come last.
    _draw_patients(network, subset, text, "dice", _most_wrong, columns)


def draw_worst_verdicts(network: Network, subset: str, text: Text) -> None:
    """Draw the patients by ascending accuracy of the verdicts."""
    st.markdown(text.get("Worst cases, classifier", ""))
    farthest = "The slice whose probability is farthest from the truth."
    columns = (
        tables.number("Accuracy", "accuracy", "%.3f", help=help_of(text, "Accuracy")),
        tables.text("Slice", "slice", help=farthest),
        tables.number(
            "Missed", "missed_slices", help="Slices with tumor that were called tumor-free."
        ),
        tables.number(
            "False alarms",
            "false_alarm_slices",
            help="Slices without tumor that were called tumor.",
        ),
        tables.number("AUC", "auc", "%.3f", help=help_of(text, "AUC")),
        tables.number("Tumor slices", "tumor_slices"),
        tables.number("Slices", "slices"),
    )
    _draw_patients(network, subset, text, "accuracy", _farthest_off, columns)


def draw_worst_in_folds(text: Text) -> None:
    """Draw the errors in the patients with the lowest Dice in cross-validation, in words."""
    document = experiments.load("crossval")
    told = {name: words for name, words in sections(WORDS).items() if name}
    found = (document or {}).get("patients", {})
    if not found.keys() >= told.keys():
        return
    model = document["network"]["name"]
    rows = [
        {**found[name], "patient": name, "link": link(name, None, model), "words": words}
        for name, words in told.items()
    ]
    columns = (
        *_FIRST_COLUMNS,
        tables.number("Dice", "dice", "%.2f"),
        tables.number("Precision", "precision", "%.2f"),
        tables.number("Recall", "recall", "%.2f"),
        tables.text("What went wrong", "words", width="large"),
    )
    under = sum(row["recall"] < row["precision"] for row in rows)
    with st.expander(f"What went wrong in the {len(rows)} worst patients in cross-validation"):
        st.markdown(
            f"{text.get('Worst in the folds', '')} In {under} of the {len(rows)} the network marks too "
            f"little, in {len(rows) - under} too much."
        )
        alt = "The worst patients of the cross-validation, with what went wrong in words."
        tables.draw(rows, columns, "worst-crossval", alt)


def link(folder: str, number: str | None, model: str | None) -> str | None:
    """Return the relative address of a slice in Analyze; None if the patient is not available."""
    if folder not in samples.library().samples:
        return None
    query = {"patient": folder, "slice": number, "model": model}
    return f"analyze?{urlencode({key: value for key, value in query.items() if value})}"


def _draw_patients(
    network: Network,
    subset: str,
    text: Text,
    score: str,
    worst_slice: Callable[[Mapping[str, list]], str | None],
    columns: Sequence[tables.TableColumn],
) -> None:
    """Draw the patients by ascending ``score``, each with a link to its worst slice."""
    name, scored = network.spec.name, network.scored[subset]
    model = name if network.spec.task == "segment" else None
    rows = []
    for folder, each in scored["patients"].items():
        number = worst_slice(scored.get("per_slice", {}).get(folder, {}))
        rows.append(
            {**each, "patient": folder, "slice": number, "link": link(folder, number, model)}
        )
    rows.sort(key=lambda row: 2.0 if row.get(score) is None else row[score])
    alt = "Patients, worst first, with links to their slices."
    tables.draw(rows, (*_FIRST_COLUMNS, *columns), f"worst-{name}-{subset}", alt)
    if not any(row["link"] for row in rows):
        st.caption(text.get("Worst cases without data", ""))


def _most_wrong(slices: Mapping[str, list[int]]) -> str | None:
    wrong = {number: fp + fn for number, (_, fp, fn, _) in slices.items()}
    return max(wrong, key=wrong.get) if any(wrong.values()) else None


def _farthest_off(slices: Mapping[str, list[float]]) -> str | None:
    wrong = {number: abs(tumor - probability) for number, (probability, tumor) in slices.items()}
    return max(wrong, key=wrong.get) if wrong else None
