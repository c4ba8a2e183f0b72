"""An edge that cuts through a head is found, whichever it is; a head that stays clear of it is not cut."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.quality import check, classifier, cropping

EDGES = ("upper", "lower", "left", "right")


def disk(row: int = 64, col: int = 64, radius: int = 40, ring: int = -1) -> np.ndarray:
    """A gray disk, or a ring of some width, before noise that is never quite black."""
    gray = np.random.default_rng(4).integers(2, 9, (128, 128)).astype(np.uint8)
    cv2.circle(gray, (col, row), radius, 120, ring)
    return np.repeat(gray[..., None], 3, axis=2)


def test_air_all_around_is_no_cut():
    assert cropping.cropped_edge(disk())[1] < 0.1
    assert cropping.cropped_edge(disk(ring=5))[1] < 0.1


@pytest.mark.parametrize(
    ("edge", "row", "col"),
    [("upper", 0, 64), ("lower", 127, 64), ("left", 64, 0), ("right", 64, 127)],
)
@pytest.mark.parametrize("ring", [-1, 5])
def test_half_a_disk_is_cut_along_all_of_its_width(edge, row, col, ring):
    found, share = cropping.cropped_edge(disk(row, col, ring=ring))
    assert found == edge and share > 0.95


def test_a_part_is_cut_by_its_share():
    # 24 of 40 pixels from the edge: the chord is 2 √(40² - 24²) = 64 of a width of 80.
    found, share = cropping.cropped_edge(disk(row=24))
    assert found == "upper" and share == pytest.approx(64 / 80, abs=0.06)


def test_a_picture_that_a_head_fills_is_cut_everywhere():
    level = np.random.default_rng(5).integers(60, 160, (128, 128, 1)).astype(np.uint8)
    assert cropping.cropped_edge(np.repeat(level, 3, axis=2))[1] > 0.95


def test_nothing_is_not_cut():
    assert cropping.cropped_edge(np.zeros((40, 50, 3), np.uint8))[1] == 0


@lru_cache(maxsize=1)
def samples() -> tuple[np.ndarray, ...]:
    """A slice in the middle of each synthetic patient."""
    patients = cohort.read_cohort(cohort.samples_root())
    return tuple(cohort.read_slice(p, p.files[len(p.files) // 2]).pixels for p in patients)


def without(pixels: np.ndarray, edge: str) -> np.ndarray:
    """The slice with half of it cut off at an edge."""
    rows, cols = (size // 2 for size in pixels.shape[:2])
    halves = {
        "upper": pixels[rows:],
        "lower": pixels[:rows],
        "left": pixels[:, cols:],
        "right": pixels[:, :cols],
    }
    return np.ascontiguousarray(halves[edge])


@pytest.mark.skipif(
    classifier.load_thresholds() is None, reason="there are no thresholds in this copy"
)
@pytest.mark.parametrize("edge", EDGES)
def test_half_a_slice_is_told_with_the_edge(edge):
    for pixels in samples():
        findings = check.check_slice(without(pixels, edge)).findings
        kinds = [each.kind for each in findings]
        assert "cropped" in kinds or "not_a_brain" in kinds
        for each in findings:
            assert each.kind != "cropped" or each.evidence.startswith(f"The {edge} edge")


@pytest.mark.skipif(
    classifier.load_thresholds() is None, reason="there are no thresholds in this copy"
)
def test_whole_slices_stay_below_the_limit():
    limit = classifier.load_thresholds().values["cropped"]
    assert all(cropping.cropped_edge(pixels)[1] < limit for pixels in samples())
