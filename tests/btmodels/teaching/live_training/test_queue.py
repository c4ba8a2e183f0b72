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
from btmodels.teaching.live_training.queue import Desk, View
from btmodels.teaching.live_training.settings import (
    EPOCHS,
    HELD_OUT,
    SIZE,
    Lap,
    Setting,
    Start,
    split,
)
from tests import fakes

pytestmark = pytest.mark.slow
TINY = Setting(filters=2, rate=1e-2)
LONG = 500


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """A bundled cohort of two small patients."""
    folder = tmp_path_factory.mktemp("assets")
    fakes.write_cohort(folder / "samples", ("SYNT_ZZ_0001_20260101", "SYNT_ZZ_0002_20260101"), 4)
    return folder


def begin(settings, epochs: int, assets: Path) -> Start:
    """Stands in for reading the cohort and building networks."""
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    return Start(os.getpid(), (1,), (1,), 1, (1,), picture, picture[..., 0] > 0, ("SYNT", 1))


def advance(network: int) -> Lap:
    """Stands in for an epoch; the process counts them, as networks remember what they learned."""
    time.sleep(0.02)
    _epochs.append(network)
    blank = np.zeros((SIZE, SIZE), np.uint8)
    return Lap(network, _epochs.count(network), 1 / len(_epochs), None, blank, 0.02)


_epochs: list[int] = []


def quick(assets: Path = paths.ASSETS, **changes) -> Desk:
    """A desk whose process loads no TensorFlow and so starts in a moment."""
    return Desk(
        assets, **{"abandoned_seconds": 120.0, "begin": begin, "advance": advance, **changes}
    )


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = quick()
    yield desk
    desk.close()


def until(desk: Desk, ticket: str, condition: Callable[[View], object]) -> View:
    end = time.monotonic() + 120
    while not condition(view := desk.look(ticket)):
        assert time.monotonic() < end, f"it took too long: {view.state} {view.message}"
        time.sleep(0.05)
    return view


def gone(pid: int) -> bool:
    end = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_who_comes_later_waits_and_a_stop_lets_them_in(desk):
    first, second = desk.enter([TINY], LONG), desk.enter([TINY], 1)
    third = desk.enter([TINY], 1)
    running = until(desk, first, lambda view: len(view.laps) >= 2)
    assert running.left_seconds > 0
    assert [desk.look(each).place for each in (first, second, third)] == [0, 1, 2]
    assert desk.look(second).state == "waiting"
    desk.stop(third)
    desk.stop(first)
    stopped = until(desk, first, lambda view: view.state == "stopped")
    assert stopped.message == "It was stopped." and stopped.laps, "what there is can be looked at"
    assert until(desk, second, lambda view: view.state == "done").start.pid != running.start.pid
    assert until(desk, third, lambda view: view.state == "stopped").laps == ()
    assert gone(running.start.pid)


def test_a_pause_holds_and_what_was_learned_is_kept(desk):
    ticket = desk.enter([TINY], LONG)
    until(desk, ticket, lambda view: view.laps)
    desk.pause(ticket)
    paused = until(desk, ticket, lambda view: view.state == "paused")
    time.sleep(0.7)
    assert len(desk.look(ticket).laps) == len(paused.laps)
    desk.resume(ticket)
    on = until(desk, ticket, lambda view: len(view.laps) > len(paused.laps) + 1)
    assert on.state == "running" and on.start.pid == paused.start.pid
    assert [lap.epoch for lap in on.laps] == list(range(1, len(on.laps) + 1))


def test_nobody_can_pause_for_ever_while_others_wait():
    desk = quick(pause_seconds=0.5)
    first = desk.enter([TINY], LONG)
    desk.pause(first)
    until(desk, first, lambda view: view.state == "paused")
    time.sleep(0.7)
    assert desk.look(first).state == "paused", "alone, one may"
    second = desk.enter([TINY], 1)
    over = until(desk, first, lambda view: view.state == "stopped")
    assert "others were waiting" in over.message
    until(desk, second, lambda view: view.state == "done")


def test_a_run_that_nobody_looks_at_ends_by_itself():
    desk = quick(abandoned_seconds=1.0)
    ticket, waiting = desk.enter([TINY], LONG), desk.enter([TINY], LONG)
    pid = until(desk, ticket, lambda view: view.laps and desk.look(waiting)).start.pid
    assert gone(pid)
    end = time.monotonic() + 20
    while desk._line:
        assert time.monotonic() < end, "those in line left, too"
        time.sleep(0.05)
    assert "page was left" in desk.look(ticket).message
    assert desk.look(waiting).start is None


def test_a_killed_process_is_said_and_the_next_gets_their_turn(desk):
    first, second = desk.enter([TINY], LONG), desk.enter([TINY], 1)
    psutil.Process(until(desk, first, lambda view: view.laps).start.pid).kill()
    assert (
        "ended before it was done"
        in until(desk, first, lambda view: view.state == "failed").message
    )
    until(desk, second, lambda view: view.state == "done")


def no_patients(settings, epochs: int, assets: Path) -> Start:
    raise CohortError("There are no patients.")


def test_what_went_wrong_is_said_in_one_sentence():
    desk = quick(begin=no_patients)
    ticket = desk.enter([TINY], 1)
    view = until(desk, ticket, lambda view: view.state == "failed")
    assert view.message == "There are no patients."


def test_a_single_patient_is_too_few(tmp_path):
    from btmodels.teaching.live_training.trainer import Pupil

    fakes.write_cohort(tmp_path / "samples", ("SYNT_ZZ_0001_20260101",))
    with pytest.raises(CohortError, match="two patients"):
        Pupil([TINY], 1, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a priority")
def test_a_slice_is_analyzed_while_two_networks_learn(assets, random_assets, noise):
    engine, desk = Engine(random_assets), Desk(assets, abandoned_seconds=120.0)
    try:
        ticket = desk.enter([TINY, replace(TINY, skips="absent")], LONG)
        expected = engine.predict(noise[:1])
        before = until(desk, ticket, lambda view: len(view.laps) >= 2)
        (found,) = engine.predict(noise[:1])
        assert (found.levels == expected[0].levels).all()
        view = until(desk, ticket, lambda view: len(view.laps) > len(before.laps) + 4)
        assert view.state == "running"
        assert view.start.pid not in (engine.status().pid, os.getpid())
        assert os.getpriority(os.PRIO_PROCESS, view.start.pid) >= 15
        assert os.getpriority(os.PRIO_PROCESS, engine.status().pid) < 15
    finally:
        engine.close()
        desk.close()
    assert desk.look(ticket).state == "stopped" and gone(view.start.pid)
    assert [(lap.network, lap.epoch) for lap in view.laps[:4]] == [(0, 1), (1, 1), (0, 2), (1, 2)]
    assert view.start.slices == (4, 4) and view.start.held_out == 4
    assert view.start.parameters[1] < view.start.parameters[0], "no skips, less to convolve"
    assert view.start.pixels.shape == (SIZE, SIZE, 3) and view.start.truth.sum() > 0
    first, *_, last = [lap for lap in view.laps if lap.network == 0]
    assert last.loss < first.loss and (last.levels != first.levels).any()


def test_the_bundled_patients_on_show_are_not_learned_from():
    patients = cohort.read_cohort(cohort.samples_root(paths.ASSETS))
    learned, held = split(patients)
    assert tuple(patient.folder for patient in held) == HELD_OUT
    assert {patient.folder for patient in learned}.isdisjoint(HELD_OUT) and len(learned) == 6


def test_nothing_to_train_is_refused(desk):
    with pytest.raises(ValueError, match="Nothing to train"):
        desk.enter([])
    with pytest.raises(ValueError, match="epochs=0"):
        desk.enter([TINY], 0)
    assert desk.look("nobody's") is None
    desk.stop("nobody's")


def test_it_learns_on_the_bundled_cohort():
    """Not half of the lesson's epochs, and a tumor of a patient never seen is marked in part."""
    from btmodels.teaching.live_training.trainer import Pupil

    pupil = Pupil([Setting()], EPOCHS, paths.ASSETS)
    laps = [pupil.advance(0) for _ in range(5)]
    assert laps[-1].loss < 0.8 * laps[0].loss
    assert laps[-1].dice > 0.3
