"""Computations of the lesson on transfer: maps in the browser, kernels, and sentences of the study."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from scipy import ndimage

from btmodels.errors import WeightsError
from btmodels.teaching.first_kernels import first_kernels
from btmodels.transforms.preprocess import standardize
from tests.ui.node import decoded, encoded, run
from ui.lessons.test_set import held_out
from ui.lessons.transfer import kernels, transfer
from ui.results import transfer_figures as figures

CONVOLVE = ("lessons/transfer/convolve.js",)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (14, 17, 3), np.uint8)


def test_the_browser_sees_what_a_network_sees(pixels):
    found = run(
        CONVOLVE,
        """standardized(given.channels.map(bytes), given.tables).map((values) => [...values])""",
        channels=[encoded(pixels[..., channel]) for channel in range(3)],
        tables=kernels.tables(pixels),
    )
    expected = standardize(pixels).transpose(2, 0, 1).reshape(3, -1)
    assert np.array(found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (7, 1), (3, 2)])
def test_a_map_is_what_scipy_correlates(pixels, size, stride):
    kernel = np.random.default_rng(size).normal(size=(size, size, 3))
    found = run(
        CONVOLVE,
        """[...convolve(given.channels, given.rows, given.cols, given.kernel, given.size, given.stride)]""",
        channels=[pixels[..., channel].ravel().tolist() for channel in range(3)],
        rows=14,
        cols=17,
        kernel=kernel.ravel().tolist(),
        size=size,
        stride=stride,
    )
    expected = sum(
        ndimage.correlate(pixels[..., c].astype(float), kernel[..., c], mode="constant")
        for c in range(3)
    )[::stride, ::stride]
    assert np.array(found) == pytest.approx(expected.ravel(), rel=1e-4, abs=1e-2)


def test_shades_keep_signs_apart():
    signed, cut = run(
        CONVOLVE,
        "[false, true].map((relu) => text(shades(Float32Array.from(given.map), relu)))",
        map=[-2, -1, 0, 1, 2],
    )
    assert decoded(signed, (5,)).tolist() == [0, 64, 128, 191, 255]
    assert decoded(cut, (5,)).tolist() == [0, 0, 0, 128, 255]


def test_the_encoder_stands_still_as_long_as_it_is_frozen():
    found = run(
        ("lessons/transfer/freezing.js",),
        "given.arms.map((arm) => [0, 24, 25, 100].map((at) => moves(arm, at)))",
        arms=transfer.ARMS,
    )
    assert found == [[True] * 4, [False] * 4, [False, False, True, True], [True] * 4]


def test_kernels_by_chance_are_as_a_network_begins():
    values = kernels.chance((3, 3, 3, 400))
    assert (values == kernels.chance((3, 3, 3, 400))).all()
    assert values.std() == pytest.approx(np.sqrt(2 / 27), rel=0.03)
    assert np.abs(values).max() <= 2 * np.sqrt(2 / 27) / 0.8796 + 1e-6


def test_kernels_of_the_sites_network_are_read_once_its_weights_are_verified(tmp_path):
    found = first_kernels(kernels.NETWORK)
    assert found.shape == (3, 3, 3, 64) and np.isfinite(found).all()
    with pytest.raises(WeightsError):
        first_kernels(kernels.NETWORK, tmp_path)
    with pytest.raises(WeightsError, match="Received: 2"):
        first_kernels("ensemble")


def cell(arm: str, score: float, **changed) -> dict:
    """A cell of the study, made up."""
    values = np.arange(27, dtype="<f2").reshape(3, 3, 3, 1)
    entry = {"shape": list(values.shape), "float16": base64.b64encode(values.tobytes()).decode()}
    reached = {"scratch": 90.0, "frozen": None, "staged": 30.0}[arm]
    return {
        "encoder": "vgg16",
        "task": "segment",
        "arm": arm,
        "share": 1.0,
        "training_patients": 70,
        "parameters": 100,
        "trained_parameters": 40 if arm == "frozen" else 100,
        "cpu_seconds": 120.0,
        "score": {"mean_dice": score, "mean_dice_interval": [score - 0.1, score + 0.1]},
        "curve": [{"slices": 8, "loss": 1.0, "score": score, "cpu_seconds": 120.0}],
        "reached": [
            {"score": 0.3, "slices": 8, "cpu_seconds": reached},
            {"score": 0.9, "slices": None, "cpu_seconds": None},
        ],
        "kernels": {"layer": "block1_conv1", "moved": 0.25, "before": entry, "after": entry},
    } | changed


CELLS = [
    cell("staged", 0.7),
    cell("scratch", 0.5),
    cell("frozen", 0.45),
    cell("scratch", 0.5, share=0.1, training_patients=7),
    cell("staged", 0.55, share=0.1, training_patients=7),
]


def test_cells_are_picked_in_the_order_of_the_arms():
    assert [c["arm"] for c in figures.pick(CELLS, "vgg16", "segment")] == [
        "scratch",
        "frozen",
        "staged",
    ]
    assert len(figures.pick(CELLS, "vgg16", "segment", None)) == 5
    assert figures.pick(CELLS, "resnet50", "segment") == []


def scored(arm: str, dice: list[float], **changed) -> dict:
    """A cell with a Dice for each patient."""
    patients = {str(number): value for number, value in enumerate(dice)}
    return cell(arm, sum(dice) / len(dice), **changed) | {
        "score": {"mean_dice": sum(dice) / len(dice), "patients": patients}
    }


def test_a_start_is_compared_with_scratch_patient_by_patient():
    # Patients differ far more than the two networks do, and still one of them is always ahead.
    base = [0.1, 0.3, 0.5, 0.7, 0.9]
    sure = scored("staged", [value + 0.05 + 0.01 * n for n, value in enumerate(base)])
    doubtful = scored("frozen", [value + (0.3 if n % 2 else -0.15) for n, value in enumerate(base)])
    worse = scored("staged", [value - 0.1 for value in base], share=0.1, training_patients=7)
    cells = [
        scored("scratch", base),
        doubtful,
        sure,
        scored("scratch", base, share=0.1, training_patients=7),
        worse,
    ]
    rows = figures.gains(cells)
    assert [(row["Start"], row["Patients trained on"], row["Ahead"]) for row in rows] == [
        ("frozen", 70, "open"),
        ("unfrozen", 70, "yes"),
        ("unfrozen", 7, "no"),
    ]
    assert rows[1]["Difference"] == pytest.approx(0.07)
    assert rows[2]["95% interval of the difference"] == "-0.10 to -0.10"


def test_a_score_without_patients_has_no_interval_of_its_difference():
    base = cell("scratch", 0.5, task="classify") | {"score": {"auc": 0.89}}
    other = cell("frozen", 0.5, task="classify") | {"score": {"auc": 0.8}}
    (row,) = figures.gains([base, other])
    assert (row["Ahead"], row["95% interval of the difference"]) == ("no", "not recorded")
    assert row["Difference"] == pytest.approx(-0.09)


def test_times_tell_the_first_to_arrive_and_leave_out_what_nobody_reached():
    assert figures.times(figures.pick(CELLS, "vgg16", "segment")) == [
        "A score of 0.3: after 90 s from scratch, after 30 s unfrozen."
    ]


def test_figures_hold_the_numbers():
    whole = figures.pick(CELLS, "vgg16", "segment")
    drawn = figures.curves(whole, "slices").data
    assert [list(line.y) for line in drawn if line.mode == "lines+markers"] == [
        [0.5],
        [0.45],
        [0.7],
    ]
    # Each line ends beside the number that the table has.
    final = [list(line.y) for line in drawn if line.mode == "markers"]
    assert final == [[figures.score_of(each)] for each in whole]
    scratch, staged = figures.shares(CELLS).data
    assert list(scratch.x) == list(staged.x) == [7, 70]
    assert list(staged.y) == [0.55, 0.7] and list(staged.error_y.array) == pytest.approx([0.1, 0.1])
    row = figures.table(whole)[1]
    assert row["Trained parameters"] == 40 and row["95% interval"] == "0.350 to 0.550"


def test_kernels_of_the_study_stand_between_chance_and_the_site():
    sets = kernels.kernel_sets(CELLS)
    assert [each.key for each in sets] == ["chance", "photographs", "unfrozen", "scratch", "site"]
    assert sets[1].values[..., 0].ravel().tolist() == list(range(27))
    assert "moved by 25%" in sets[2].words
    assert [each.key for each in kernels.kernel_sets([])] == ["chance", "site"]


def test_the_leak_is_told_patient_by_patient():
    def score(*dices):
        return {"patients": dict(enumerate(dices))}

    base = score(0.2, 0.5, 0.9)
    apart = held_out.difference(score(0.4, 0.7, 1.1), base)
    assert "**+0.200** (+0.200 to +0.200)" in apart and "seem better than it is" in apart
    assert "did not help" in held_out.difference(base, score(0.4, 0.7, 1.1))
    assert "does not show the leak" in held_out.difference(score(0.1, 0.6, 0.9), base)
    assert "cannot be compared" in held_out.difference(score(None, 0.5, None), base)
