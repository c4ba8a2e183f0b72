"""The two splits of the lesson on test sets, and the sentences about the measured ones."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from btmodels.teaching import slice_similarity
from tests.ui.node import encoded, run
from ui.lessons.test_set import held_out

SPLIT = ("lessons/test_set/split.js",)
SLICES = [*"aaaaabbbbbbbbbcccddddddddddddeeeeeeeffffgggggghh"]
"""48 slices of 8 patients."""


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_divisions_keep_their_word(seed):
    by_slice, again, by_patient = run(
        SPLIT,
        """["slices", "slices", "patients"].map((by) => divide(given.patients, by, given.seed))""",
        patients=SLICES,
        seed=seed,
    )
    assert by_slice == again and sum(by_slice) == 12  # a quarter of 48
    tested = {name for name, tests in zip(SLICES, by_patient, strict=True) if tests}
    trained = {name for name, tests in zip(SLICES, by_patient, strict=True) if not tests}
    assert len(tested) == 2 and not tested & trained


def test_seeds_draw_differently_and_evenly():
    drawn = run(
        SPLIT,
        """Array.from({ length: 400 }, (_, i) => divide(given.patients, "slices", i + 1))""",
        patients=SLICES,
    )
    assert len({tuple(each) for each in drawn}) == 400
    assert np.mean(drawn, axis=0) == pytest.approx(np.full(48, 0.25), abs=0.1)


def test_the_nearest_training_slice_is_found():
    points = np.array([[0.0], [1.0], [1.5], [10.0], [10.2]], np.float32)
    apart = slice_similarity.distances(points, points)
    assert apart[0].tolist() == pytest.approx([0, 1, 1.5, 10, 10.2], abs=1e-3)
    near, told = run(
        SPLIT,
        """(() => {
            const distances = new Float32Array(bytes(given.apart).buffer.slice(0));
            const tests = [false, true, false, true, true];
            const near = nearest(tests, distances);
            return [near, compare(["a", "a", "b", "b", "c"], tests, near)];
        })()""",
        apart=encoded(np.frombuffer(apart.astype("<f4").tobytes(), np.uint8)),
    )
    assert [each and each["index"] for each in near] == [None, 2, None, 2, 2]
    assert near[1]["distance"] == pytest.approx(0.5, abs=1e-3)
    # a and b lie on both sides; only the slice of b has its own head for the nearest.
    assert (told["shared"], told["testing"], told["tests"]) == (2, 3, 3)
    assert told["same"] == pytest.approx(1 / 3) and told["median"] == pytest.approx(8.5, abs=1e-2)


def test_pictures_and_distances_of_the_cohort_are_packed_once():
    st.cache_resource.clear()  # of what another test has put in the samples' place
    head, parts = held_out._packed()
    number = len(head["slices"])
    assert number > 100 and len(parts["distances"]) == 4 * number**2
    folders = {folder for folder, _ in head["slices"]}
    assert all(folder.startswith("SYNT_") for folder in folders) and len(folders) > 5
