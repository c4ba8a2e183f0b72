"""The sections of a model card as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btmodels.metrics.binomial import detection_interval
from btmodels.registry import MEMBERS_KEY, ModelSpec, Record
from train.cards.facts import FIGURES, SUBSETS, WAYS, Facts, Figure, slices_of
from train.cards.markdown import DASH, count, figure, find, table


def front_matter(facts: Facts) -> dict[str, Any]:
    """Return the metadata in the keys of model hubs, with scores as ``model-index``."""
    spec = facts.spec
    task = "image-segmentation" if spec.task == "segment" else "image-classification"
    figures = [
        each
        for each in FIGURES[spec.task]
        if any(find(scores, each.key) is not None for scores in facts.scored.values())
    ]
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
    """Return the network's description, with its input and output."""
    rows, cols, channels = facts.spec.input_shape
    lines = [
        f"- **Question:** {_question(facts.spec)}",
        f"- **After:** {facts.spec.source}",
        f"- **Input:** one slice, {rows} x {cols} pixels, {channels} channels: pre-contrast T1, FLAIR, "
        "post-contrast T1. Other sizes are padded to a square and resized.",
        f"- **Output:** {words['Output']}",
        f"- **Parameters:** {count(facts.record.extra.get('parameters'))}",
    ]
    return words["Architecture"] + "\n\n" + "\n".join(lines)


def split_table(facts: Facts) -> str:
    """Return a table of patients by subset, with the slices of the scored subsets."""
    rows = []
    for subset, title in SUBSETS.items():
        scored = facts.scored.get(subset)
        number = len(
            scored["patients"] if subset == "samples" and scored else facts.split.get(subset, ())
        )
        if not number:
            continue
        slices, tumor = slices_of(scored) if scored else (None, None)
        rows.append(
            [_purpose(subset, title, facts.record), str(number), count(slices), count(tumor)]
        )
    caption = (
        f"The split is `splits/patients.json`, SHA-256 `{facts.record.split_sha256}`. Slices are "
        "counted where these weights were scored."
    )
    return table(["patients", "number", "slices", "with tumor"], rows) + "\n\n" + caption


def _purpose(subset: str, title: str, record: Record) -> str:
    if subset == "validation" and subset in record.training_subsets:
        return f"{title}: trained on as well"
    purposes = {
        "validation": "to choose the epoch, the threshold and the like",
        "test": "for scoring only",
        "reference": "for scoring, by whoever has them",
        "samples": "to show the site without anyone's scan",
    }
    return f"{title}: {purposes[subset]}" if subset in purposes else title


def evaluation(facts: Facts, words: dict[str, str]) -> str:
    """Return all scores of these weights."""
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
            f"This network was scored on the test patients {times} time{'s' * (times != 1)}; no "
            "setting was changed because of a score."
        )
    if facts.spec.task != "segment":
        return "\n\n".join(parts + _confusion(facts))
    return "\n\n".join(parts + _verdicts(facts) + _ways(facts))


def _verdicts(facts: Facts) -> list[str]:
    if not facts.verdicts:
        return []
    rows = [
        [
            "with neighbors" if row["neighbors"] else "slice alone",
            *(figure(row, key) for key in ("auc", "sensitivity", "average_precision")),
        ]
        for row in facts.verdicts
    ]
    text = (
        f"The verdict by cross-validation, over {facts.verdicts[0]['patients']} patients, each judged by a "
        "network that never saw that patient. With neighbors, the slices before and after count, too."
    )
    header = ["verdict", "AUC", "sensitivity at 95% specificity", "average precision"]
    return [text, table(header, rows)]


def _scores_table(facts: Facts) -> str:
    header = [""] + [
        f"{SUBSETS[subset]} ({len(each['patients'])})" for subset, each in facts.scored.items()
    ]
    rows = [
        [each.label, *(_figure(scores, each) for scores in facts.scored.values())]
        for each in FIGURES[facts.spec.task]
        if any(find(scores, each.key) is not None for scores in facts.scored.values())
    ]
    return table(header, rows)


def _figure(scores: Mapping[str, Any], each: Figure) -> str:
    if each.key == "detection_rate":  # a count: resampling gives no valid interval
        scores = {**scores, "detection_rate_interval": detection_interval(scores)}
    return figure(scores, each.key, each.digits)


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
        "There are two ways to clean up the masks after the network. Cascade: a slice keeps its mask "
        f"only where the classifier says tumor. Whole patient: {rule[:1].lower()}{rule[1:]}"
    )
    header = ["patients", "mask", "mean Dice", "median", "slices with tumor", "false alarms"]
    return [text, table(header, rows)]


def _confusion(facts: Facts) -> list[str]:
    rows = [
        [SUBSETS[subset], *(count(counts[key]) for key in ("tp", "fn", "fp", "tn"))]
        for subset, scores in facts.scored.items()
        if (counts := scores.get("confusion"))
    ]
    header = ["slices", "tumor found", "tumor missed", "false alarm", "rightly clear"]
    return [table(header, rows)] if rows else []


def speed(facts: Facts) -> str:
    """Return size and time, from the benchmark."""
    if not facts.bench:
        return "Not measured yet: `make bench` does it."
    value = {key: row["value"] for key, row in facts.bench.items()}
    slow = facts.bench["slice_ms"]["against"]
    rows = [
        ["Parameters", count(value["parameters"])],
        ["Multiply-adds of one pass", count(value["multiply_adds"])],
        ["Weights", f"{value['megabytes']:.1f} MB"],
        ["A slice as the site runs it", f"{value['slice_ms']:.0f} ms"],
        ["The same by `model.predict`", f"{slow:.0f} ms"],
    ]
    passes = (
        "two passes, of the slice and of its mirror image" if facts.record.flips else "one pass"
    )
    return table(["", ""], rows) + f"\n\nA slice takes {passes}. Measured on {facts.machine}."


def files(facts: Facts) -> str:
    """Return the network's files with their hashes."""
    name, sha256 = facts.spec.name, facts.record.sha256
    hashes = facts.record.extra[MEMBERS_KEY] if facts.spec.members else {"": sha256}
    rows = [
        [
            f"[`weights/{path.name}`](../../weights/{path.name})",
            f"weights in float16, {path.stat().st_size / 1e6:.1f} MB",
            f"`{hashes[member]}`",
        ]
        for member, path in facts.weights.items()
    ]
    if facts.spec.members:
        rows.append(["these together", "the list that `sha256sum` prints of them", f"`{sha256}`"])
    rows.append([f"[`weights/{name}.json`](../../weights/{name}.json)", "their record", DASH])
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
