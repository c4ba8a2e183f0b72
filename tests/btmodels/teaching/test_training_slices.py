"""The small slices that browsers train on."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.errors import BrainTumorError
from btmodels.teaching import training_slices
from btmodels.teaching.training_slices import HELD_OUT, PER_PATIENT, SIZE


@pytest.fixture(scope="module")
def patients():
    return training_slices.read()


def test_two_patients_are_held_out_and_stand_last(patients):
    assert [each.patient for each in patients if each.held_out] == sorted(HELD_OUT)
    assert [each.held_out for each in patients] == [False] * 6 + [True] * 2


def test_slices_are_small_and_half_of_them_show_what_tumor_there_is(patients):
    for each in patients:
        assert each.pixels.shape == (PER_PATIENT, SIZE, SIZE, 3) and each.pixels.dtype == np.uint8
        assert each.truth.shape == (PER_PATIENT, SIZE, SIZE) and len(each.numbers) == PER_PATIENT
        assert list(each.numbers) == sorted(set(each.numbers))
    shown = [(each.truth > 127).any((1, 2)).sum() for each in patients]
    # One patient has no tumor, another one that is small.
    assert sorted(shown)[0] == 0 and sum(number >= PER_PATIENT // 2 for number in shown) == 6


def test_the_first_patient_has_most_tumor(patients):
    learned = [int(each.truth.sum(dtype=np.int64)) for each in patients if not each.held_out]
    assert learned == sorted(learned, reverse=True)


def test_without_bundled_patients_there_is_a_sentence(tmp_path):
    with pytest.raises(BrainTumorError):
        training_slices.read(tmp_path)
