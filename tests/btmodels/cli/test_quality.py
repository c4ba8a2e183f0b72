"""On the command line the input check warns, and what is out of scope gets a reason and no mask."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.quality import classifier
from tests.btmodels.cli.test_analyze import analyze, networks  # noqa: F401
from train.quality import drawn_negatives

pytestmark = pytest.mark.skipif(
    classifier.load_thresholds() is None,
    reason="there are no thresholds in this copy of the project",
)


@pytest.fixture
def limits(networks):  # noqa: F811
    """The committed limits beside the made-up weights."""
    path = classifier.thresholds_path(paths.ASSETS)
    path.parent.mkdir(parents=True)
    shutil.copy(classifier.thresholds_path(), path)
    return networks


def test_what_is_no_slice_of_a_head_gets_a_reason_and_no_mask(limits, capsys, tmp_path):
    file = tmp_path / "page.png"
    Image.fromarray(drawn_negatives.text(np.random.default_rng(1))).save(file)
    out = tmp_path / "masks"
    status, rows, errors = analyze(capsys, file, "--out", out)
    assert (status, rows) == (1, [])
    assert len(errors) == 1 and "page.png" in errors[0] and "no mask" in errors[0]
    assert limits == [] and not out.exists()  # no network was asked


def test_a_fault_is_a_warning_beside_the_mask(limits, capsys, tmp_path):
    patient = cohort.read_cohort(cohort.samples_root())[0]
    pixels = cohort.read_slice(patient, patient.files[len(patient.files) // 2]).pixels
    file = tmp_path / "swapped.png"
    Image.fromarray(np.ascontiguousarray(pixels[..., [1, 0, 2]])).save(file)
    status, (row,), errors = analyze(capsys, file)
    assert (status, errors) == (0, [])
    assert any("FLAIR seems to be where pre-contrast T1 belongs" in w for w in row["warnings"])
