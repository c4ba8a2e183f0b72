"""Train one now, page and queue apart: what is asked of the queue, and what its answers become."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from btmodels.teaching.live_training import queue
from btmodels.teaching.live_training.queue import JobStatus
from btmodels.teaching.live_training.settings import COMPARISONS, SIZE, EpochResult, TrainingSetup
from tests import fakes
from tests.pages.conftest import words_of
from ui.lessons.training import training
from ui.lessons.training.training import WORDS, status_words


def view_of(state: str, **changes) -> JobStatus:
    blank = np.zeros((SIZE, SIZE), np.uint8)
    start = TrainingSetup(
        7, (9, 9), (6, 6), 4, (10, 8), np.stack([blank] * 3, -1), blank > 0, ("SYNT", 1)
    )
    known = {
        "state": state,
        "place": 0,
        "epochs": 12,
        "settings": COMPARISONS["skips"],
        "start": start,
        "results": (
            EpochResult(0, 1, 0.9, None, blank, 1.0),
            EpochResult(1, 1, 0.8, 0.1, blank, 1.0),
        ),
        "left_seconds": None,
        "message": "",
    }
    return JobStatus(**known | changes)


class FakeDesk:
    """Holds one run in the state that a test wants."""

    def __init__(self) -> None:
        self.status: JobStatus | None = None
        self.asked: list[tuple] = []

    def submit(self, settings, epochs: int = 12) -> str:
        self.asked.append(("enter", settings))
        self.status = view_of("running", settings=tuple(settings))
        return "ticket"

    def poll(self, ticket: str) -> JobStatus | None:
        return self.status

    def pause(self, ticket: str) -> None:
        self.asked.append(("pause", ticket))
        self.status = view_of("paused")

    def resume(self, ticket: str) -> None:
        self.asked.append(("resume", ticket))
        self.status = view_of("running")

    def stop(self, ticket: str) -> None:
        self.asked.append(("stop", ticket))
        self.status = view_of("stopped", message="It was stopped.")


@pytest.fixture
def fake_desk(monkeypatch) -> FakeDesk:
    fake = FakeDesk()
    monkeypatch.setattr(queue, "get_training_queue", lambda: fake)
    return fake


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return {button.label for button in app.button}


def test_a_run_is_started_paused_gone_on_with_and_stopped(open_page, fake_desk):
    app = open_page("learn", lesson="train", compare="rate")
    assert not app.exception and fake_desk.asked == []
    assert press(app, "Start") >= {"Pause", "Stop"}
    assert fake_desk.asked == [("enter", COMPARISONS["rate"])]
    assert press(app, "Pause") >= {"Go on", "Stop"}
    assert press(app, "Go on") >= {"Pause", "Stop"}
    assert "Start" in press(app, "Stop")
    assert [what for what, _ in fake_desk.asked] == ["enter", "pause", "resume", "stop"]
    assert app.query_params["compare"] in ("rate", ["rate"])


def test_without_networks_nothing_can_be_started(open_page, fake_desk):
    fake = fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off).")
    app = open_page("learn", fake, lesson="train")
    assert "switched off" in words_of(app)
    assert "Start" not in {button.label for button in app.button}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (view_of("waiting", place=1), "one training is before yours"),
        (view_of("waiting", place=3), "3 trainings are before yours"),
        (view_of("starting"), "training process is starting"),
        (view_of("running", left_seconds=40.4), "Epoch 1 of 12 is done, about 40 seconds left."),
        (view_of("running", left_seconds=150.0), "about 2 minutes left"),
        (view_of("running", left_seconds=1.2), "about 1 second left"),
        (view_of("paused"), "Paused after epoch 1 of 12."),
        (view_of("done"), "Done: 12 epochs of each network."),
        (view_of("stopped", message="It was stopped."), "It was stopped. What was learned in 1"),
    ],
    ids=lambda value: value.state if isinstance(value, JobStatus) else "",
)
def test_each_state_is_said(status, words):
    assert words in status_words(status)


def test_an_epoch_is_done_once_both_networks_have_done_it():
    status = view_of("running")
    first = status.results[0]
    ahead = replace(status, results=(first, replace(first, network=1), replace(first, epoch=2)))
    assert [each.network for each in ahead.results] == [0, 1, 0]
    assert "Epoch 1 of 12 is done" in status_words(ahead)
    behind = replace(status, results=(first,))
    assert "Epoch 0 of 12 is done" in status_words(behind)


def test_every_comparison_has_words_and_differs_in_one_thing():
    assert set(WORDS) == set(COMPARISONS)
    for first, second in COMPARISONS.values():
        differing = [name for name in vars(first) if vars(first)[name] != vars(second)[name]]
        assert len(differing) == 1
    assert str(COMPARISONS["rate"][0].rate) in WORDS["rate"][1]
    assert f"{COMPARISONS['rate'][1].rate:.4f}" in WORDS["rate"][2]
    assert str(COMPARISONS["width"][1].filters) in WORDS["width"][2]
    assert training.EPOCHS == 12
