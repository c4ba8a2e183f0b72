"""Manual turns and their inverse: masks return to the file's own rows and columns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from btmodels.slices import Slice, Turn
from btmodels.transforms.orientation import as_uploaded, turn_slice

PICTURE = np.arange(6).reshape(2, 3)


def test_a_quarter_turn_is_clockwise_and_then_left_and_right_change_places():
    np.testing.assert_array_equal(Turn(1).apply(PICTURE), [[3, 0], [4, 1], [5, 2]])
    np.testing.assert_array_equal(Turn(0, True).apply(PICTURE), [[2, 1, 0], [5, 4, 3]])
    np.testing.assert_array_equal(Turn(1, True).apply(PICTURE), [[0, 3], [1, 4], [2, 5]])


@pytest.mark.parametrize(
    "turn", [Turn(*each) for each in itertools.product(range(4), (False, True))]
)
def test_undone_is_as_it_was(turn):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    truth = pixels[..., 0] > 99
    each = turn_slice(Slice("x", pixels, truth, spacing=(2.0, 1.0)), turn)
    np.testing.assert_array_equal(turn.undo(each.pixels), pixels)
    np.testing.assert_array_equal(as_uploaded(each.truth, each), truth)
    assert (turn == Turn()) != any("turned manually" in note for note in each.notes)
    assert each.spacing == ((1.0, 2.0) if turn.quarters % 2 else (2.0, 1.0))


def test_a_slice_is_turned_once():
    each = turn_slice(Slice("x", np.zeros((2, 3, 3), np.uint8)), Turn(1))
    with pytest.raises(ValueError, match="once"):
        turn_slice(each, Turn(1))
