"""The sentence about the whole study: slices, size, side, and what it must never claim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from btmodels.geometry import VolumeGeometry
from btmodels.measurement.measure import measure
from btmodels.measurement.study import answer, groups_of, sentence, summarize
from btmodels.slices import Analysis, Prediction, Slice, Turn, VolumePosition
from tests import fakes

GRID = VolumeGeometry("NIfTI", (40, 40, 5), (2, 1, 0), affine=np.diag([-2.0, -1.0, 5.0, 1.0]))


def slice_of(index: int, grid: VolumeGeometry | None = None, **fields) -> Slice:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[4:36, 4:36] = 100
    position = VolumePosition("v", "brain.nii", grid, index) if grid else None
    return replace(Slice(f"s{index}", pixels, number=index + 1, position=position), **fields)


def marks(each: Slice, rows: int, left: bool = False) -> Analysis:
    """Mark 10 columns of some rows in the picture's right half, or its left."""
    levels = np.zeros((40, 40), np.uint8)
    levels[5 : 5 + rows, slice(6, 16) if left else slice(24, 34)] = 255
    records = (replace(fakes.record(name), min_component_pixels=0) for name in ("unet", "resnet50"))
    return measure(each, Prediction(0.9, levels), *records, "unet", "resnet50")


def told(
    areas: list[int | None], grid=GRID, left: bool = False, rejected: int = 0, **fields
) -> str:
    slices = [slice_of(i, grid, **fields) for i in range(len(areas))]
    analyses = [
        None if rows is None else marks(each, rows, left)
        for each, rows in zip(slices, areas, strict=True)
    ]
    return sentence(summarize(slices, analyses, rejected))


def test_slices_volume_largest_slice_and_side():
    # 10 columns x 9 rows of 2 x 1 x 5 mm are 0.9 mL; the picture's right is the patient's left.
    words = told([0, 2, 4, 3, 0])
    assert words == "Tumor marked in 3 of 5 slices, 0.90 mL, largest in slice 3, left side."
    assert "right side" in told([0, 2, 4, 3, 0], left=True)


def test_pixels_and_halves_of_the_picture_where_the_file_says_nothing():
    words = told([0, 2, 4], grid=None)
    assert words == (
        "Tumor marked in 2 of 3 slices, 60 px, largest in slice 3, right half of the picture."
    )
    assert "left side" in told([0, 2, 4], grid=None, patient="TCGA_AA_0001_20010101")
    turned = told([0, 2, 4], turn=Turn(0, True))
    assert "half of the picture" in turned and "mL" in turned


def test_where_the_true_mask_is_larger_is_said_as_well():
    # Pages open on the true mask's slice, so that the sentence names it, too.
    slices = [slice_of(i, truth=np.full((40, 40), i == 1)) for i in range(3)]

    def told_of(*areas: int) -> str:
        return sentence(
            summarize(slices, [marks(*each) for each in zip(slices, areas, strict=True)])
        )

    assert ", largest in slice 3 (the true mask in slice 2), right" in told_of(0, 2, 4)
    assert ", largest in slice 2, right" in told_of(0, 4, 2)
    assert told_of(0, 0, 0) == ("No tumor marked in 3 slices; the true mask is largest in slice 2.")


def test_nothing_marked_is_said_as_plainly():
    assert told([0] * 22) == "No tumor marked in 22 slices."
    assert told([0], grid=None) == "No tumor marked in this slice."
    assert told([3], grid=None) == "Tumor marked in this slice, 30 px, right half of the picture."
    assert "60 mm²" in told([3], grid=None, spacing=(1.0, 2.0))


def test_a_part_of_a_study_is_never_the_whole():
    assert told([None, None, None]) == "Reading 3 slices…"
    assert told([0, 0, None]) == "No tumor marked in 2 slices so far, 3 in all."
    assert told([0, 4, None]) == "Tumor marked in 1 of 2 slices so far, 3 in all."


def test_slices_that_were_not_fit_to_judge_are_said():
    assert told([0, 4, None], rejected=1).endswith(" 1 slice cannot be analyzed.")
    assert told([None, None], rejected=2) == "None of the 2 slices can be analyzed."


def test_every_second_slice_of_a_fine_volume_stands_for_two():
    slices = [slice_of(i, GRID) for i in (0, 2, 4)]
    summary = summarize(slices, [marks(each, 1) for each in slices])
    assert summary.milliliters == pytest.approx(3 * 10 * 2 * 10 / 1000)


def test_pictures_beside_a_volume_go_by_their_number():
    loose = [slice_of(i, number=None) for i in range(2)]
    studies = [loose, loose[:1], [slice_of(0, GRID)]]
    summaries = [summarize(each, [marks(one, 4) for one in each]) for each in studies]
    assert [each.title for each in summaries] == ["2 pictures", "s0", "brain.nii"]
    assert answer(summaries).startswith("2 pictures: Tumor marked in 2 of 2 slices")


def test_two_volumes_are_two_answers():
    other = VolumePosition("w", "second.nii", GRID, 0)
    slices = [slice_of(0, GRID), slice_of(1, GRID), slice_of(0, GRID, position=other)]
    groups = groups_of(slices)
    assert groups == [[0, 1], [2]]
    analyses = [marks(each, rows) for each, rows in zip(slices, (0, 4, 0), strict=True)]
    words = answer([summarize([slices[i] for i in g], [analyses[i] for i in g]) for g in groups])
    assert words == (
        "brain.nii: Tumor marked in 1 of 2 slices, 0.40 mL, largest in slice 2, left side. "
        "second.nii: No tumor marked in this slice."
    )


def test_both_sides():
    each = slice_of(0, GRID)
    analysis = marks(each, 4)
    mask = analysis.mask | analysis.mask[:, ::-1]
    summary = summarize([each], [replace(analysis, mask=mask, marked_pixels=int(mask.sum()))])
    assert summary.side_in_words == "both sides"
