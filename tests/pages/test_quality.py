"""The input check on Analyze: a reason in place of a mask, and a correction that the analysis then uses."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.paths import ASSETS
from btmodels.quality import check, classifier, fault_costs
from btmodels.visualize.overlay import png
from tests.pages.conftest import words_of
from tests.pages.test_analyze import tiff, upload
from train.quality import drawn_negatives

pytestmark = pytest.mark.skipif(
    classifier.load_thresholds() is None,
    reason="there are no thresholds in this copy of the project",
)
EXAMINE = check.check_slice
SHIPPED = cohort.samples_root(ASSETS)


@pytest.fixture
def app(open_page, monkeypatch):
    found = open_page("analyze")
    monkeypatch.setattr(check, "check_slice", EXAMINE)  # the tests of other pages do without
    return found


@pytest.fixture
def pixels() -> np.ndarray:
    """A slice of a synthetic patient that is shipped."""
    patient = cohort.read_cohort(SHIPPED)[0]
    return cohort.read_slice(patient, patient.files[len(patient.files) // 2]).pixels


def press(app, label: str):
    return next(button for button in app.button if button.label == label).click().run()


def test_a_page_of_text_gets_a_reason_and_no_mask(app):
    app = upload(app, ("page.tif", tiff(drawn_negatives.text(np.random.default_rng(1)))))
    assert not app.exception and not app.metric
    assert "does not look like an MRI slice of a head" in words_of(app)


def test_a_mend_is_applied_said_and_undone(app, pixels):
    app = upload(app, ("x.tif", tiff(255 - pixels)))
    assert not app.metric and "looks inverted" in words_of(app)
    app = press(app, "Invert bright and dark")
    assert not app.exception and app.metric
    words = words_of(app)
    assert "Corrected: bright and dark" in words and "looks inverted" not in words
    app = press(app, "Undo the correction")
    assert not app.metric and "looks inverted" in words_of(app)


def test_a_fault_stands_beside_the_mask(app, pixels):
    app = upload(app, ("x.tif", tiff(pixels[..., [1, 0, 2]])))
    assert app.metric and "FLAIR seems to be where pre-contrast T1 belongs" in words_of(app)
    assert fault_costs.cost_of("misplaced").sentence() in words_of(app)
    app = press(app, "Put the channels in order")
    assert app.metric and "seem swapped" not in words_of(app)


def test_what_stands_in_for_a_missing_sequence_is_said_once(app, pixels):
    app = upload(app, ("flair.png", png(pixels[..., 1])))
    said = [*(info.value for info in app.info), *(each.value for each in app.markdown)]
    assert sum("stands in" in words for words in said) == 1


def test_forgotten_files_take_their_mends_with_them(app, pixels):
    app = upload(app, ("x.tif", tiff(255 - pixels)))
    app = press(app, "Invert bright and dark")
    app = press(app, "Forget my files")
    assert "quality.corrected" not in app.session_state
    assert "quality.reports" not in app.session_state
