"""Faults do what their names say, and their costs are paired differences."""

import numpy as np
import pytest

from train.experiments.robustness import (
    FAULTS,
    add_bias,
    add_noise,
    choose,
    halve,
    row_of,
)

RNG = np.random.default_rng(0)
FAULT = {fault.kind: fault for fault in FAULTS}


def picture() -> np.ndarray:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[16:48, 8:40] = (50, 100, 200)
    return pixels


def test_channels_are_replicated_and_swapped():
    assert (FAULT["replicated"].change(picture(), RNG) == picture()[..., 1:2]).all()
    assert (FAULT["swapped"].change(picture(), RNG)[20, 20] == (200, 100, 50)).all()


@pytest.mark.parametrize("kind", [fault.kind for fault in FAULTS])
def test_every_fault_keeps_size_and_type_and_leaves_its_input(kind):
    before = picture()
    after = FAULT[kind].change(before, np.random.default_rng(0))
    cut = 2 if kind == "cropped" else 1
    assert after.shape == (64, 64 // cut, 3) and after.dtype == np.uint8
    assert (before == picture()).all()
    assert (after == before[:, : 64 // cut]).all() == (kind in ("unaltered", "cropped"))


def test_strengths():
    assert (
        10 < np.std(add_noise(picture(), RNG)[20:40, 12:36].astype(float), axis=(0, 1)).min() < 20
    )
    biased = add_bias(np.full((4, 101, 3), 100, np.uint8), RNG)
    assert (biased[0, 0, 0], biased[0, 50, 0], biased[0, 100, 0]) == (60, 100, 140)
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (halve(stripes, RNG) == 100).all(), "finer than half the resolution is lost"


def test_the_truth_turns_with_the_slice():
    mask = picture()[..., 0]
    for kind in ("rotation", "quarter_turn"):
        assert FAULT[kind].moves
        turned = FAULT[kind].change(mask, RNG)
        whole = FAULT[kind].change(picture(), RNG)[..., 0]
        assert (turned == whole).all()


def measured(counts, probability):
    return {
        "patients": ["a", "a", "b"],
        "counts": counts,
        "probability": probability,
        "tumor": [True, False, True],
    }


def test_a_drop_is_the_mean_of_patients_differences():
    before = measured([[8, 0, 0, 2], [0, 0, 0, 10], [5, 0, 5, 0]], [0.9, 0.1, 0.8])
    after = measured([[4, 0, 4, 2], [0, 3, 0, 7], [0, 0, 10, 0]], [0.9, 0.6, 0.2])
    row = row_of(FAULT["noise"], after, before, threshold=0.5)
    dice_a = 8 / (8 + 4 + 3)
    assert row["drop"] == pytest.approx(((1 - dice_a) + (10 / 15)) / 2)
    assert row["worst"] == pytest.approx(10 / 15)
    assert row["false_alarm_rate"] == 1.0 and row["verdicts_changed"] == pytest.approx(2 / 3)
    assert row["auc_drop"] == pytest.approx(0.5)
    assert "drop" not in row_of(FAULT["unaltered"], before, before, 0.5)


def test_slices_are_chosen_at_even_distances():
    from btmodels.dataset import cohort

    patient = cohort.read_cohort(cohort.samples_root())[0]
    chosen = choose(patient, 3, 2)
    assert [bool(item.truth.any()) for item in chosen] == [True, True, True, False, False]
    assert len(choose(patient, 100, 100)) == len(patient.files)
