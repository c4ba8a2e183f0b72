"""Networks are compared patient by patient, and patients of the test subset have no say."""

import pytest

from train.experiments.pairs import compare


def test_differences_are_of_pairs_and_of_deciding_patients_alone():
    own = {"a": 0.9, "b": 0.7, "c": 0.5, "d": None, "t": 0.0}
    other = {"a": 0.8, "b": 0.6, "c": 0.6, "d": 0.5, "e": 0.1, "t": 1.0}
    found = compare(own, other, "abcde")
    assert found["compared_patients"] == 3 and found["better"] == 2
    assert found["difference"] == pytest.approx(0.1 / 3)
    low, high = found["difference_interval"]
    assert low == pytest.approx(-0.1, abs=0.07) and high == pytest.approx(0.1)
    assert found["adopted"] is False, "the interval reaches below 0"


@pytest.mark.parametrize(("gain", "adopted"), [(0.02, True), (0.007, False), (-0.02, False)])
def test_a_small_gain_is_not_adopted_however_sure(gain, adopted):
    other = {str(n): 0.5 + 0.01 * n for n in range(20)}
    own = {name: dice + gain for name, dice in other.items()}
    assert compare(own, other, other)["adopted"] is adopted


def test_without_shared_patients_nothing_is_said():
    found = compare({"a": 0.9}, {"b": 0.8}, "ab")
    assert found.pop("compared_patients") == 0 and set(found.values()) == {None}
