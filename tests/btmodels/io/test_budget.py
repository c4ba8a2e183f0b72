"""A session keeps its newest slices, up to its bytes; a slow batch holds up nobody else."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from btmodels.io.batch import Batch
from btmodels.io.budget import keep_newest
from btmodels.io.sandbox import Readers
from btmodels.io.study import Study
from btmodels.slices import Slice

SLICE_BYTES = 3 * 100


def study(name: str, slices: int) -> Study:
    pixels = [np.full((10, 10, 3), number, np.uint8) for number in range(slices)]
    made = tuple(Slice(f"{name}{number}", each) for number, each in enumerate(pixels))
    return Study(name, name, name, made, tuple(each.name for each in made))


def names(batch: Batch) -> list[str]:
    return [each.name for study in batch.studies for each in study.slices]


BATCH = Batch((study("a", 1), study("b", 3), study("c", 2)))


@pytest.mark.parametrize("most", [0, 6 * SLICE_BYTES, 10**9])
def test_what_fits_stays_as_it_is(most):
    assert keep_newest(BATCH, most) is BATCH


def test_the_oldest_are_left_out_with_a_sentence():
    found = keep_newest(BATCH, 5 * SLICE_BYTES)
    assert names(found) == ["b0", "b1", "b2", "c0", "c1"]
    assert "1 slice was left out" in found.notes[-1].text
    found = keep_newest(BATCH, 4 * SLICE_BYTES)
    assert names(found) == ["c0", "c1"], "a study stays whole or goes"
    assert "4 slices were left out" in found.notes[-1].text


def test_a_study_that_is_too_large_keeps_its_first_slices():
    found = keep_newest(Batch((study("a", 1), study("b", 5))), 3 * SLICE_BYTES)
    assert names(found) == ["b0", "b1", "b2"]
    assert found.studies[0].sources == ("b0", "b1", "b2")
    nothing = keep_newest(Batch((study("a", 1),)), SLICE_BYTES - 1)
    assert nothing.studies == () and "1 slice was left out" in nothing.notes[-1].text


class SlowReader:
    """Returns its name once it may."""

    def __init__(self, name: str) -> None:
        self.name, self.may = name, threading.Event()

    def batch(self, wanted: str) -> str:
        if wanted == "slow":
            self.may.wait(10)
        return self.name


def test_a_slow_batch_holds_up_nobody_while_another_reader_is_idle():
    first, second = SlowReader("first"), SlowReader("second")
    readers = Readers([first, second])
    assert [readers.batch("quick") for _ in range(2)] == ["first", "first"]
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(readers.batch("slow")))
    thread.start()
    while readers._idle.qsize() == 2:
        pass
    assert readers.batch("quick") == "second"
    first.may.set()
    thread.join(10)
    assert found == ["first"] and readers.batch("quick") == "first"
