"""What the lesson on transfer computes: maps in the browser, kernels, and sentences of the study."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from scipy import ndimage

from btmodels import registry
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
        first_kernels(registry.get("default").name)


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


def test_what_did_not_help_is_said():
    assert figures.no_help(CELLS) == [
        "Frozen, 70 patients: 0.450; from scratch 0.500. No help.",
        "Thawed, 7 patients: 0.550; from scratch 0.500, which lies within the interval of the former: "
        "ahead, but chance may have done it.",
    ]


def test_what_is_saved_is_counted_in_patients_with_its_doubt():
    assert figures.patients_saved(CELLS) == [
        "From scratch, 7 patients reach 0.500; thawed, 7 reach 0.550; the interval reaches below the "
        "former, so chance may have done it.",
        "From scratch, 70 patients reach 0.500; thawed, 7 reach 0.550, which saves 63; the interval "
        "reaches below the former, so chance may have done it.",
    ]
    sure = cell("staged", 0.65, share=0.5, training_patients=35)
    assert figures.patients_saved([cell("scratch", 0.5), sure]) == [
        "From scratch, 70 patients reach 0.500; thawed, 35 reach 0.650, which saves 35."
    ]
    beaten = figures.patients_saved([cell("scratch", 0.8), sure])
    assert beaten == [
        "From scratch, 70 patients reach 0.800; thawed, no number of patients that was tried does."
    ]
    assert figures.patients_saved([cell("scratch", 0.8)]) == []


def test_times_tell_the_first_to_arrive_and_leave_out_what_nobody_reached():
    assert figures.times(figures.pick(CELLS, "vgg16", "segment")) == [
        "A score of 0.3: after 90 s from scratch, after 30 s thawed."
    ]


def test_figures_hold_the_numbers():
    whole = figures.pick(CELLS, "vgg16", "segment")
    assert [list(line.y) for line in figures.curves(whole, "slices").data] == [[0.5], [0.45], [0.7]]
    scratch, staged = figures.shares(CELLS).data
    assert list(scratch.x) == list(staged.x) == [7, 70]
    assert list(staged.y) == [0.55, 0.7] and list(staged.error_y.array) == pytest.approx([0.1, 0.1])
    row = figures.table(whole)[1]
    assert row["Numbers trained"] == 40 and row["95 % interval"] == "0.350 to 0.550"


def test_kernels_of_the_study_stand_between_chance_and_the_site():
    sets = kernels.kernel_sets(CELLS)
    assert [each.key for each in sets] == ["chance", "photographs", "thawed", "scratch", "site"]
    assert sets[1].values[..., 0].ravel().tolist() == list(range(27))
    assert "moved by 25 %" in sets[2].words
    assert [each.key for each in kernels.kernel_sets([])] == ["chance", "site"]


def test_the_worth_of_the_leak_is_said_with_its_doubt():
    def score(dice, low, high):
        return {"pooled_dice": dice, "pooled_dice_interval": [low, high]}

    apart = held_out.difference(score(0.9, 0.85, 0.95), score(0.7, 0.6, 0.8))
    assert "**+0.200**" in apart and "overlap" not in apart
    assert "overlap" in held_out.difference(score(0.8, 0.7, 0.9), score(0.7, 0.6, 0.8))
    assert "finds nothing" in held_out.difference(score(0.8, 0.7, 0.9), score(0.0, 0.0, 0.0))
    assert "undefined" in held_out.difference(score(None, 0, 1), score(0.7, 0.6, 0.8))
