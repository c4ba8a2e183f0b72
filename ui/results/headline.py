"""The site's two scores in one sentence each: where the tumor is, and whether there is one.

Each figure is read from the files of assets/metrics. Cross-validation comes first if it was run, since it
scores every patient with networks not trained on that patient; otherwise the test patients stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.measurement.verdict import rule_of
from ui.results import experiments, published, scores


@dataclass(frozen=True)
class Score:
    """A score and its source.

    Attributes:
        value: The score, 0 to 1.
        interval: 95% interval, low and high; None if it is not known.
        patients: Number of scored patients.
        source: ``crossval`` or ``test``.
        dice: Dice of each patient that has one, by folder name; empty for a classifier.
        median: Median of ``dice``; None for a classifier.
    """

    value: float
    interval: tuple[float, float] | None
    patients: int
    source: str
    dice: dict[str, float] = field(default_factory=dict)
    median: float | None = None


def segmentation_scores() -> list[Score]:
    """Return the mean Dice of the site's own segmenter: by cross-validation, then on test patients."""
    found = []
    if document := experiments.load("crossval"):
        found.append(_mean_dice(document, "crossval"))
    scored, _ = scores.read("default")
    if test := scored.get("test"):
        found.append(_mean_dice(test, "test"))
    return [score for score in found if score]


def detection_score() -> Score | None:
    """Return the share of slices with tumor that the verdicts find at 95% specificity; None if unknown.

    It is that of slices alone, the lower one: a single slice has no neighbors that could count.
    """
    if not segmenter_decides():
        return _classifier_score()
    rows = (experiments.load("detection") or {}).get("rows", [])
    own = (row for row in rows if row["by"] == "segmenter" and not row["neighbors"])
    if (row := next(own, None)) is None:
        return None
    return Score(row["sensitivity"], row["sensitivity_interval"], row["patients"], "crossval")


def segmenter_decides(model: str = "default") -> bool:
    """Return whether a segmenter can give the verdict; the classifier gives it otherwise."""
    try:
        return rule_of(registry.load_record(model)) is not None
    except WeightsError:
        return False


def _classifier_score() -> Score | None:
    key = "sensitivity_at_95_specificity"
    name = registry.get("default-classifier").name
    crossval = experiments.load(f"crossval_{name}") or {}
    test = scores.read(name)[0].get("test", {})
    for source, document in (("crossval", crossval), ("test", test)):
        if isinstance(document.get(key), float):
            patients = len(document["patients"])
            return Score(document[key], scores.interval_of(document, key), patients, source)
    return None


def segmentation_sentence(found: Sequence[Score]) -> str:
    """Return a sentence on the agreement of masks with the expert's, and between two experts."""
    if not found:
        return "**Where is the tumor?** This was not measured in this copy of the project."
    first = found[0]
    return (
        f"**Where is the tumor?** Mean Dice **{first.value:.2f}** over {_who(first)} "
        f"({_interval(first)}). {experts_sentence()}"
    ).strip()


def detection_sentence(score: Score | None) -> str:
    """Return a sentence on the slices with tumor found, and the specificity."""
    if score is None:
        return "**Is there a tumor?** This was not measured in this copy of the project."
    name = registry.get("default" if segmenter_decides() else "default-classifier").title
    return (
        f"**Is there a tumor?** The {name} finds **{100 * score.value:.1f}%** of the slices with "
        f"tumor at 95% specificity ({_interval(score, percent=True)}), over {score.patients} "
        "never-seen patients."
    )


def short_sentence() -> str:
    """Return the first score in one short sentence, to go beside a picture."""
    found = segmentation_scores()
    if not found:
        return ""
    first = found[0]
    experts = published.load()["experts"]
    beside = f" Between two experts: {experts['mean_dice']:.2f}." if experts else ""
    return f"Mean Dice on {first.patients} never-seen patients: **{first.value:.2f}**.{beside}"


def experts_sentence() -> str:
    """Return a sentence on the agreement between two experts; empty if it is not known."""
    experts = published.load()["experts"]
    return f"Agreement between two experts: {experts['mean_dice']:.2f}." if experts else ""


def patient_rows() -> list[published.PatientRow]:
    """Return a row of dots for each of `segmentation_scores`."""
    titles = {"crossval": "Cross-validation", "test": "Test patients"}
    return [
        published.PatientRow(
            f"{titles[score.source]} ({score.patients})",
            score.dice,
            mean=score.value,
            median=score.median,
            interval=score.interval,
            chosen=place == 0,
        )
        for place, score in enumerate(segmentation_scores())
    ]


def _mean_dice(document: dict, source: str) -> Score | None:
    value = document.get("mean_dice")
    if not isinstance(value, float):
        return None
    patients = document["patients"].items()
    dice = {name: each["dice"] for name, each in patients if each.get("dice") is not None}
    interval = scores.interval_of(document, "mean_dice")
    return Score(value, interval, len(dice), source, dice, document.get("median_dice"))


def _who(score: Score) -> str:
    if score.source == "crossval":
        return f"{score.patients} patients, each scored by a network that never saw that patient"
    return f"{score.patients} test patients that it never saw"


def _interval(score: Score, percent: bool = False) -> str:
    if score.interval is None:
        return "no interval is known"
    low, high = score.interval
    if percent:
        return f"95% confidence interval {100 * low:.1f} to {100 * high:.1f}%"
    return f"95% confidence interval {low:.2f} to {high:.2f}"
