"""A network's failures in figures, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from train.cards.facts import SUBSETS, Facts, slices_of
from train.cards.markdown import count, figure, table


def limitations(facts: Facts, words: list[str]) -> str:
    """Return the failures of these weights in figures, followed by the given words on limits."""
    found = list(_failures(facts)) if facts.evaluation_subset else []
    return "\n".join(found + [text for text in words if text])


def _failures(facts: Facts) -> Iterator[str]:
    scores = facts.scored[facts.evaluation_subset]
    who = f"{len(scores['patients'])} patients ({SUBSETS[facts.evaluation_subset]})"
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
            [_range(row), count(row["slices"]), figure(row, "dice"), figure(row, "found")]
            for row in sizes
        ]
        header = ["true pixels of the slice", "slices", "mean Dice", "share found"]
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
    slices, tumor = slices_of(scores)
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
