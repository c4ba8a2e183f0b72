"""Scores that training wrote, shown only where they speak of the weights that are here."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from btmodels import registry
from btmodels.errors import WeightsError

SUBSETS = {
    "test": "test",
    "reference": "reference",
    "validation": "validation",
    "train": "trained on",
    "samples": "synthetic",
}
"""Subsets in the order of their columns, those that prove something first."""

LABELS = {
    "mean_dice": "Mean Dice of a patient",
    "median_dice": "Median Dice of a patient",
    "tumor_slice_dice": "Mean Dice of a tumor slice",
    "false_alarm_rate": "False alarms on empty slices",
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity_at_95_specificity": "Sensitivity at 95 % specificity",
    "accuracy": "Accuracy",
    "calibration_error": "Calibration error",
}
"""Figures of a scored subset that get a row, by key."""


def read(name: str) -> tuple[dict[str, dict[str, Any]], str]:
    """Read the scores of a network.

    Args:
        name: Registry name or alias.

    Returns:
        Scores of these very weights by subset, and one sentence where there are none or some speak
        of other weights, else an empty string.
    """
    title = registry.get(name).title
    try:
        sha256 = registry.load_record(name).sha256
        content = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
    except WeightsError as error:
        return {}, str(error)
    except (OSError, ValueError):
        return {}, f"There are no scores of {title} in this copy of the project."
    scored = {key: content[key] for key in SUBSETS if isinstance(content.get(key), dict)}
    current = {key: each for key, each in scored.items() if each.get("weights_sha256") == sha256}
    if not current:
        return {}, f"The scores of {title} belong to other weights and are not shown."
    stale = [SUBSETS[key] for key in scored if key not in current]
    problem = f"Scores on {', '.join(stale)} belong to other weights and are not shown."
    return current, problem if stale else ""


def rows(scored: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """Return a table of scores: a row a figure, a column a subset, intervals in parentheses."""
    found = []
    for key, label in LABELS.items():
        if any(isinstance(each.get(key), int | float) for each in scored.values()):
            shown = {SUBSETS[subset]: _shown(each, key) for subset, each in scored.items()}
            found.append({"Figure": label} | shown)
    return found


def draw() -> None:
    """Draw a table for each network that has a record."""
    for name in (spec.name for spec in registry.SPECS.values()):
        if not registry.record_path(name).exists():
            continue
        st.subheader(registry.get(name).title)
        scored, problem = read(name)
        if scored:
            st.table(rows(scored))
            first = next(iter(scored.values()))
            st.caption(
                f"Of the weights with SHA-256 {first['weights_sha256'][:12]}…, by patient, never by "
                "slice; in parentheses 95 % of resamplings of the patients."
            )
        if problem:
            st.info(problem)


def _shown(scored: dict[str, Any], key: str) -> str:
    value, interval = scored.get(key), scored.get(f"{key}_interval")
    if not isinstance(value, int | float):
        return "–"
    if not isinstance(interval, list) or None in interval:
        return f"{value:.3f}"
    return f"{value:.3f} ({interval[0]:.2f} to {interval[1]:.2f})"
