"""Scores that training wrote, shown only where they speak of the weights that are loaded."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from btmodels import registry
from btmodels.errors import WeightsError

SUBSETS = {
    "test": "test, never seen",
    "validation": "validation",
    "reference": "reference, never seen",
    "train": "trained on",
    "samples": "bundled, synthetic",
}

LABELS = {
    "mean_dice": "Mean Dice of a patient",
    "median_dice": "Median",
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity_at_specificity": "Sensitivity at 95 % specificity",
    "calibration_error": "Calibration error",
}
"""Figures of a file of scores that have a column, by key."""


def read(name: str) -> tuple[dict[str, Any], str]:
    """Read the scores of a network.

    Args:
        name: Registry name.

    Returns:
        The file's content and an empty string, or nothing and one sentence on why there is none.
    """
    title = registry.get(name).title
    try:
        record = registry.load_record(name)
        content = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
        written_for = content["weights_sha256"]
    except WeightsError as error:
        return {}, str(error)
    except (OSError, ValueError, KeyError):
        return {}, f"There are no scores of {title} in this copy of the project."
    if written_for != record.sha256:
        return {}, f"The scores of {title} belong to other weights and are not shown."
    return content, ""


def subsets(content: Any) -> list[dict[str, Any]]:
    """Return the scored subsets in a file of scores, wherever in it they stand."""
    if isinstance(content, dict):
        if "subset" in content:
            return [content]
        content = list(content.values())
    if isinstance(content, list):
        return [found for part in content for found in subsets(part)]
    return []


def rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one table row for each scored subset."""
    return [
        {"Patients": SUBSETS.get(scored["subset"], scored["subset"])}
        | {
            label: _shown(scored[key], scored.get(f"{key}_interval"))
            for key, label in LABELS.items()
            if isinstance(scored.get(key), int | float)
        }
        for scored in subsets(content)
    ]


def draw() -> None:
    """Draw a table for each network that has a record."""
    for name in (spec.name for spec in registry.SPECS.values()):
        if not registry.record_path(name).exists():
            continue
        content, problem = read(name)
        st.subheader(registry.get(name).title)
        if problem:
            st.info(problem)
            continue
        st.dataframe(rows(content), hide_index=True)
        st.caption(
            f"For the weights with SHA-256 {content['weights_sha256'][:12]}…; "
            f"written by `{content.get('command', 'train')}`."
        )


def _shown(value: float, interval: Any) -> str:
    shown = f"{value:.3f}"
    if isinstance(interval, list | tuple) and len(interval) == 2 and None not in interval:
        shown += f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return shown
