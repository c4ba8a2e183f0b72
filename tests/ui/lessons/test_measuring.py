"""Computations of the lesson on measuring: scores in the browser, averages, and losses."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np
import pytest
from scipy import ndimage

from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from tests.ui.node import decoded, encoded, run
from ui.lessons import page
from ui.lessons.measuring import averages, losses
from ui.results import experiments

CONFUSION = ("viewer/masks.js", "lessons/shared/picture.js", "lessons/shared/confusion.js")
EMPTY, FOUND, MISSED, ALARM = (
    Counts(0, 0, 0, 100),
    Counts(30, 10, 10, 50),  # Dice 60 / 80
    Counts(0, 0, 4, 96),
    Counts(0, 2, 0, 98),
)


def test_scores_in_the_browser_are_those_of_the_library():
    generator = np.random.default_rng(11)
    counts = [Counts(*map(int, generator.integers(0, 9, 4))) for _ in range(200)]
    counts += [EMPTY, MISSED, ALARM, Counts(0, 0, 0, 0), Counts(5, 0, 0, 0)]
    found = run(
        ("lessons/measuring/measure.js",),
        "given.counts.map(([tp, fp, fn, tn]) => scores({ tp, fp, fn, tn }))",
        counts=[[c.tp, c.fp, c.fn, c.tn] for c in counts],
    )
    for each, scored in zip(counts, found, strict=True):
        expected = {
            "dice": overlap.dice(each),
            "iou": overlap.iou(each),
            "precision": overlap.precision(each),
            "recall": overlap.recall(each),
            "accuracy": overlap.pixel_accuracy(each),
        }
        assert scored == pytest.approx(expected)


def test_borders_are_as_far_apart_in_the_browser_as_in_the_library():
    generator = np.random.default_rng(4)
    shape = (23, 31)
    masks = [
        ndimage.gaussian_filter(generator.random(shape), 2) > level for level in (0.49, 0.5, 0.53)
    ]
    speck = np.zeros(shape, bool)
    speck[2, 2] = speck[20:22, 27:29] = True
    edge = np.ones(shape, bool)
    empty = np.zeros(shape, bool)
    pairs = [(a, b) for a in (*masks, speck, edge, empty) for b in (*masks, speck, edge, empty)]
    found = run(
        ("lessons/shared/distance.js",),
        "given.pairs.map(([a, b]) => hausdorff95(bytes(a), bytes(b), given.rows, given.cols))",
        pairs=[[encoded(a), encoded(b)] for a, b in pairs],
        rows=shape[0],
        cols=shape[1],
    )
    for (a, b), distance in zip(pairs, found, strict=True):
        expected = overlap.hausdorff95(a, b)
        assert distance == (None if expected is None else pytest.approx(expected, abs=1e-4))


def test_each_pixel_has_one_fate():
    mask, truth = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    codes = run(
        CONFUSION,
        "text(outcomes(bytes(given.mask), bytes(given.truth)))",
        mask=encoded(mask),
        truth=encoded(truth),
    )
    assert decoded(codes, (4,)).tolist() == [0, 2, 3, 1]


@pytest.mark.parametrize("radius", [6, 12, 23, 44])
def test_a_far_speck_costs_little_dice_and_a_long_distance(radius):
    rows, cols = np.mgrid[:256, :256]
    truth = ((rows - 90) ** 2 + (cols - 170) ** 2 < radius**2).astype(np.uint8)
    found = run(
        ("lessons/measuring/measure.js",),
        "text(withSpeck(bytes(given.truth), 256, 256))",
        truth=encoded(truth),
    )
    mask = decoded(found, (256, 256)).astype(bool)
    told = page.text_of("measuring")["Task: measure 4"]
    assert "Dice loses about 0.02" in told and "a twenty-fifth of the tumor's size" in told
    assert overlap.dice(overlap.count(mask, truth.astype(bool))) == pytest.approx(0.98, abs=0.005)
    assert overlap.hausdorff95(mask, truth.astype(bool)) > 50


def test_three_averages_of_one_set_of_masks():
    group = {"a": {1: EMPTY, 2: FOUND, 3: MISSED}, "b": {1: EMPTY, 2: EMPTY}, "c": {1: ALARM}}
    # Slices: 0.75, 0 and 0 are defined; patients: a has 60 / (60 + 10 + 14), c 0, b none.
    left_out = averages.average(group, None)
    assert left_out.slices == pytest.approx(0.75 / 3)
    assert left_out.patients == pytest.approx(60 / 84 / 2)
    assert left_out.pooled == pytest.approx(60 / 86)
    assert averages.average(group, 1.0).slices == pytest.approx(3.75 / 6)
    assert averages.average(group, 0.0).slices == pytest.approx(0.75 / 6)
    assert averages.average(group, 1.0).pooled == left_out.pooled
    nothing = averages.average({"b": {1: EMPTY}}, None)
    assert (nothing.slices, nothing.patients, nothing.pooled) == (None, None, None)


def test_slices_are_drawn_with_their_convention():
    figure = averages.slices_of({1: EMPTY, 2: FOUND, 3: MISSED}, None)
    tumor, bars = figure.data
    assert list(tumor.x) == [2, 3] and list(tumor.y) == [0.75, 0.0]
    assert list(bars.y) == [0, 40, 4]
    tumor, without, _ = averages.slices_of({1: EMPTY, 2: FOUND}, 1.0).data
    assert list(without.x) == [1] and list(without.y) == [1.0]


def test_losses_that_count_pixels_hardly_mind_a_small_tumor():
    costs = losses.size_costs([10, losses.TYPICAL, 3000])
    for key in ("bce", "focal"):
        assert costs[key] == pytest.approx([0.01, 1, 3])
    for key in ("dice", "tversky"):
        assert costs[key][0] > 0.3 and costs[key][2] < 1.05
    assert set(costs) == set(losses.TITLES) == set(losses.STYLES)


def test_costs_of_a_pixel_fall_from_one_to_nothing():
    for values in losses.pixel_costs([0.01, 0.3, 0.6, 0.99]).values():
        assert values[0] == 1 and values[-1] == 0 and values == sorted(values, reverse=True)
    half = losses.pixel_costs([0.01, 0.5, 0.99])
    assert half["focal"][1] < half["bce"][1] < half["dice"][1] < half["tversky"][1]


def test_to_miss_costs_more_than_an_alarm_with_tversky_and_less_with_focal():
    costs = losses.miss_against_alarm()
    assert costs["focal"] == pytest.approx(1 / 3, rel=1e-3)  # 0.25 on tumor, 0.75 elsewhere
    assert costs["bce"] == pytest.approx(1, rel=0.02)
    assert costs["tversky"] > 2 > costs["dice"] > 1


def gray(values: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", values)[1].tobytes()).decode()


@pytest.fixture
def found() -> dict:
    """An experiment's file with one slice and two networks."""
    truth = np.zeros((4, 5), np.uint8)
    truth[1:3, 2:4] = 255
    levels = [truth // 2, truth]
    return {
        "command": "python -m train losses",
        "slices": [
            {
                "patient": "SYNT_X",
                "number": 3,
                "truth_pixels": 4,
                "image_png": gray(truth // 3),
                "truth_png": gray(truth),
            }
        ],
        "arms": [
            {
                "key": key,
                "title": key,
                "best_threshold": 0.3,
                "score": {"mean_dice": 0.5},
                "shown": [{"levels_png": gray(each)}],
            }
            for key, each in zip(("bce", "dice"), levels, strict=True)
        ],
    }


def test_masks_of_an_experiment_reach_the_browser_pixel_by_pixel(found):
    packed = losses._message(found, 0, 0.4)
    meta, planes = run(
        ("viewer/masks.js", "viewer/message.js"),
        """(async () => {
            const { meta, part } = readMessage(bytes(given.packed));
            const { rows, cols } = meta.slices[0];
            return [meta, (await unpack(part("0"), 4, rows, cols)).map(text)];
        })()""",
        packed=encoded(np.frombuffer(packed, np.uint8)),
    )
    assert (meta["shown"], meta["at"], meta["slices"][0]["tumor"]) == (0, 0.4, 4)
    image, truth, first, second = [decoded(plane, (4, 5)) for plane in planes]
    assert image.max() == 85 and truth.max() == 1 and truth.sum() == 4
    assert first.max() == 127 and second.max() == 255 and (second == 255 * truth).all()


def test_experiments_are_read_or_said_to_be_missing(tmp_path, found):
    assert experiments.read("losses", tmp_path) is None
    (tmp_path / "metrics").mkdir()
    path = tmp_path / "metrics" / "losses.json"
    path.write_text(json.dumps(found))
    assert experiments.read("losses", tmp_path) == found
    path.write_text("{")
    assert experiments.read("losses", tmp_path) is None
    with pytest.raises(ValueError, match="cannot be read"):
        experiments.picture(base64.b64encode(b"no picture").decode())
