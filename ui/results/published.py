"""Published results of others, from assets/metrics/published.json: figures, protocols, sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ui.results.metrics_file import read_metrics

FIGURES = {
    "mean_dice": "mean Dice",
    "median_dice": "median",
    "lowest_dice": "lowest",
    "highest_dice": "highest",
    "pooled_dice": "Dice of all pixels pooled",
    "tumor_slice_dice": "Dice of tumor slices",
    "all_slice_dice": "Dice of all slices",
    "dice": "Dice",
    "iou": "IoU",
    "tversky": "Tversky index",
    "accuracy": "accuracy",
}
"""Labels of figures by key."""

READ = {
    "code": "Seen in the code.",
    "stated": "As the authors state it.",
    "abstract": "As the abstract states it.",
}
"""Sources of protocols, by key."""


def load(assets: Path | None = None) -> dict[str, Any]:
    """Read the file.

    Returns:
        ``experts`` (``mean_dice``, ``spread``, ``source``, ``url``), ``readers``, ``systems``; all empty
        if the file is missing.
    """
    return read_metrics("published", assets) or {"experts": None, "readers": [], "systems": []}


def rows_of_patients() -> list[PatientRow]:
    """Return the publications comparable to our scores: figures by patient, from splits by patient."""
    found = []
    for each in load()["systems"]:
        figures = each["figures"]
        if each["split"] != "patients" or "mean_dice" not in figures:
            continue
        ends = figures.get("lowest_dice"), figures.get("highest_dice")
        found.append(
            PatientRow(
                each["system"],
                mean=figures["mean_dice"],
                median=figures.get("median_dice"),
                interval=None if None in ends else ends,
                interval_title="from lowest to highest patient,",
            )
        )
    return found


def protocols() -> str:
    """Return a list of each system's figures, protocol, caveat and source."""
    lines = []
    for each in load()["systems"]:
        caveat = f" *{each['caveat']}*" if each["caveat"] else ""
        lines.append(
            f"- **{each['system']}**, {figures_in_words(each['figures'])}. {each['protocol']}{caveat} "
            f"{READ[each['read']]} ([{each['source']}]({each['url']}))"
        )
    return "\n".join(lines)


def experts_in_words() -> str:
    """Return the agreement between two experts, with a link to the source; empty if it is not known."""
    experts = load()["experts"]
    if not experts:
        return ""
    shown = f"{experts['mean_dice']:.2f} ± {experts['spread']:.2f}"
    return f"Dice {shown} ([{experts['source']}]({experts['url']}))"


def experts_band() -> tuple[float, float] | None:
    """Return mean and spread of two experts' agreement; None if it is not known."""
    experts = load()["experts"]
    return experts and (experts["mean_dice"], experts["spread"])


def readers() -> str:
    """Return a list of studies of human readers; Jaccard indices are converted to Dice."""
    content, lines = load(), []
    if experts := content["experts"]:
        lines.append(f"- **{experts['what'].capitalize()}**: {experts_in_words()}")
    lines += [
        f"- **{each['who']}**: Dice {dice_of(each['jaccard']):.2f}, converted from a Jaccard index of "
        f"{each['jaccard']:.2f}; {each['patients']}. {each['caveat']} "
        f"([{each['source']}]({each['url']}))"
        for each in content["readers"]
    ]
    return "\n".join(lines)


def dice_of(jaccard: float) -> float:
    """Convert a Jaccard index to the Dice of the same two masks: 2 J / (1 + J)."""
    return 2 * jaccard / (1 + jaccard)


def figures_in_words(figures: dict[str, float]) -> str:
    """Return published figures as a list with their labels."""
    shown = (f"{FIGURES[key]} {value:g}" for key, value in figures.items())
    return ", ".join(shown) or "no score published"


@dataclass(frozen=True)
class PatientRow:
    """One network or publication in `patient_dots`.

    Attributes:
        title: Label of the row.
        dice: Score of each patient by name, 0 to 1, or None; empty for a publication.
        mean, median: Mean and median score; None if not known.
        interval: Interval of the mean, low and high; None if not known.
        chosen: Whether to draw the row in color.
        interval_title: Name of the interval.
    """

    title: str
    dice: Mapping[str, float | None] = field(default_factory=dict)
    mean: float | None = None
    median: float | None = None
    interval: tuple[float, float] | None = None
    chosen: bool = False
    interval_title: str = "95% interval"

    def dots(self) -> dict[str, float]:
        """Return the defined scores by patient."""
        return {name: value for name, value in self.dice.items() if value is not None}
