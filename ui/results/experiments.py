"""Results of experiments from assets/metrics, for the lessons and the Scoreboard."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import streamlit as st

from btmodels.registry import get
from ui.results.metrics_file import read_metrics as read
from ui.shared.text import plain

NAMES = {
    "crossval": "Cross-validation",
    "leak": "The leak",
    "robustness": "Input faults",
    "transfer": "Transfer learning",
    "screen": "Ways to train",
    "pairs": "Full trainings",
    "losses": "Losses",
    "skips": "Skip connections",
    "associate": "Shape and genes",
}
"""Titles of experiments by command name, in page order."""


def load(name: str, assets: Path | None = None) -> dict[str, Any] | None:
    """Return the file of an experiment, like `read`, but None for a quick trial, whose figures are
    meaningless. ``crossval`` is that of the site's own segmenter."""
    found = read(f"crossval_{get('default').name}" if name == "crossval" else name, assets)
    return None if found is None or found.get("quick") else found


def say_missing(name: str) -> None:
    """Say that an experiment has not been run here, and how to run it."""
    st.info(
        f"This part shows an experiment whose file, `assets/metrics/{name}.json`, is not in this copy "
        f"of the project. `python -m train {name.partition('_')[0]} --data DIR` makes it.",
        icon=":material/science:",
    )


def say_budget(found: dict[str, Any]) -> None:
    """Describe the training data of an experiment, and the missing parts of its file."""
    budget, data = found["budget"], found["data"]
    kind = "synthetic patients" if data["synthetic"] else "patients of the LGG data set"
    words = (
        f"Measured in advance by “{plain(found['command'].split(' --')[0])}”: {data['patients']} {kind}, "
        f"{budget['size']} × {budget['size']} pixels, {budget['slices']:,} slices of training each. "
        "The networks were made for this comparison alone."
    )
    if found.get("quick"):
        words += " This file comes from a quick trial: its figures mean nothing."
    if not found.get("complete", True):
        words += f" It is not complete yet: {len(found['lacks'])} of its training runs are still missing."
    st.caption(words)


def picture(encoded: str) -> np.ndarray:
    """Return a gray picture of an experiment's file: uint8, (rows, cols).

    Args:
        encoded: Base64 of a PNG file.

    Raises:
        ValueError: It is not one.
    """
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ValueError("A picture of an experiment's file cannot be read.")
    return pixels


def trained_slices(budget: dict[str, Any]) -> int:
    """Return the actual number of training slices of an arm: whole batches, in equal parts."""
    each = budget["slices"] // budget["parts"] // budget["batch_size"] * budget["batch_size"]
    return each * budget["parts"]


def how(document: dict[str, Any]) -> str:
    """Describe in one paragraph the budget of every arm, the data, and the command."""
    sentences = []
    if budget := document.get("budget"):
        size = budget["size"]
        sentences.append(
            f"Every arm had the same budget: {trained_slices(budget):,} slices of {size} x {size} pixels, "
            f"batches of {budget['batch_size']}, seed {budget['seed']}."
        )
    if data := document.get("data"):
        kind = "synthetic patients" if data["synthetic"] else "patients"
        sentences.append(f"Data: {data['patients']} {kind}, {data['slices']:,} slices.")
    if document.get("machine"):
        sentences.append(f"Measured on {document['machine']}.")
    sentences.append(f"Made by `{document['command']}`.")
    if members := document.get("members"):
        sentences.append(f"Members by `{'`, `'.join(each['command'] for each in members)}`.")
    if split := document.get("split_sha256"):
        sentences.append(f"Split by patient: SHA-256 `{split[:12]}…`.")
    return " ".join(sentences)


def lacking(document: dict[str, Any]) -> str:
    """Name the missing parts of an incomplete experiment; empty if it is complete."""
    lacks = document.get("lacks") or []
    if document.get("complete", True) or not lacks:
        return ""
    shown = ", ".join(lacks[:6]) + (f" and {len(lacks) - 6} more" if len(lacks) > 6 else "")
    return f"This experiment is not complete. Not run yet: {shown}."
