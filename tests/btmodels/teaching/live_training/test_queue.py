"""One training at a time, in a process of its own that stands back and ends when nobody looks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.inference.engine import Engine
from btmodels.teaching.live_training.queue import JobStatus, TrainingQueue
from btmodels.teaching.live_training.settings import (
    EPOCHS,
    HELD_OUT,
    SIZE,
    EpochResult,
    Setting,
    TrainingSetup,
    split,
)
from tests import fakes
from tests.btmodels.conftest import SMALL

pytestmark = pytest.mark.slow
TINY = Setting(filters=2, rate=1e-2)
LONG = 500


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """A bundled cohort of two small patients."""
    folder = tmp_path_factory.mktemp("assets")
    fakes.write_cohort(folder / "samples", ("SYNT_ZZ_0001_20260101", "SYNT_ZZ_0002_20260101"), 4)
    return folder


def begin(settings, epochs: int, assets: Path) -> TrainingSetup:
    """Stands in for reading the cohort and building networks."""
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    return TrainingSetup(
        os.getpid(), (1,), (1,), 1, (1,), picture, picture[..., 0] > 0, ("SYNT", 1)
    )


def advance(network: int) -> EpochResult:
    """Stands in for an epoch; the process counts them, as networks remember what they learned."""
    time.sleep(0.02)
    _epochs.append(network)
    blank = np.zeros((SIZE, SIZE), np.uint8)
    return EpochResult(network, _epochs.count(network), 1 / len(_epochs), None, blank, 0.02)


_epochs: list[int] = []


def quick(assets: Path = paths.ASSETS, **changes) -> TrainingQueue:
    """A training whose process loads no TensorFlow and so starts in a moment."""
    return TrainingQueue(
        assets, **{"abandoned_seconds": 120.0, "begin": begin, "advance": advance, **changes}
    )


@pytest.fixture
def training() -> Iterator[TrainingQueue]:
    training = quick()
    yield training
    training.close()


def until(
    training: TrainingQueue, ticket: str, condition: Callable[[JobStatus], object]
) -> JobStatus:
    end = time.monotonic() + 120
    while not condition(status := training.poll(ticket)):
        assert time.monotonic() < end, f"it took too long: {status.state} {status.message}"
        time.sleep(0.05)
    return status


def gone(pid: int) -> bool:
    end = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_who_comes_later_waits_and_a_stop_lets_them_in(training):
    first, second = training.submit([TINY], LONG), training.submit([TINY], 1)
    third = training.submit([TINY], 1)
    running = until(training, first, lambda status: len(status.results) >= 2)
    assert running.left_seconds > 0
    assert [training.poll(each).place for each in (first, second, third)] == [0, 1, 2]
    assert training.poll(second).state == "waiting"
    training.stop(third)
    training.stop(first)
    stopped = until(training, first, lambda status: status.state == "stopped")
    assert stopped.message == "It was stopped." and stopped.results, (
        "what there is can be looked at"
    )
    assert (
        until(training, second, lambda status: status.state == "done").start.pid
        != running.start.pid
    )
    assert until(training, third, lambda status: status.state == "stopped").results == ()
    assert gone(running.start.pid)


def test_a_pause_holds_and_what_was_learned_is_kept(training):
    ticket = training.submit([TINY], LONG)
    until(training, ticket, lambda status: status.results)
    training.pause(ticket)
    paused = until(training, ticket, lambda status: status.state == "paused")
    time.sleep(0.7)
    assert len(training.poll(ticket).results) == len(paused.results)
    training.resume(ticket)
    on = until(training, ticket, lambda status: len(status.results) > len(paused.results) + 1)
    assert on.state == "running" and on.start.pid == paused.start.pid
    assert [result.epoch for result in on.results] == list(range(1, len(on.results) + 1))


def test_nobody_can_pause_for_ever_while_others_wait():
    training = quick(pause_seconds=0.5)
    first = training.submit([TINY], LONG)
    training.pause(first)
    until(training, first, lambda status: status.state == "paused")
    time.sleep(0.7)
    assert training.poll(first).state == "paused", "alone, one may"
    second = training.submit([TINY], 1)
    over = until(training, first, lambda status: status.state == "stopped")
    assert "others were waiting" in over.message
    until(training, second, lambda status: status.state == "done")


def test_a_run_that_nobody_looks_at_ends_by_itself():
    training = quick(abandoned_seconds=1.0)
    ticket, waiting = training.submit([TINY], LONG), training.submit([TINY], LONG)
    pid = until(
        training, ticket, lambda status: status.results and training.poll(waiting)
    ).start.pid
    assert gone(pid)
    end = time.monotonic() + 20
    while training._line:
        assert time.monotonic() < end, "those in line left, too"
        time.sleep(0.05)
    assert "page was left" in training.poll(ticket).message
    assert training.poll(waiting).start is None


def test_a_killed_process_is_said_and_the_next_gets_their_turn(training):
    first, second = training.submit([TINY], LONG), training.submit([TINY], 1)
    psutil.Process(until(training, first, lambda status: status.results).start.pid).kill()
    assert (
        "ended before it was done"
        in until(training, first, lambda status: status.state == "failed").message
    )
    until(training, second, lambda status: status.state == "done")


def no_patients(settings, epochs: int, assets: Path) -> TrainingSetup:
    raise CohortError("There are no patients.")


def test_what_went_wrong_is_said_in_one_sentence():
    training = quick(begin=no_patients)
    ticket = training.submit([TINY], 1)
    status = until(training, ticket, lambda status: status.state == "failed")
    assert status.message == "There are no patients."


def test_a_single_patient_is_too_few(tmp_path):
    from btmodels.teaching.live_training.trainer import Trainer

    fakes.write_cohort(tmp_path / "samples", ("SYNT_ZZ_0001_20260101",))
    with pytest.raises(CohortError, match="two patients"):
        Trainer([TINY], 1, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a priority")
def test_a_slice_is_analyzed_while_two_networks_learn(assets, small_assets, noise):
    engine, training = Engine(small_assets, SMALL), TrainingQueue(assets, abandoned_seconds=120.0)
    try:
        ticket = training.submit([TINY, replace(TINY, skips="absent")], LONG)
        expected = engine.predict(noise[:1], *SMALL)
        before = until(training, ticket, lambda status: len(status.results) >= 2)
        (found,) = engine.predict(noise[:1], *SMALL)
        assert (found.levels == expected[0].levels).all()
        status = until(
            training, ticket, lambda status: len(status.results) > len(before.results) + 4
        )
        assert status.state == "running"
        assert status.start.pid not in (engine.status().pid, os.getpid())
        assert os.getpriority(os.PRIO_PROCESS, status.start.pid) >= 15
        assert os.getpriority(os.PRIO_PROCESS, engine.status().pid) < 15
    finally:
        engine.close()
        training.close()
    assert training.poll(ticket).state == "stopped" and gone(status.start.pid)
    assert [(result.network, result.epoch) for result in status.results[:4]] == [
        (0, 1),
        (1, 1),
        (0, 2),
        (1, 2),
    ]
    assert status.start.slices == (4, 4) and status.start.held_out == 4
    assert status.start.parameters[1] < status.start.parameters[0], "no skips, less to convolve"
    assert status.start.pixels.shape == (SIZE, SIZE, 3) and status.start.truth.sum() > 0
    first, *_, last = [result for result in status.results if result.network == 0]
    assert last.loss < first.loss and (last.levels != first.levels).any()


def test_the_bundled_patients_on_show_are_not_learned_from():
    patients = cohort.read_cohort(cohort.samples_root(paths.ASSETS))
    learned, held = split(patients)
    assert tuple(patient.folder for patient in held) == HELD_OUT
    assert {patient.folder for patient in learned}.isdisjoint(HELD_OUT) and len(learned) == 6


def test_nothing_to_train_is_refused(training):
    with pytest.raises(ValueError, match="Nothing to train"):
        training.submit([])
    with pytest.raises(ValueError, match="epochs=0"):
        training.submit([TINY], 0)
    assert training.poll("nobody's") is None
    training.stop("nobody's")


def test_it_learns_on_the_bundled_cohort():
    """Not half of the lesson's epochs, and a tumor of a patient never seen is marked in part."""
    from btmodels.teaching.live_training.trainer import Trainer

    trainer = Trainer([Setting()], EPOCHS, paths.ASSETS)
    results = [trainer.advance(0) for _ in range(5)]
    assert results[-1].loss < 0.8 * results[0].loss
    assert results[-1].dice > 0.3
