"""The Scoreboard's tab *Provenance*: weights, split, commands, versions, training, and all terms."""

from __future__ import annotations

from typing import Any

import streamlit as st

from btmodels.paths import ASSETS
from ui.results.scores import Network
from ui.scoreboard import charts
from ui.scoreboard.comparison import chart
from ui.shared import tables
from ui.shared.text import DASH

Text = dict[str, str]

_SCORES = {"segment": "Mean Dice", "classify": "Mean of AUC and average precision"}
"""The validation score of training, by task."""


def draw_provenance(network: Network, scored: dict[str, Any] | None, text: Text) -> None:
    """Draw the provenance of a network's scores, its training, and the terms."""
    if network.record:
        st.header("Where the figures come from", anchor=False)
        st.markdown(text.get("Provenance", ""))
        st.markdown(protocol(network, scored))
        _card(network)
        _training(network, text)
    _words(text)


def protocol(network: Network, scored: dict[str, Any] | None) -> str:
    """Describe the scored subset, the weights, the split, and the number of evaluations."""
    record = network.record
    flips = "averaged with the mirrored slice" if record.flips else "no mirrored slice"
    if network.spec.task == "segment":
        least = record.min_component_pixels
        parts = f"parts below {least} pixels removed" if least else "no part removed"
        how = f"the mask alone, threshold {record.threshold:g}, {flips}, {parts}"
    else:
        how = f"one verdict per slice, threshold {record.threshold:g}, {flips}"
    met = record.extra.get("test_evaluations")
    times = "an unrecorded number of times" if met is None else _times(met)
    lines = [
        f"- **What is scored:** {how}, exactly as this site treats a slice.",
        f"- **Weights:** SHA-256 `{record.sha256[:12]}…`; training is "
        f"{'complete' if record.complete else '**unfinished**'}.",
        f"- **Split by patient:** SHA-256 `{record.split_sha256[:12]}…`.",
        f"- **Test patients:** this network was scored on them {times}.",
        f"- **Training command:** `{record.command}`, with {_versions(record.versions)}.",
    ]
    if scored:
        patients = scored.get("patients") or {}
        lines.append(
            f"- **Scoring command:** `{scored.get('command', DASH)}`, {len(patients)} patients, with "
            f"{_versions(scored.get('versions') or {})}."
        )
    return "\n".join(lines)


def _card(network: Network) -> None:
    path = ASSETS / "cards" / "models" / f"{network.spec.name}.md"
    card = path.read_text(encoding="utf-8") if path.exists() else ""
    if network.record.sha256 in card:  # the card describes these weights
        st.download_button(
            "Model card",
            card,
            path.name,
            "text/markdown",
            icon=":material/badge:",
            on_click="ignore",
            help="Intended use, training data, scores and limits, as a file.",
        )


def _training(network: Network, text: Text) -> None:
    history = network.record.extra.get("history")
    if not history:
        return
    st.header("Training", anchor=False)
    validated = any(each.get("score") is not None for each in history)
    st.markdown(text.get("Training" if validated else "Training to the end", ""))
    score = _SCORES[network.spec.task]
    best = network.record.extra.get("best_epoch")
    chart(charts.training(history, score), "training", "Loss and validation score by epoch.")
    if best is not None and validated:
        st.caption(f"Epoch {best} of {network.record.extra.get('epochs', DASH)} was kept.")
    columns = (
        tables.number("Epoch", "epoch", pinned=True),
        tables.number("Loss", "loss", "%.4f"),
        tables.number(score, "score", "%.4f", help="Empty for epochs without a score."),
        tables.number("Seconds", "seconds", "%.0f"),
    )
    alt = "Loss, validation score and seconds of each epoch."
    with st.expander("Epoch by epoch", icon=":material/table:"):
        tables.draw(history, columns, f"training-{network.spec.name}", alt)


def _words(text: Text) -> None:
    prefix = "Term: "
    lines = [
        f"- **{heading.removeprefix(prefix)}**: {sentence}"
        for heading, sentence in text.items()
        if heading.startswith(prefix)
    ]
    with st.expander("All terms of this page", icon=":material/menu_book:"):
        st.markdown("\n".join(lines))


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items()) or DASH
