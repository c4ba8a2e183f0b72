"""Numbers that scanners round part no series and join no passes."""

from __future__ import annotations

import numpy as np

from tests.btmodels.reading import read
from tests.btmodels.scanner import dicom, series

VOLUME = np.random.default_rng(2).integers(0, 256, (4, 6, 7), np.uint8)


def slices_by_study(*files: bytes) -> list[int]:
    batch = read([(f"x{i}.dcm", data) for i, data in enumerate(files)])
    return [len(study.slices) for study in batch.studies]


def test_directions_that_differ_by_rounding_are_one_series():
    # Rounded to two digits, 0.00499 and 0.00501 would be 0.00 and 0.01.
    files = [
        dicom(
            values,
            SOPInstanceUID=f"1.2.3.{index}",
            InstanceNumber=index,
            ImagePositionPatient=[-10, -20, 30 + 4 * index],
            ImageOrientationPatient=[1, 0.00499 + 0.00002 * (index % 2), 0, 0, 1, 0],
        )
        for index, values in enumerate(VOLUME)
    ]
    assert slices_by_study(*files) == [4]


def test_positions_that_differ_by_rounding_are_one_place_in_two_passes():
    # In hundredths of a millimeter, 30 and 30.00999 would be two places of one pass.
    first = series(VOLUME)
    moved = [
        dicom(
            255 - values,
            SOPInstanceUID=f"1.2.4.{index}",
            InstanceNumber=index,
            EchoNumbers=2,
            SliceThickness=4,
            ImagePositionPatient=[-10, -20, 30.00999 + 4 * index],
        )
        for index, values in enumerate(VOLUME)
    ]
    assert slices_by_study(*first.values(), *moved) == [4, 4]
