"""Figures show the numbers they are given, and nothing rests on color alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from ui.scoreboard import charts, curves
from ui.shared import chart_style

ROOT = Path(__file__).resolve().parents[3]


def traces(figure, name: str) -> list:
    return [trace for trace in figure.data if trace.name == name]


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.1)."""
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", [chart_style.BLUE, chart_style.VERMILION, chart_style.GRAY])
def test_colors_stand_out_on_both_themes(theme, color):
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert contrast(color, config["theme"][theme]["backgroundColor"]) >= 3


def test_curves_mark_the_stored_threshold():
    figure = curves.roc([0, 0, 1], [0, 1, 1], (0.0, 1.0))
    (mark,) = traces(figure, "network's threshold")
    assert (mark.x[0], mark.y[0]) == (0.0, 1.0)
    assert not traces(curves.roc([0, 1], [0, 1]), "network's threshold")
    (chance,) = traces(curves.precision_recall([0.5, 1], [1, 0.5], 0.25), "chance")
    assert list(chance.y) == [0.25, 0.25] and chance.line.dash == "dash"


def test_reliability_draws_bins_and_how_many_they_hold():
    figure = curves.reliability([(0.1, 0.0, 90), (0.8, 0.75, 4)], "slices")
    (curve,) = traces(figure, "this network")
    assert list(curve.x) == [0.1, 0.8] and list(curve.y) == [0.0, 0.75]
    assert list(figure.data[-1].y) == [90, 4]
    assert not list(traces(curves.reliability([], "slices"), "this network")[0].x)


def test_confusion_puts_each_count_where_it_belongs():
    figure = charts.confusion({"tp": 3, "fp": 1, "fn": 2, "tn": 4})
    squares, words = figure.data
    assert [list(row) for row in squares.z] == [[0.8, 0.2], [0.4, 0.6]]
    found = {(x, y): text for x, y, text in zip(words.x, words.y, words.text, strict=True)}
    assert found["says yes", "tumor"] == "<b>3</b><br>60.0%"
    assert found["says yes", "no tumor"] == "<b>1</b><br>20.0%"
    assert found["says no", "tumor"] == "<b>2</b><br>40.0%"


def test_confusion_without_a_kind_of_slices_divides_by_nothing():
    squares = charts.confusion({"tp": 0, "fp": 0, "fn": 0, "tn": 4}).data[0]
    assert list(squares.z[1]) == [0, 0]


def test_missed_slices_are_crosses():
    figure = charts.dice_by_pixels([10, 200], [0.0, 0.9], ["A, slice 1", "A, slice 2"])
    found, missed = figure.data
    assert (list(missed.x), missed.marker.symbol) == ([10], "x")
    assert (list(found.x), found.marker.symbol) == ([200], "circle")
    assert missed.name == "missed: 1"
    assert [t.name for t in charts.dice_by_pixels([10], [0.5], ["A"]).data] == [
        "found, at least in part: 1"
    ]


def test_size_bars_are_the_groups_and_differ_in_pattern():
    groups = overlap.score_by_size([Counts(5, 0, 5, 0), Counts(0, 0, 4000, 0)])
    found, dice = charts.size_bars([each for each in groups if each["slices"]]).data
    assert list(found.x) == ["1<br>to 99", "3,000<br>or more"]
    assert list(found.y) == [1, 0]
    assert list(dice.y) == [pytest.approx(2 / 3), 0]
    assert found.marker.pattern.shape != dice.marker.pattern.shape


def test_training_draws_scores_only_where_they_were_taken():
    history = [{"epoch": 1, "loss": 0.9, "score": None}, {"epoch": 2, "loss": 0.5, "score": 0.7}]
    loss, score = charts.training(history, "Mean Dice").data
    assert (list(loss.x), list(loss.y)) == ([1, 2], [0.9, 0.5])
    assert (list(score.x), list(score.y)) == ([2], [0.7])
    assert loss.line.dash != score.line.dash and loss.marker.symbol != score.marker.symbol
    (alone,) = charts.training(history[:1], "Mean Dice").data
    assert list(alone.y) == [0.9]


@pytest.mark.parametrize(
    "figure",
    [
        curves.roc([0, 1], [0, 1]),
        charts.confusion({"tp": 1, "fp": 1, "fn": 1, "tn": 1}),
        charts.training([{"epoch": 1, "loss": 1.0, "score": None}], "Mean Dice"),
    ],
)
def test_a_finger_scrolls_the_page_and_numbers_are_json(figure):
    assert figure.layout.dragmode is False and figure.layout.xaxis.fixedrange
    assert "NaN" not in json.dumps(json.loads(figure.to_json()))
