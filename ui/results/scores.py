"""Recorded scores of the networks, shown only if they belong to the current weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.registry import ModelSpec, Record
from ui.results.metrics_file import read_json
from ui.shared.text import DASH

SUBSETS = {
    "test": "test",
    "reference": "reference",
    "validation": "validation",
    "train": "trained on",
    "samples": "synthetic",
}
"""Labels of subsets in column order, those with evidence first."""

_LEADING = {"segment": "mean_dice", "classify": "auc"}
"""The score that orders a task's networks."""

Scores = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Network:
    """A network with a record, and the scores measured with exactly these weights.

    Attributes:
        spec: Its registry entry.
        record: Record of the weights; None if it cannot be read.
        scored: Scores of exactly these weights, by subset.
        problem: A sentence on why scores are missing; empty if none are.
    """

    spec: ModelSpec
    record: Record | None
    scored: Scores
    problem: str


def read(name: str) -> tuple[Scores, str]:
    """Read the scores of a network.

    Args:
        name: Registry name or alias.

    Returns:
        Scores of exactly these weights by subset, and one sentence if there are none or some belong to
        other weights, otherwise an empty string. Weights that are missing or not the recorded ones
        have no scores.
    """
    title = registry.get(name).title
    try:
        sha256 = registry.verify_weights(name).sha256
    except WeightsError as error:
        return {}, str(error)
    content = read_json(registry.metrics_path(name))
    if content is None:
        return {}, f"There are no scores of {title} in this copy of the project."
    scored = {key: content[key] for key in SUBSETS if isinstance(content.get(key), dict)}
    current = {key: each for key, each in scored.items() if each.get("weights_sha256") == sha256}
    if not current:
        return {}, f"The scores of {title} belong to other weights and are not shown."
    stale = [SUBSETS[key] for key in scored if key not in current]
    problem = f"Scores of {title} on {', '.join(stale)} belong to other weights and are not shown."
    return current, problem if stale else ""


def networks() -> list[Network]:
    """Read all networks that have a record, in the order of all lists.

    Segmenters come before classifiers; the site's own first, the others by descending score on test
    patients.
    """
    own = {registry.get(alias).name for alias in registry.ALIASES}
    found = []
    for spec in (registry.SPECS[name] for name in registry.recorded()):
        try:
            record = registry.load_record(spec.name)
        except WeightsError:
            record = None  # `read` reports it
        found.append(Network(spec, record, *read(spec.name)))
    return sorted(
        found,
        key=lambda network: (
            network.spec.task != "segment",
            network.spec.name not in own,
            -(network.scored.get("test", {}).get(_LEADING[network.spec.task]) or 0),
        ),
    )


def shown_of(scored: Mapping[str, Any], key: str) -> str:
    """Return a score as text with its interval in parentheses; a dash if there is none."""
    value, interval = scored.get(key), interval_of(scored, key)
    if not isinstance(value, int | float):
        return DASH
    if interval is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({interval[0]:.2f} to {interval[1]:.2f})"


def interval_of(scored: Mapping[str, Any], key: str) -> tuple[float, float] | None:
    """Return the 95% interval of a score, low and high; None if there is none."""
    interval = scored.get(f"{key}_interval")
    if not isinstance(interval, list) or None in interval:
        return None
    return interval[0], interval[1]


def cascade_of(scored: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the scores of the cascade of classifier and segmenter; None if they were not measured with
    the classifier's current weights."""
    cascade = scored.get("cascade")
    if not cascade:
        return None
    try:
        sha256 = registry.verify_weights(cascade["classifier"]).sha256
    except (KeyError, WeightsError):
        return None
    return cascade if cascade.get("classifier_sha256") == sha256 else None
