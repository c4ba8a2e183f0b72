"""No score is typed: the README's equal the committed files, and the Scoreboard reads them."""

import ast
import json
import re
from pathlib import Path

import pytest

from btmodels import paths, registry
from btmodels.measurement.verdict import (
    ALONE,
    LOGITS,
    TOP_PIXELS,
    WITH_NEIGHBORS,
    VerdictRule,
    in_stack,
    rule_of,
)

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BOARD = [
    ROOT / "pages" / "scoreboard.py",
    *sorted((ROOT / "ui" / "scoreboard").glob("*.py")),
    *sorted((ROOT / "ui" / "results").glob("*.py")),
]
SUBSETS = {
    "crossval": "cross-validation, 100",
    "chosen_cut": "cross-validation, 100, chosen threshold",
    "validation": "validation, 10",
    "test": "**never seen, 20**",
    "samples": "synthetic, 8",
}


def figure(value: float | None, interval: list[float] | None = None) -> str:
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return text if interval is None else f"{text} ({interval[0]:.3f} to {interval[1]:.3f})"


def verdict_cells(found: dict) -> list[str]:
    return [
        figure(found["auc"], found["auc_interval"]),
        figure(found["accuracy"]),
        figure(found["sensitivity_at_95_specificity"]),
        figure(found["calibration_error"]),
    ]


def lines_for(name: str) -> list[str]:
    """Return the README's table rows for one network, as they must stand there."""
    scores = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
    if registry.get(name).task == "segment":
        crossval = registry.metrics_path(name).with_name(f"crossval_{name}.json")
        scores["crossval"] = json.loads(crossval.read_text(encoding="utf-8"))
        patients = scores["crossval"]["patients"]
        scores["chosen_cut"] = scores["crossval"]["chosen_cut"] | {"patients": patients}
    assert {"test", "samples"} <= set(scores)
    lines = []
    for subset, title in SUBSETS.items():
        if (found := scores.get(subset)) is None:
            continue
        assert len(found["patients"]) == int("".join(c for c in title if c.isdigit()))
        if registry.get(name).task == "segment":
            cells = [
                figure(found["mean_dice"], found["mean_dice_interval"]),
                figure(found["median_dice"]),
                figure(found["tumor_slice_dice"]),
                figure(found["false_alarm_rate"]),
            ]
            if found.get("verdict"):
                lines.append(f"| {' | '.join([title, *verdict_cells(found['verdict'])])} |")
        else:
            cells = verdict_cells(found)
        lines.append(f"| {' | '.join([title, *cells])} |")
    return lines


def comparison() -> list[str]:
    """Return the README's table of all segmenters on the patients never seen, best mean first."""
    found = {}
    for name, spec in registry.SPECS.items():
        if spec.task == "segment":
            scores = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
            found[spec.title] = scores["test"]
    return [
        f"| {title} | {figure(scores['mean_dice'], scores['mean_dice_interval'])} "
        f"| {figure(scores['median_dice'])} | {figure(scores['mean_iou'])} "
        f"| {figure(scores['tumor_slice_dice'])} | {figure(scores['false_alarm_rate'])} |"
        for title, scores in sorted(found.items(), key=lambda each: -each[1]["mean_dice"])
    ]


def hours() -> str:
    """Return the README's figure of what all training took, as the records have it."""
    records = [registry.load_record(name).extra for name in registry.SPECS]
    trained = [extra for extra in records if "members" not in extra]
    runs = [run for extra in trained for run in (extra, *extra.get("earlier_runs", []))]
    seconds = sum(run["training_seconds"] for run in runs)
    return f"{seconds / 3600:.1f} hours"


def verdicts() -> dict[tuple[str, bool], dict]:
    """Return the rows of detection.json by who judges and whether neighboring slices count."""
    path = paths.ASSETS / "metrics" / "detection.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {(row["by"], row["neighbors"]): row for row in rows}


def test_verdicts_are_as_good_as_readme_and_about_say():
    found = verdicts()
    alone, beside = found["segmenter", False], found["segmenter", True]
    classifier = found["classifier", False]
    assert (
        f"over {alone['patients']} patients it has an AUC of "
        f"{figure(alone['auc'], alone['auc_interval'])}, {figure(beside['auc'])} with the neighboring "
        f"slices, and finds {100 * alone['sensitivity']:.1f}% of the slices with tumor at 95% specificity."
    ) in " ".join(README.split())
    assert (
        f"in the same folds its AUC is {figure(classifier['auc'])}, and it finds "
        f"{100 * classifier['sensitivity']:.1f}%."
    ) in " ".join(README.split())
    about = (paths.ASSETS / "lessons" / "about.md").read_text(encoding="utf-8")
    assert "it finds more of the slices with tumor than the classifier does" in about
    assert alone["sensitivity_interval"][0] > classifier["sensitivity_interval"][1]
    assert f"The {TOP_PIXELS} pixels of which the segmenter is most confident" in about
    record = registry.load_record("default")
    told = "verdicts never go {}, nor, where the neighboring slices count, {}."
    assert told.format(*(bounds(rule_of(record, key)) for key in (ALONE, WITH_NEIGHBORS))) in about


def bounds(rule: VerdictRule) -> str:
    """Return the lowest and highest probability that a rule can give, in the words of About."""
    lowest, highest = (in_stack(LOGITS[[level]], rule.neighbor_weight)[0] for level in (0, 255))
    low, high = (100 * rule.probability(score) for score in (lowest, highest))
    return f"below {low:.1f}% or above {high:.1f}%"


def test_the_readmes_scores_are_the_committed_ones():
    own = [registry.get(alias).name for alias in registry.ALIASES]
    missing = [line for name in own for line in lines_for(name)]
    missing += ["\n".join(comparison()), hours()]
    missing = [line for line in missing if line not in README]
    assert not missing, "README.md must say:\n" + "\n".join(missing)


def test_the_readme_says_why_the_synthetic_mean_is_low():
    told = "One of the synthetic patients has no tumor; a false alarm there counts as a Dice of 0."
    assert told in README
    own = json.loads(registry.metrics_path("default").read_text(encoding="utf-8"))["samples"]
    (healthy,) = (each for each in own["patients"].values() if not each["tumor_slices"])
    assert healthy["dice"] == 0.0 and healthy["false_alarm_slices"] > 0


def test_the_scoreboards_texts_hold_no_number_but_the_share_of_an_interval():
    text = (ROOT / "assets" / "cards" / "scoreboard.md").read_text(encoding="utf-8")
    for name in ("Hausdorff 95", "95%"):
        assert name in text
        text = text.replace(name, "")
    assert re.findall(r"\d+", text) == []


@pytest.mark.parametrize("file", BOARD, ids=[file.name for file in BOARD])
def test_the_scoreboards_code_holds_no_score(file):
    literals = [
        node.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    typed = [text for text in literals if re.search(r"\b0\.\d\d|\d\d\.\d ?%", text)]
    assert [text for text in typed if not text.startswith("rgba(")] == []


def test_the_table_of_damaged_files_is_that_of_the_file():
    found = json.loads((paths.ASSETS / "metrics" / "fuzz.json").read_text(encoding="utf-8"))
    kinds = ("files", "decoded", "refused", "given_up", "uncaught")
    for name, counts in found["formats"].items():
        cells = [f"{counts.get(kind, 0):,}" for kind in kinds]
        assert f"| {name} | {' | '.join(cells)} |" in README.splitlines()
    assert f"{found['count']:,} files made from {found['seeds']} sound ones" in README


def test_the_default_scores_in_cross_validation_as_the_readme_says():
    told = (
        "one network scores better than the ensemble of two, and better than the EfficientNet U-Net"
    )
    assert f"{told}, which was trained on half as many slices" in " ".join(README.split())
    name = registry.get("default").name
    found = json.loads((paths.ASSETS / "metrics" / f"crossval_{name}.json").read_text("utf-8"))
    for other in ("ensemble", "efficientnet_unet"):
        assert found["comparisons"][other]["difference_interval"][0] > 0
    own, other = (
        json.loads((paths.ASSETS / "metrics" / f"crossval_{each}.json").read_text("utf-8"))
        for each in (name, "efficientnet_unet")
    )
    assert own["budget"]["slices"] == 2 * other["budget"]["slices"]


def test_what_the_default_owes_to_its_training_is_as_the_readme_says():
    told = (
        "It gained {:.3f} of mean Dice from twice as many training slices, and nothing that can be told "
        "from zero from its residual units or from distillation"
    )
    found = json.loads((paths.ASSETS / "metrics" / "pairs.json").read_text(encoding="utf-8"))
    rows = {row["key"]: row for row in found["rows"]}
    assert told.format(rows["longer"]["difference"]) in " ".join(README.split())
    assert rows["longer"]["difference_interval"][0] > 0
    for key in ("residual_units", "distilled"):
        low, high = rows[key]["difference_interval"]
        assert low < 0 < high
