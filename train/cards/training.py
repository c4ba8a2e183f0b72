"""The training of weights, and the settings chosen for them, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from btmodels.measurement.verdict import ALONE, WITH_NEIGHBORS, rule_of
from btmodels.registry import Record
from train.cards.facts import Facts
from train.cards.markdown import duration, table


def training_table(facts: Facts) -> str:
    """Return how these weights were trained, from their record."""
    return table(["", ""], [[label, value] for label, value in _training(facts.record)])


def _training(record: Record) -> Iterator[tuple[str, str]]:
    extra = record.extra
    config = extra.get("config") or {}
    yield "Command", f"`{record.command}`"
    yield "Started from", _origin(extra)
    if extra.get("epochs"):
        yield "Epochs", _epochs(extra, config)
    if config:
        yield "Slices an epoch, a step", f"{config['num_slices']:,}, {config['batch_size']}"
        yield "Learning rate", _schedule(config)
        if patience := config.get("patience"):
            yield "Stopped after", f"{patience} validations without a better score, at the earliest"
        yield "Weight decay", f"{config['weight_decay']:g}"
        if config.get("fade"):
            yield "Chance that a lesion's contrast changes", f"{config['fade']:g}"
        for key, value in (config.get("augmentation") or {}).items():
            yield f"Augmentation, `{key}`", str(value)
        if config.get("ema"):
            yield "Momentum of the weights' moving average", f"{config['ema']:g}"
        yield "Seed", str(config["seed"])
    history = extra.get("history") or []
    if history:
        yield (
            "Loss of the first and last epoch",
            " and ".join(f"{row['loss']:.3f}" for row in (history[0], history[-1])),
        )
    validated = [row for row in history if row["score"] is not None]
    if validated:
        best = max(validated, key=lambda row: row["score"])
        yield "Best score on validation", f"{best['score']:.3f}, epoch {best['epoch']}"
    if extra.get("training_seconds"):
        yield "Time", duration(extra["training_seconds"])
    yield "Versions", ", ".join(f"{key} {value}" for key, value in record.versions.items())


def _origin(extra: dict[str, Any]) -> str:
    if members := extra.get("members"):
        return "the weights of " + " and ".join(f"{n} (`{s[:12]}…`)" for n, s in members.items())
    if encoder := extra.get("encoder"):
        sha256 = f" (`{encoder['sha256'][:12]}…`)" if encoder.get("sha256") else ""
        return f"random weights; the encoder from {encoder['source']}{sha256}"
    if sha256 := extra.get("started_from_sha256"):
        return f"weights with SHA-256 `{sha256[:12]}…`"
    return "random weights"


def _epochs(extra: dict[str, Any], config: dict[str, Any]) -> str:
    planned = f" of at most {config['epochs']}" if config else " of the members together"
    best = f"; kept: epoch {extra['best_epoch']}" if extra.get("best_epoch") else ""
    return f"{extra['epochs']}{planned}{best}"


def _schedule(config: dict[str, Any]) -> str:
    rate = f"{config['learning_rate']:g}"
    rising = f"{100 * config['warmup']:.0f}%"
    return f"one cycle with its peak at {rate}, rising for the first {rising} of the steps"


def dials_table(record: Record, task: str) -> str:
    """Return the settings chosen on the validation patients, or by cross-validation if the network was
    trained on them."""
    rows = [
        ["Threshold on the probability", f"{record.threshold:g}"],
        ["Temperature", f"{record.temperature:g}"],
        ["Mirrored slice averaged in", "yes" if record.flips else "no"],
    ]
    if task == "segment":
        rows.append(["Smallest part kept, pixels of the slice", str(record.min_component_pixels)])
        rows += _rules(record)
        if "validation" in record.training_subsets:
            number = record.extra["fold_patients"]
            return table([f"chosen by cross-validation, on {number} patients", ""], rows)
        if number := record.extra.get("fold_patients"):
            aside = f"by the out-of-fold Dice of {number} patients, none of them a test patient"
            rows.append(["Ties between thresholds were broken", aside])
    return table(["chosen on validation patients", ""], rows)


def _rules(record: Record) -> list[list[str]]:
    rows = []
    for key, title in ((ALONE, "slice alone"), (WITH_NEIGHBORS, "with neighbors")):
        if rule := rule_of(record, key):
            score = "score"
            if rule.neighbor_weight:
                score = f"(score + {rule.neighbor_weight:g} x mean score of both neighbors)"
            sign = "+" if rule.intercept >= 0 else "-"
            logit = f"{rule.slope:g} x {score} {sign} {abs(rule.intercept):g}"
            rows.append([f"Verdict, {title}: log-odds of a tumor", logit])
            rows.append([f"Verdict, {title}: threshold on the probability", f"{rule.threshold:g}"])
    return rows
