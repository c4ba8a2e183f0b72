"""Requests are joined, get their turns, and do not suffer for each other."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.errors import EngineError, WeightsError
from btmodels.inference.queue import RequestQueue, fair_shares
from btmodels.slices import Prediction

BATCH_SIZE = 8
NETWORKS = ("resunet", "resnet50")


def slices(count: int, first: int = 0) -> list[np.ndarray]:
    return [np.full((2, 2, 3), first + i, np.uint8) for i in range(count)]


def serve(queue: RequestQueue) -> list[int]:
    """Answer the next batch with each slice's own value; return the values."""
    batch = queue.next_batch(0)
    queue.resolve(batch, [Prediction(0.5, image[..., 0]) for image in batch.images])
    return [int(image[0, 0, 0]) for image in batch.images]


def values(request) -> list[int]:
    return [int(each.probability_map[0, 0]) for each in request.future.result(0)]


@pytest.mark.parametrize(
    "batch_size, wanted, shares",
    [
        (8, [60], [8]),
        (8, [60, 1], [7, 1]),
        (8, [60, 1, 3], [4, 1, 3]),
        (8, [2, 1], [2, 1]),
        (2, [5, 5, 5], [1, 1, 0]),
    ],
)
def test_places_are_dealt_one_by_one(batch_size, wanted, shares):
    assert fair_shares(batch_size, wanted) == shares


def test_what_waits_is_joined_and_each_gets_its_own():
    queue = RequestQueue(BATCH_SIZE)
    first, second = queue.add(slices(2, 10), NETWORKS), queue.add(slices(1, 50), NETWORKS)
    assert serve(queue) == [10, 11, 50]
    assert values(first) == [10, 11]
    assert values(second) == [50]


def test_a_single_slice_does_not_wait_for_a_patient():
    queue = RequestQueue(BATCH_SIZE)
    patient = queue.add(slices(60), NETWORKS)
    serve(queue)
    single = queue.add(slices(1, 200), NETWORKS)
    serve(queue)
    assert values(single) == [200]
    while not patient.future.done():
        serve(queue)
    assert values(patient) == list(range(60))


def test_with_many_patients_each_gets_its_turn():
    queue = RequestQueue(BATCH_SIZE)
    patients = [queue.add(slices(9, 10 * i), NETWORKS) for i in range(2 * BATCH_SIZE)]
    for _ in range(2):
        serve(queue)
    assert [len(patient.done) for patient in patients] == [1] * len(patients)


def test_other_networks_are_another_batch():
    queue = RequestQueue(BATCH_SIZE)
    queue.add(slices(1, 1), NETWORKS)
    queue.add(slices(1, 2), ("unet", "resnet50"))
    queue.add(slices(1, 3), NETWORKS)
    assert serve(queue) == [1, 3]
    assert serve(queue) == [2]


def test_after_a_failure_each_tries_once_more_and_alone():
    queue = RequestQueue(BATCH_SIZE)
    guilty, innocent = queue.add(slices(1, 1), NETWORKS), queue.add(slices(1, 2), NETWORKS)
    queue.fail_or_retry(queue.next_batch(0), EngineError("gone"))
    batch = queue.next_batch(0)
    assert batch.requests == (guilty,)
    queue.fail_or_retry(batch, EngineError("gone again"))
    with pytest.raises(EngineError, match="gone again"):
        guilty.future.result(0)
    assert serve(queue) == [2]
    assert values(innocent) == [2]


def test_slices_already_answered_survive_a_failure():
    queue = RequestQueue(BATCH_SIZE)
    patient = queue.add(slices(BATCH_SIZE + 2), NETWORKS)
    serve(queue)
    queue.fail_or_retry(queue.next_batch(0), EngineError("gone"))
    assert serve(queue) == [BATCH_SIZE, BATCH_SIZE + 1]
    assert values(patient) == list(range(BATCH_SIZE + 2))


def test_bad_weights_get_no_second_try():
    queue = RequestQueue(BATCH_SIZE)
    request = queue.add(slices(1), NETWORKS)
    queue.fail_or_retry(queue.next_batch(0), WeightsError("altered"))
    with pytest.raises(WeightsError, match="altered"):
        request.future.result(0)
    assert queue.next_batch(0) is None


def test_closing_fails_all_that_wait_and_all_that_come():
    queue = RequestQueue(BATCH_SIZE)
    request = queue.add(slices(1), NETWORKS)
    batch = queue.next_batch(0)
    queue.close("closed")
    queue.resolve(batch, [Prediction(0.5, np.zeros((2, 2), np.uint8))])
    with pytest.raises(EngineError, match="closed"):
        request.future.result(0)
    with pytest.raises(EngineError, match="closed"):
        queue.add(slices(1), NETWORKS)
    assert queue.next_batch(0) is None


def test_an_errand_waits_its_turn_and_goes_alone():
    queue = RequestQueue(BATCH_SIZE)
    before, task = queue.add(slices(1, 1), NETWORKS), queue.add_task(max, (3, 7))
    after = queue.add(slices(1, 2), NETWORKS)
    assert serve(queue) == [1, 2], "slices are joined past it"
    assert before.future.done() and after.future.done()
    found = queue.next_batch(0)
    assert found is task
    queue.resolve_task(task, found.function(*found.args))
    assert task.future.result(0) == 7
    assert queue.next_batch(0) is None


def test_an_errand_gets_a_second_try_and_then_its_error():
    queue = RequestQueue(BATCH_SIZE)
    task = queue.add_task(max, ())
    queue.fail_or_retry(queue.next_batch(0), EngineError("lost"))
    assert not task.future.done()
    queue.fail_or_retry(queue.next_batch(0), EngineError("lost again"))
    with pytest.raises(EngineError, match="lost again"):
        task.future.result(0)
    queue.close("closed")
    with pytest.raises(EngineError, match="closed"):
        queue.add_task(max, ())


def test_a_worker_that_takes_more_at_once_gets_more():
    queue = RequestQueue(BATCH_SIZE)
    queue.batch_size = 32
    queue.add(slices(40), NETWORKS)
    assert len(queue.next_batch(0).images) == 32


def test_slices_that_nobody_waits_for_any_more_are_withdrawn():
    queue = RequestQueue(BATCH_SIZE)
    left, stays = queue.add(slices(1, 1), NETWORKS), queue.add(slices(1, 2), NETWORKS)
    task = queue.add_task(max, (3, 7))
    assert left.future.cancel() and task.future.cancel()
    assert serve(queue) == [2] and values(stays) == [2]
    assert queue.next_batch(0) is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_request_withdrawn_while_it_is_under_way_harms_nothing(fails):
    queue = RequestQueue(BATCH_SIZE)
    left, stays = queue.add(slices(1, 1), NETWORKS), queue.add(slices(1, 2), NETWORKS)
    batch = queue.next_batch(0)
    left.future.cancel()
    if fails:
        queue.fail_or_retry(batch, WeightsError("altered"))
        with pytest.raises(WeightsError):
            stays.future.result(0)
    else:
        queue.resolve(batch, [Prediction(0.5, image[..., 0]) for image in batch.images])
        assert values(stays) == [2]
    assert queue.next_batch(0) is None


def test_a_patient_withdrawn_midway_takes_no_more_batches():
    queue = RequestQueue(BATCH_SIZE)
    patient = queue.add(slices(60), NETWORKS)
    serve(queue)
    patient.future.cancel()
    assert queue.next_batch(0) is None
    queue.close("closed")
