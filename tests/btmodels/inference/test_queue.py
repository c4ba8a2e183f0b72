"""Requests are joined, get their turns, and do not suffer for each other."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.errors import EngineError, WeightsError
from btmodels.inference.queue import Waiting, deal
from btmodels.slices import Prediction

ROOM = 8
NETWORKS = ("resunet", "resnet50")


def slices(count: int, first: int = 0) -> list[np.ndarray]:
    return [np.full((2, 2, 3), first + i, np.uint8) for i in range(count)]


def serve(waiting: Waiting) -> list[int]:
    """Answer the next batch with each slice's own value; return the values."""
    batch = waiting.next_batch(0)
    waiting.settle(batch, [Prediction(0.5, image[..., 0]) for image in batch.images])
    return [int(image[0, 0, 0]) for image in batch.images]


def values(request) -> list[int]:
    return [int(each.levels[0, 0]) for each in request.future.result(0)]


@pytest.mark.parametrize(
    "room, wanted, shares",
    [
        (8, [60], [8]),
        (8, [60, 1], [7, 1]),
        (8, [60, 1, 3], [4, 1, 3]),
        (8, [2, 1], [2, 1]),
        (2, [5, 5, 5], [1, 1, 0]),
    ],
)
def test_places_are_dealt_one_by_one(room, wanted, shares):
    assert deal(room, wanted) == shares


def test_what_waits_is_joined_and_each_gets_its_own():
    waiting = Waiting(ROOM)
    first, second = waiting.add(slices(2, 10), NETWORKS), waiting.add(slices(1, 50), NETWORKS)
    assert serve(waiting) == [10, 11, 50]
    assert values(first) == [10, 11]
    assert values(second) == [50]


def test_a_single_slice_does_not_wait_for_a_patient():
    waiting = Waiting(ROOM)
    patient = waiting.add(slices(60), NETWORKS)
    serve(waiting)
    single = waiting.add(slices(1, 200), NETWORKS)
    serve(waiting)
    assert values(single) == [200]
    while not patient.future.done():
        serve(waiting)
    assert values(patient) == list(range(60))


def test_with_many_patients_each_gets_its_turn():
    waiting = Waiting(ROOM)
    patients = [waiting.add(slices(9, 10 * i), NETWORKS) for i in range(2 * ROOM)]
    for _ in range(2):
        serve(waiting)
    assert [len(patient.done) for patient in patients] == [1] * len(patients)


def test_other_networks_are_another_batch():
    waiting = Waiting(ROOM)
    waiting.add(slices(1, 1), NETWORKS)
    waiting.add(slices(1, 2), ("unet", "resnet50"))
    waiting.add(slices(1, 3), NETWORKS)
    assert serve(waiting) == [1, 3]
    assert serve(waiting) == [2]


def test_after_a_failure_each_tries_once_more_and_alone():
    waiting = Waiting(ROOM)
    guilty, innocent = waiting.add(slices(1, 1), NETWORKS), waiting.add(slices(1, 2), NETWORKS)
    waiting.excuse(waiting.next_batch(0), EngineError("gone"))
    batch = waiting.next_batch(0)
    assert batch.requests == (guilty,)
    waiting.excuse(batch, EngineError("gone again"))
    with pytest.raises(EngineError, match="gone again"):
        guilty.future.result(0)
    assert serve(waiting) == [2]
    assert values(innocent) == [2]


def test_slices_already_answered_survive_a_failure():
    waiting = Waiting(ROOM)
    patient = waiting.add(slices(ROOM + 2), NETWORKS)
    serve(waiting)
    waiting.excuse(waiting.next_batch(0), EngineError("gone"))
    assert serve(waiting) == [ROOM, ROOM + 1]
    assert values(patient) == list(range(ROOM + 2))


def test_bad_weights_get_no_second_try():
    waiting = Waiting(ROOM)
    request = waiting.add(slices(1), NETWORKS)
    waiting.excuse(waiting.next_batch(0), WeightsError("altered"))
    with pytest.raises(WeightsError, match="altered"):
        request.future.result(0)
    assert waiting.next_batch(0) is None


def test_closing_fails_all_that_wait_and_all_that_come():
    waiting = Waiting(ROOM)
    request = waiting.add(slices(1), NETWORKS)
    batch = waiting.next_batch(0)
    waiting.close("closed")
    waiting.settle(batch, [Prediction(0.5, np.zeros((2, 2), np.uint8))])
    with pytest.raises(EngineError, match="closed"):
        request.future.result(0)
    with pytest.raises(EngineError, match="closed"):
        waiting.add(slices(1), NETWORKS)
    assert waiting.next_batch(0) is None


def test_an_errand_waits_its_turn_and_goes_alone():
    waiting = Waiting(ROOM)
    before, errand = waiting.add(slices(1, 1), NETWORKS), waiting.send(max, (3, 7))
    after = waiting.add(slices(1, 2), NETWORKS)
    assert serve(waiting) == [1, 2], "slices are joined past it"
    assert before.future.done() and after.future.done()
    found = waiting.next_batch(0)
    assert found is errand
    waiting.deliver(errand, found.function(*found.args))
    assert errand.future.result(0) == 7
    assert waiting.next_batch(0) is None


def test_an_errand_gets_a_second_try_and_then_its_error():
    waiting = Waiting(ROOM)
    errand = waiting.send(max, ())
    waiting.excuse(waiting.next_batch(0), EngineError("lost"))
    assert not errand.future.done()
    waiting.excuse(waiting.next_batch(0), EngineError("lost again"))
    with pytest.raises(EngineError, match="lost again"):
        errand.future.result(0)
    waiting.close("closed")
    with pytest.raises(EngineError, match="closed"):
        waiting.send(max, ())


def test_a_worker_that_takes_more_at_once_gets_more():
    waiting = Waiting(ROOM)
    waiting.room = 32
    waiting.add(slices(40), NETWORKS)
    assert len(waiting.next_batch(0).images) == 32
