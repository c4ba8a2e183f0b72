"""Batches of trainings with augmentation of their own."""

import numpy as np
import pytest

from btmodels.slices import FLAIR
from btmodels.transforms.preprocess import standardize
from train.fit.augment import Augmentation
from train.fit.data import Epoch
from train.fit.stacks import (
    by_patient,
    heights_of,
    join_neighbors,
    least_consistent,
    stack_statistics,
)
from train.fit.subset import Subset

SIZE, EACH = 48, 6


def patients(*shifts: int) -> Subset:
    """Patients of six slices, out of order, whose lesion moves by so many columns from slice to slice;
    None of them alike in brightness."""
    rng = np.random.default_rng(0)
    pixels, masks, names, numbers = [], [], [], []
    for patient, shift in enumerate(shifts):
        for number in (3, 1, 2, 6, 5, 4):
            slice_ = np.zeros((SIZE, SIZE, 3), np.uint8)
            slice_[4:-4, 4:-4] = rng.integers(60, 80 + 10 * number, (SIZE - 8, SIZE - 8, 3))
            mask = np.zeros((SIZE, SIZE), np.uint8)
            start = 8 + (number - 1) * shift
            mask[14:30, start : start + 14] = 255
            slice_[mask > 0, FLAIR] = 200
            pixels.append(slice_)
            masks.append(mask)
            names.append(f"P{patient}")
            numbers.append(number)
    return Subset(np.stack(pixels), np.stack(masks), tuple(names), tuple(numbers))


CHANGES = (
    {},
    {"strength": 1.7},
    {"paste": 1.0},
    {"nnunet": True},
    {"soft_edges": 3.0},
    {"volume": 1.0},
    {"leave_out": 0.5},
)


@pytest.mark.parametrize("changes", CHANGES)
def test_batches_repeat_and_stay_in_range(changes):
    def first():
        epoch = Epoch(patients(0, 1, 4), 3, 1, 4, 8, augmentation=Augmentation(**changes))
        return epoch[0]

    (pixels, masks), (again, masks_again) = first(), first()
    assert pixels.shape == (4, SIZE, SIZE, 3) and masks.shape == (4, SIZE, SIZE, 1)
    assert pixels.dtype == masks.dtype == np.float32
    assert (pixels == again).all() and (masks == masks_again).all()
    assert masks.min() >= 0 and masks.max() <= 1 and masks.any()
    assert abs(pixels).max() < 12


@pytest.mark.parametrize("changes", [each for each in CHANGES if each])
def test_every_change_changes_something(changes):
    plain, more = (
        Epoch(patients(0, 1, 4), 0, 0, 8, 32, augmentation=Augmentation(**each))
        for each in ({}, changes)
    )
    if "leave_out" in changes:
        assert len(plain.order) == len(more.order) and (plain.order != more.order).any()
        return
    pairs = [zip(plain[step], more[step], strict=True) for step in range(4)]
    assert any((a != b).any() for pair in pairs for a, b in pair)


def test_lesions_are_pasted_from_other_patients_at_the_same_height():
    subset = patients(0, 1, 1)
    assert heights_of(subset)[:6] == pytest.approx([0.4, 0.0, 0.2, 1.0, 0.8, 0.6])
    # One donor is left: another patient's slice at this height, whose lesion is told by its level.
    empty = subset.masks.copy()
    empty[6:] = 0
    empty[6] = subset.masks[6]
    subset.pixels[6][subset.masks[6] > 0] = 250
    epoch = Epoch(
        Subset(subset.pixels, empty, subset.patients, subset.numbers),
        *(0, 0, 1, 4),
        augmentation=Augmentation(paste=1.0),
    )
    own = [epoch._paste(0, np.random.default_rng(seed))[1] for seed in range(20)]
    far = [epoch._paste(3, np.random.default_rng(seed))[1] for seed in range(20)]
    assert any((each != empty[0]).any() for each in own)
    assert all((each == empty[3]).all() for each in far)


def test_the_least_consistent_patients_are_those_whose_masks_jump():
    assert least_consistent(patients(0, 5, 1, 1, 1), share=0.2) == ["P1"]


def test_left_out_slices_are_those_of_the_least_consistent():
    subset = patients(0, 5, 1, 1, 1)
    epoch = Epoch(subset, 0, 0, 1, 10_000, augmentation=Augmentation(leave_out=1.0))
    assert {subset.patients[i] for i in epoch.order} == {"P0", "P2", "P3", "P4"}


def test_statistics_of_the_stack_are_those_of_all_its_heads_together():
    subset = patients(0, 1)
    found = stack_statistics(subset)
    own = by_patient(subset)["P1"]
    heads = [subset.pixels[i][4:-4, 4:-4].reshape(-1, 3) for i in own]
    whole = np.concatenate(heads).astype(float)
    for index in own:
        gain, offset = found[int(index)]
        values = standardize(subset.pixels[index]) * gain + offset
        wanted = (subset.pixels[index].astype(float) - whole.mean(axis=0)) / whole.std(axis=0)
        assert np.allclose(values[4:-4, 4:-4], wanted[4:-4, 4:-4], atol=1e-3)


def test_neighbors_are_those_of_the_stack_and_of_the_same_patient():
    subset = patients(0, 1)
    joined = join_neighbors(subset)
    below, self_, above = (joined.pixels[..., channel] for channel in range(3))
    flair = subset.pixels[..., FLAIR]
    assert (self_ == flair).all()
    assert (below[0] == flair[2]).all() and (above[0] == flair[5]).all()  # number 3: 2 and 4
    assert (below[1] == flair[1]).all() and (above[1] == flair[2]).all()  # number 1 is the first
    assert (above[9] == flair[9]).all(), "the last slice of P1 has no neighbor in another patient"


def test_slices_without_numbers_have_no_order():
    subset = patients(0)
    with pytest.raises(ValueError, match="no numbers"):
        by_patient(Subset(subset.pixels, subset.masks, subset.patients))
