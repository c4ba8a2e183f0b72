"""The sentences on ways to train agree with the file's intervals."""

import pytest

from btmodels.metrics.bootstrap import bootstrap_interval
from btmodels.paths import ASSETS
from ui.results import experiments
from ui.scoreboard.screen import title, verdicts


def row(key: str, difference: float, interval: list[float], weights: str = "last") -> dict:
    return {
        "key": key,
        "title": key.title(),
        "weights": weights,
        "difference": difference,
        "difference_interval": interval,
    }


def test_a_change_helps_or_costs_where_its_interval_leaves_out_zero():
    rows = [
        row("one", 0.02, [0.01, 0.03]),
        row("two", -0.02, [-0.03, -0.01]),
        row("three", 0.01, [-0.01, 0.03]),
        row("four", 0.01, [0.0, 0.02]),
        row("five", 0.0, [-0.007, 0.007]),
    ]
    assert verdicts(rows, 0.008) == (
        "Helped: One (+0.020). Hurt: Two (-0.020). "
        "Less than 0.008 either way: Five. 2 comparisons are too close to tell."
    )
    assert verdicts(rows[2:3], 0.008) == (
        "Nothing that was tried clearly helped. 1 comparison is too close to tell."
    )


def test_the_average_of_the_first_row_is_a_change_of_its_own():
    assert title(row("baseline", 0, [0, 0], "averaged")) == "Moving average of the weights"
    assert title(row("baseline", 0, [0, 0])) == "Baseline"


def test_the_committed_differences_are_those_of_its_patients():
    document = experiments.read("screen", ASSETS)
    assert document is not None
    split = experiments.read("../splits/patients", ASSETS)
    choosing = {*split["train"], *split["validation"]}
    rows = {(each["key"], each["weights"]): each for each in document["variants"]}
    assert rows["baseline", "averaged"]["compared_patients"] == len(choosing)
    for each in rows.values():
        judged = sorted(choosing & set(each["patients"]))
        own = [each["patients"][name] for name in judged]
        assert each["mean_dice"] == pytest.approx(sum(own) / len(own), abs=1e-9)
        if each["against"]:
            other = rows[tuple(each["against"])]["patients"]
            differences = [dice - other[name] for name, dice in zip(judged, own, strict=True)]
            assert each["compared_patients"] == len(differences)
            assert each["difference"] == pytest.approx(sum(differences) / len(differences))
            interval = bootstrap_interval(differences, percentiles=(5.0, 95.0))
            assert each["difference_interval"] == pytest.approx(interval)


def test_the_committed_pairs_are_compared_on_the_same_patients():
    document = experiments.read("pairs", ASSETS)
    assert document is not None
    split = experiments.read("../splits/patients", ASSETS)
    rows = {row["key"]: row for row in document["rows"]}
    scored = experiments.read("crossval_resunet", ASSETS)
    assert rows["longer"]["mean_dice"] == pytest.approx(scored["mean_dice"], abs=1e-9)
    for row in rows.values():
        judged = {name for fold in row["folds"] for name in split["folds"][fold - 1]}
        assert row["patients"] == len(judged)
        assert row["compared_patients"] == len(judged - set(split["test"]))
        low, high = row["difference_interval"]
        assert low < row["difference"] < high
        assert row["adopted"] == (row["difference"] >= document["least_gain"] and low > 0)
