"""A slice in a screenshot is found, offered, and analyzed alone; other pictures are left as they are."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.quality import check, classifier
from btmodels.quality.corrections import correct
from btmodels.quality.screenshot import crop, find_slice
from btmodels.slices import Slice

pytestmark = pytest.mark.skipif(
    classifier.load_thresholds() is None, reason="there are no thresholds in this copy"
)


@pytest.fixture(scope="module")
def shot() -> np.ndarray:
    """A light window with a line of dark marks and a slice of a synthetic patient, enlarged."""
    patient = cohort.read_cohort(cohort.samples_root())[0]
    pixels = cohort.read_slice(patient, patient.files[len(patient.files) // 2]).pixels
    page = np.full((700, 1100, 3), 235, np.uint8)
    page[20:32, 40:900:7] = 40
    page[100 : 100 + 2 * 256, 300 : 300 + 2 * 256] = pixels[..., 1:2].repeat(2, 0).repeat(2, 1)
    return page


def test_the_rectangle_of_the_slice_is_found(shot):
    assert find_slice(shot) == (slice(100, 612), slice(300, 812))


def test_it_is_offered_in_plain_words_with_the_figures_apart(shot):
    (finding,) = check.check_slice(shot).findings
    assert (finding.kind, finding.severity, finding.correction) == ("screenshot", "stop", "crop")
    assert "with one click" in finding.text and not any(c.isdigit() for c in finding.text)
    assert "512 × 512" in finding.evidence


def test_what_is_cut_out_can_be_judged(shot):
    truth = np.zeros(shot.shape[:2], bool)
    cut = correct(Slice("shot.png", shot, truth=truth), ("crop",))
    assert cut.pixels.shape == (512, 512, 3) and cut.truth is None
    assert "cut out" in cut.notes[0]
    assert check.check_slice(cut.pixels).stop is None


def test_nothing_is_cut_out_of_a_slice_or_of_text(shot):
    alone = shot[100:612, 300:812]
    assert crop(alone).shape == alone.shape
    text = np.full((400, 400, 3), 250, np.uint8)
    text[::9, 30:370] = 20
    assert find_slice(text) is None
