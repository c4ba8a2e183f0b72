"""The parts of a model card, each from facts to Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btmodels.registry import ModelSpec, Record
from train.card_text import DASH, duration, figure, find, table

SUBSETS = {
    "train": "trained on",
    "validation": "validation",
    "test": "never seen",
    "reference": "never seen, reference",
    "samples": "synthetic",
}
"""Subsets in the order of their columns, and what they are called."""

JUDGES = ("test", "reference", "validation", "samples")
"""Subsets by how much their scores are worth; what a card says of failures is of the first there is."""

WAYS = {
    "": "alone",
    "cascade.": "cascade",
    "whole_patient.": "whole patient",
}
"""Ways to make a mask by the keys before their scores, and what they are called."""


@dataclass(frozen=True)
class Figure:
    """A score that cards report.

    Attributes:
        key: In a subset's scores; a dot leads one level down.
        kind: What model hubs call it.
        label: For people.
        digits: Shown after the point.
    """

    key: str
    kind: str
    label: str
    digits: int = 3


FIGURES = {
    "segment": (
        Figure("mean_dice", "dice", "Mean Dice per patient"),
        Figure("median_dice", "dice", "Median Dice per patient"),
        Figure("mean_iou", "iou", "Mean IoU (Jaccard) per patient"),
        Figure("tumor_slice_dice", "dice", "Mean Dice on slices with tumor"),
        Figure("pooled_dice", "dice", "Dice of all pixels together"),
        Figure("hausdorff95", "hausdorff_distance_95", "95 % Hausdorff distance, pixels", 1),
        Figure("detection_rate", "detection_rate", "Tumor found, share of patients"),
        Figure(
            "false_alarm_rate", "false_alarm_rate", "False alarms, share of slices without tumor"
        ),
        Figure("calibration.error", "calibration_error", "Calibration error of pixels"),
        Figure("pixel_accuracy", "pixel_accuracy", "Pixel accuracy", 4),
        Figure("empty_mask_accuracy", "pixel_accuracy", "Pixel accuracy of an empty mask", 4),
    ),
    "classify": (
        Figure("auc", "roc_auc", "AUC"),
        Figure("average_precision", "average_precision", "Average precision"),
        Figure("accuracy", "accuracy", "Accuracy"),
        Figure("sensitivity_at_95_specificity", "recall", "Sensitivity at 95 % specificity"),
        Figure("calibration_error", "calibration_error", "Calibration error"),
    ),
}
"""By task."""


@dataclass(frozen=True)
class Facts:
    """All that a card reports.

    Attributes:
        spec: The network's row of the registry.
        record: Of its weights.
        weights: Their file.
        scored: Scores of these very weights, by subset.
        stale: Subsets whose scores belong to other weights.
        split: Folder names by subset.
        bench: Values of ``bench.json`` for this network, by the last part of their names.
        machine: That these were measured on.
    """

    spec: ModelSpec
    record: Record
    weights: Path
    scored: dict[str, dict[str, Any]]
    stale: tuple[str, ...]
    split: dict[str, list[str]]
    bench: dict[str, dict[str, Any]]
    machine: str

    @property
    def judge(self) -> str | None:
        """The subset whose scores say most."""
        return next((subset for subset in JUDGES if subset in self.scored), None)


def front_matter(facts: Facts) -> dict[str, Any]:
    """Return what machines read: the keys that model hubs know, scores as ``model-index``."""
    spec = facts.spec
    task = "image-segmentation" if spec.task == "segment" else "image-classification"
    figures = FIGURES[spec.task]
    return {
        "license": "cc-by-nc-sa-4.0",
        "library_name": "keras",
        "pipeline_tag": task,
        "tags": ["medical-imaging", "mri", "brain-tumor", "glioma", task, spec.name],
        "datasets": ["mateuszbuda/lgg-mri-segmentation"],
        "metrics": list(dict.fromkeys(each.kind for each in figures)),
        "model-index": [
            {
                "name": spec.name,
                "results": [
                    {
                        "task": {"type": task, "name": _question(spec)},
                        "dataset": _dataset(subset, facts),
                        "metrics": [
                            {
                                "type": each.kind,
                                "name": each.label,
                                "value": round(find(facts.scored[subset], each.key), 4),
                            }
                            for each in figures
                            if find(facts.scored[subset], each.key) is not None
                        ],
                    }
                    for subset in facts.scored
                ],
            }
        ],
    }


def _question(spec: ModelSpec) -> str:
    return "Where is the tumor?" if spec.task == "segment" else "Does this slice show a tumor?"


def _dataset(subset: str, facts: Facts) -> dict[str, str]:
    number = len(facts.scored[subset]["patients"])
    if subset == "samples":
        name, kind = f"Synthetic cohort, {number} patients", "synthetic-cohort"
    else:
        name = f"LGG segmentation, {number} patients ({SUBSETS[subset]})"
        kind = "mateuszbuda/lgg-mri-segmentation"
    return {"name": name, "type": kind, "split": subset}


def description(facts: Facts, words: dict[str, str]) -> str:
    """What the network is and what goes in and out."""
    rows, cols, channels = facts.spec.input_shape
    lines = [
        f"- **Question:** {_question(facts.spec)}",
        f"- **After:** {facts.spec.source}",
        f"- **Input:** one slice, {rows} x {cols} pixels, {channels} channels: pre-contrast T1, FLAIR, "
        "post-contrast T1. Other sizes are padded to a square and resized.",
        f"- **Output:** {words['Output']}",
        f"- **Parameters:** {_count(facts.record.extra.get('parameters'))}",
    ]
    return words["Architecture"] + "\n\n" + "\n".join(lines)


def _count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def split_table(facts: Facts) -> str:
    """Patients by subset, and the slices of those that were scored."""
    rows = []
    for subset, title in SUBSETS.items():
        scored = facts.scored.get(subset)
        number = len(
            scored["patients"] if subset == "samples" and scored else facts.split.get(subset, ())
        )
        if not number:
            continue
        slices, tumor = _slices(scored) if scored else (None, None)
        rows.append([_purpose(subset, title), str(number), _count(slices), _count(tumor)])
    caption = (
        f"The split is `splits/patients.json`, SHA-256 `{facts.record.split_sha256}`. Slices are "
        "counted where these weights were scored."
    )
    return table(["patients", "number", "slices", "with tumor"], rows) + "\n\n" + caption


def _purpose(subset: str, title: str) -> str:
    purposes = {
        "validation": "to choose the epoch, the threshold and the like",
        "test": "to judge",
        "reference": "to judge, by whoever has them",
        "samples": "to show the site without anyone's scan",
    }
    return f"{title}: {purposes[subset]}" if subset in purposes else title


def _slices(scored: dict[str, Any]) -> tuple[int, int]:
    each = scored["patients"].values()
    slices = sum(entry["slices"] for entry in each)
    if "empty_slices" in scored:
        return slices, slices - scored["empty_slices"]
    return slices, sum(entry["tumor_slices"] for entry in each)


def training_table(facts: Facts) -> str:
    """How these weights came to be, from their record."""
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
    if config.get("plateau"):
        return f"{rate}, halved when the score on validation stalls"
    rising = f"{100 * config['warmup']:.0f} %"
    return f"one cycle with its peak at {rate}, rising for the first {rising} of the steps"


def dials_table(record: Record, task: str) -> str:
    """What was chosen on the validation patients."""
    rows = [
        ["Threshold on the probability", f"{record.threshold:g}"],
        ["Temperature", f"{record.temperature:g}"],
        ["Mirrored slice averaged in", "yes" if record.flips else "no"],
    ]
    if task == "segment":
        rows.append(["Smallest part kept, pixels of the slice", str(record.min_component_pixels)])
        if number := record.extra.get("fold_patients"):
            aside = f"Threshold, among equals on validation: best out of fold for {number} patients"
            rows.append([aside, "none of them a test patient"])
    return table(["chosen on validation patients", ""], rows)


def evaluation(facts: Facts, words: dict[str, str]) -> str:
    """All scores of these weights."""
    parts = [words["Scores"]]
    if facts.stale:
        names = ", ".join(SUBSETS[subset] for subset in facts.stale)
        parts.append(f"Scores on these patients belong to other weights and are left out: {names}.")
    if not facts.scored:
        return "\n\n".join([*parts, "These weights have not been scored yet."])
    parts.append(_scores_table(facts))
    times = facts.record.extra.get("test_evaluations")
    if times is not None:
        parts.append(
            f"Weights of this name have met the test patients {times} time{'s' * (times != 1)} so far."
        )
    extra = _ways(facts) if facts.spec.task == "segment" else _confusion(facts)
    return "\n\n".join(parts + extra)


def _scores_table(facts: Facts) -> str:
    header = [""] + [
        f"{SUBSETS[subset]} ({len(each['patients'])})" for subset, each in facts.scored.items()
    ]
    rows = [
        [each.label, *(figure(scores, each.key, each.digits) for scores in facts.scored.values())]
        for each in FIGURES[facts.spec.task]
        if any(find(scores, each.key) is not None for scores in facts.scored.values())
    ]
    return table(header, rows)


def _ways(facts: Facts) -> list[str]:
    keys = ("mean_dice", "median_dice", "tumor_slice_dice", "false_alarm_rate")
    rows = [
        [SUBSETS[subset], title, *(figure(scores, way + key) for key in keys)]
        for subset, scores in facts.scored.items()
        for way, title in WAYS.items()
        if find(scores, f"{way}mean_dice") is not None
    ]
    if len(rows) == len(facts.scored):
        return []  # nothing beside the network alone
    rule = next(
        (
            found
            for scores in facts.scored.values()
            if (found := find(scores, "whole_patient.rule"))
        ),
        "",
    )
    text = (
        "Beside the network alone two ways to clean up its masks. Cascade: a slice keeps its mask only "
        f"where the classifier says tumor. Whole patient: {rule}"
    )
    header = ["patients", "mask", "mean Dice", "median", "slices with tumor", "false alarms"]
    return [text, table(header, rows)]


def _confusion(facts: Facts) -> list[str]:
    rows = [
        [SUBSETS[subset], *(_count(counts[key]) for key in ("tp", "fn", "fp", "tn"))]
        for subset, scores in facts.scored.items()
        if (counts := scores.get("confusion"))
    ]
    header = ["slices", "tumor found", "tumor missed", "false alarm", "rightly clear"]
    return [table(header, rows)] if rows else []


def limitations(facts: Facts, words: list[str]) -> str:
    """Where these weights fail, in figures, and what nobody can know from them."""
    found = list(_failures(facts)) if facts.judge else []
    return "\n".join(found + [text for text in words if text])


def _failures(facts: Facts) -> Iterator[str]:
    scores = facts.scored[facts.judge]
    who = f"{len(scores['patients'])} patients ({SUBSETS[facts.judge]})"
    if facts.spec.task == "segment":
        yield from _failures_of_masks(scores, who)
    else:
        yield from _failures_of_verdicts(scores, who)


def _failures_of_masks(scores: dict[str, Any], who: str) -> Iterator[str]:
    patients = scores["patients"]
    ranked = {name: each["dice"] for name, each in patients.items() if each["dice"] is not None}
    worst = scores.get("worst") or sorted(ranked, key=ranked.get)
    listed = ", ".join(f"{ranked[name]:.3f} ({name})" for name in worst[:3])
    yield f"- **Worst patients.** Of {who} these have the lowest Dice: {listed}."
    undetected = [name for name, each in patients.items() if each.get("detected") is False]
    if undetected:
        yield f"- **Missed.** No pixel of the tumor was marked in {', '.join(undetected)}."
    sizes = [row for row in scores.get("by_size") or [] if row["slices"]]
    if sizes:
        rows = [
            [_range(row), _count(row["slices"]), figure(row, "dice"), figure(row, "found")]
            for row in sizes
        ]
        header = ["true pixels of the slice", "slices", "mean Dice", "share with a hit"]
        yield (
            "- **Small tumors.** Dice depends on how large the tumor is on the slice:\n\n"
            + table(header, rows)
            + "\n"
        )
    alarms = {name: each["false_alarm_slices"] for name, each in patients.items()}
    number = sum(alarms.values())
    yield (
        f"- **False alarms.** Something is marked on {number} of {scores['empty_slices']:,} slices "
        f"without tumor, in {sum(map(bool, alarms.values()))} of {who}."
    )


def _range(row: dict[str, Any]) -> str:
    return (
        f"{row['from']:,} and more"
        if row["to"] is None
        else f"{row['from']:,} to {row['to'] - 1:,}"
    )


def _failures_of_verdicts(scores: dict[str, Any], who: str) -> Iterator[str]:
    patients = scores["patients"]
    slices, tumor = _slices(scores)
    wrong = {
        name: each["missed_slices"] + each["false_alarm_slices"] for name, each in patients.items()
    }
    worst = sorted((name for name in wrong if wrong[name]), key=wrong.get, reverse=True)[:3]
    if worst:
        listed = ", ".join(
            f"{wrong[name]} of {patients[name]['slices']} ({name})" for name in worst
        )
        yield f"- **Worst patients.** Of {who} these have the most wrong slices: {listed}."
    missed = sum(each["missed_slices"] for each in patients.values())
    alarms = sum(each["false_alarm_slices"] for each in patients.values())
    yield f"- **Missed.** {missed} of {tumor:,} slices with tumor are not found."
    yield f"- **False alarms.** {alarms} of {slices - tumor:,} slices without tumor are taken for one."


def speed(facts: Facts) -> str:
    """Size and time, from the benchmark."""
    if not facts.bench:
        return "Not measured yet: `make bench` does it."
    value = {key: row["value"] for key, row in facts.bench.items()}
    slow = facts.bench["slice_ms"]["against"]
    rows = [
        ["Parameters", _count(value["parameters"])],
        ["Multiply-adds of one pass", _count(value["multiply_adds"])],
        ["Weights file", f"{value['megabytes']:.1f} MB"],
        ["A slice as the site runs it", f"{value['slice_ms']:.0f} ms"],
        ["The same by `model.predict`", f"{slow:.0f} ms"],
    ]
    passes = (
        "two passes, of the slice and of its mirror image" if facts.record.flips else "one pass"
    )
    return table(["", ""], rows) + f"\n\nA slice takes {passes}. Measured on {facts.machine}."


def files(facts: Facts) -> str:
    """What belongs to the network, with hashes."""
    name, size = facts.spec.name, facts.weights.stat().st_size
    rows = [
        [
            f"[`weights/{name}.weights.h5`](../../weights/{name}.weights.h5)",
            f"weights in float16, {size / 1e6:.1f} MB",
            f"`{facts.record.sha256}`",
        ],
        [f"[`weights/{name}.json`](../../weights/{name}.json)", "their record", DASH],
    ]
    if facts.scored or facts.stale:
        rows.append([f"[`metrics/{name}.json`](../../metrics/{name}.json)", "all scores", DASH])
    rows.append(
        [
            "[`splits/patients.json`](../../splits/patients.json)",
            "the split by patient",
            f"`{facts.record.split_sha256}`",
        ]
    )
    return table(["file", "what", "SHA-256"], rows)
