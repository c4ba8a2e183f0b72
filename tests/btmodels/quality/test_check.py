"""The check on hand-made pictures and on the synthetic patients that are shipped."""

from __future__ import annotations

import tracemalloc
from functools import lru_cache

import cv2
import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.quality import check, classifier, corrections
from btmodels.slices import Slice
from train.quality import corruptions, drawn_negatives

pytestmark = pytest.mark.skipif(
    classifier.load_thresholds() is None,
    reason="there are no thresholds in this copy of the project",
)


@lru_cache(maxsize=1)
def samples() -> tuple[np.ndarray, ...]:
    """One slice in the middle of each synthetic patient."""
    found = []
    for patient in cohort.read_cohort(cohort.samples_root()):
        file = patient.files[len(patient.files) // 2]
        found.append(cohort.read_slice(patient, file).pixels)
    return tuple(found)


def kinds(pixels: np.ndarray) -> list[str]:
    return [finding.kind for finding in check.check_slice(pixels).findings]


def test_every_slice_of_the_sites_own_samples_passes_untouched():
    touched = {
        file.image.name: diagnosis.sentences
        for patient in cohort.read_cohort(cohort.samples_root())
        for file in patient.files
        if not (diagnosis := check.check_slice(cohort.read_slice(patient, file).pixels)).passed
    }
    assert touched == {}


@pytest.mark.parametrize(
    ("name", "kind", "severity"),
    [
        ("grayscale", "gray", "note"),
        ("replicated", "replicated", "fault"),
        ("too dark", "dark", "fault"),
        ("washed out", "washed_out", "fault"),
        ("overexposed", "overexposed", "fault"),
        ("inverted", "inverted", "stop"),
    ],
)
def test_a_spoiled_slice_is_told_with_figures(name, kind, severity):
    for pixels in samples():
        if name in corruptions.CHANNEL_CORRUPTIONS and not corruptions.distinct(pixels):
            continue
        found = check.check_slice(corruptions.CORRUPTIONS[name][1](pixels)).findings
        finding = next(each for each in found if each.kind == kind)
        assert finding.severity == severity
        assert finding.evidence and finding.text.endswith(".")
        assert (finding.cost == "") == (severity == "stop")


def test_a_mend_leads_to_a_slice_that_passes():
    pixels = samples()[0]
    for name in ("inverted", "too dark", "washed out"):
        (finding, *_) = check.check_slice(corruptions.CORRUPTIONS[name][1](pixels)).findings
        mended = corrections.correct(
            Slice("x", corruptions.CORRUPTIONS[name][1](pixels)), (finding.correction,)
        )
        assert check.check_slice(mended.pixels).passed, name
        assert mended.notes[-1].startswith("Corrected: ")


def test_every_order_of_channels_is_put_right_by_its_mend():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    for order in ("102", "021", "210", "120", "201"):
        taken = [order.index(str(i)) for i in range(3)]  # so that the mend undoes it
        found = corrections.CORRECTIONS["order" + order][1](pixels[..., taken])
        assert (found == pixels).all()


def test_swapped_channels_are_caught_and_mended():
    caught = 0
    whole = [pixels for pixels in samples() if corruptions.distinct(pixels)]
    assert len(whole) >= 4
    for pixels in whole:
        swapped = np.ascontiguousarray(pixels[..., [1, 0, 2]])
        found = [f for f in check.check_slice(swapped).findings if f.kind == "swapped"]
        caught += (
            bool(found)
            and (corrections.CORRECTIONS[found[0].correction][1](swapped) == pixels).all()
        )
    assert caught >= len(whole) - 1


def test_a_stand_in_is_a_note_and_no_fault():
    pixels = samples()[0][..., [1, 1, 2]].copy()
    diagnosis = check.check_slice(pixels)
    assert [f.kind for f in diagnosis.findings] == ["stand_in"] and diagnosis.passed


def test_what_is_no_slice_of_a_head_gets_a_reason_and_no_mask():
    rng = np.random.default_rng(8)
    for make in (
        drawn_negatives.text,
        drawn_negatives.chart,
        drawn_negatives.gradient,
        drawn_negatives.pattern,
    ):
        for _ in range(3):
            stop = check.check_slice(make(rng)).stop
            assert stop is not None and stop.kind in ("not_a_brain", "mask", "ct"), make


@pytest.mark.parametrize("levels", [3, 16, 17])
def test_flat_colors_are_a_drawing(levels):
    # An ellipse of rings before black is round and even on both sides, as a head is.
    row, col = np.ogrid[-1:1:200j, -1:1:200j]
    inside = np.clip(1.3 - np.hypot(1.2 * row, 1.5 * col), 0, 1)
    steps = np.ceil(inside * (levels - 1)) * (255 // levels)
    found = check.check_slice(np.repeat(steps[..., None], 3, axis=2).astype(np.uint8))
    drawn = found.stop is not None and "flat colors" in found.stop.text
    assert drawn == (levels <= check.MOST_LEVELS)


@pytest.mark.parametrize("side", [64, 128])
def test_edges_of_a_small_slice_are_no_values_that_ran_over(side):
    for pixels in samples()[::9]:
        if pixels[..., 1].max() < 120:
            continue
        small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype(float)
        bright = np.rint(small * 255 / small.max()).astype(np.uint8)
        assert "wrapped" not in kinds(bright)
        over = (8 * small).astype(int).astype(np.uint8)
        assert "wrapped" in kinds(over) or check.check_slice(over).stop


def test_a_mask_is_told_from_a_slice():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[20:30, 20:40] = 255
    assert kinds(pixels) == ["mask"]
    assert "4.9%" in check.check_slice(pixels).stop.evidence  # 200 of 4,096


def test_black_is_empty_and_tiny_is_tiny():
    assert kinds(np.zeros((64, 64, 3), np.uint8)) == ["empty"]
    assert check.check_slice(np.zeros((64, 64, 3), np.uint8)).passed
    assert kinds(np.zeros((16, 64, 3), np.uint8)) == ["tiny"]


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        check.check_slice(np.zeros((64, 64), np.uint8))


def test_without_limits_nothing_is_said(monkeypatch):
    monkeypatch.setattr(check, "load_thresholds", lambda: None)
    diagnosis = check.check_slice(samples()[0])
    assert not diagnosis.checked and diagnosis.findings == () and diagnosis.stop is None


def test_an_exchange_is_never_claimed_at_low_confidence():
    assert classifier.load_thresholds().values["exchanged"] >= 0.9
    assert classifier.load_thresholds().values["swapped"] >= 0.5


def test_a_judge_is_its_formula():
    one = classifier.MLPEnsemble(
        mean=np.array([1.0, 0.0]),
        deviation=np.array([2.0, 1.0]),
        hidden=np.array([[[1.0], [0.5]]]),
        hidden_bias=np.array([[0.25]]),
        out=np.array([[3.0]]),
        out_bias=np.array([-1.0]),
    )
    # (5 - 1) / 2 = 2 and -2: tanh(2 - 1 + 0.25) * 3 - 1; clipped, (41 - 1) / 2 counts as 4.
    assert one.score(np.array([5.0, -2.0])) == pytest.approx([3 * np.tanh(1.25) - 1])
    assert one.score(np.array([[41.0, 0.0]])) == pytest.approx([3 * np.tanh(4.25) - 1])


def test_a_picture_of_forty_megapixels_costs_little_memory():
    from btmodels.quality import check

    large = np.zeros((6324, 6324, 3), np.uint8)
    # Too dark: the longest way through the check.
    large[1500:4800, 1800:4600] = (np.arange(2800) % 9 + 1)[None, :, None]
    tracemalloc.start()
    try:
        found = check.check_slice(large)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.findings[0].kind in ("dark", "empty")
    assert peak < 100_000_000, "it would take several times the picture's 120 MB"


@pytest.mark.parametrize(
    ("rows", "cols", "stopped"), [(100, 250, True), (250, 100, True), (120, 240, False)]
)
def test_a_strip_is_no_slice(rows, cols, stopped):
    """A head squeezed into a strip, or half of it beside black: only the shape of the picture decides."""
    pixels = np.zeros((rows, cols, 3), np.uint8)
    side = min(rows, cols)
    pixels[:side, :side] = cv2.resize(samples()[0], (side, side), interpolation=cv2.INTER_AREA)
    found = check.check_slice(pixels)
    said = any("long and narrow" in each.text for each in found.findings)
    assert said == stopped and (not stopped or found.stop is not None)


def test_strong_colors_are_no_sequences():
    pixels = samples()[0]
    row, col = np.indices(pixels.shape[:2]) // 16
    # A head's outline and grays, painted red, green and blue by turns.
    painted = np.where(((row + col) % 3)[..., None] == np.arange(3), pixels[..., 1:2], 0)
    found = check.check_slice(painted.astype(np.uint8))
    assert found.stop is not None and "picture in colors" in found.stop.text
    # One hue, because a sequence is missing: a slice.
    alone = pixels.copy()
    alone[..., [0, 2]] = 0
    assert check.check_slice(alone).stop is None


@pytest.mark.parametrize(("size", "spacing"), [((43, 256), (6.0, 1.0)), ((256, 24), (0.9, 9.6))])
def test_a_head_of_flat_pixels_is_judged_in_millimeters(size, spacing):
    pixels = cv2.resize(samples()[0], size[::-1], interpolation=cv2.INTER_AREA)
    assert check.check_slice(pixels).stop is not None
    assert check.check_slice(pixels, spacing=spacing).stop is None
    strip = check.check_slice(samples()[0], spacing=(1.0, 3.0))
    assert "256 × 256 pixels of 1 × 3 mm" in strip.stop.evidence
