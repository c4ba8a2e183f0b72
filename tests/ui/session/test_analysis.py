"""Requests of pages to the engine: the slice on screen first, the next slices while the page is drawn."""

from __future__ import annotations

import json
import threading
import tomllib
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.errors import EngineError
from btmodels.slices import Prediction, Slice
from tests import fakes
from ui.analyze.upload_batch import LIMIT
from ui.session import analysis, cache, gradcam, quality
from ui.session.stack import Stack

SLICES = 2 * analysis.CHUNK + 3


class SlowEngine(fakes.FakeEngine):
    """Answers its first ``prompt`` requests at once, the others when it is told to."""

    prompt = 1

    def __init__(self) -> None:
        super().__init__()
        self.futures: list[Future] = []

    def submit(self, images, segmenter="default", classifier="default-classifier"):
        self.asked.append(len(images))
        self.futures.append(Future())
        if len(self.futures) <= self.prompt:
            self.answer(-1)
        return self.futures[-1]

    def answer(self, request: int) -> None:
        prediction = Prediction(0.5, np.zeros((8, 8), np.uint8))
        self.futures[request].set_result([prediction] * self.asked[request])


@pytest.fixture
def engine(monkeypatch):
    session = SimpleNamespace(session_state={})
    for module in (analysis, cache, quality, gradcam):
        monkeypatch.setattr(module, "st", session)
    return fakes.use(monkeypatch, SlowEngine())


@pytest.fixture
def stack() -> Stack:
    slices = tuple(Slice(f"{i}.tif", np.full((8, 8, 3), i, np.uint8)) for i in range(SLICES))
    keys = tuple(f"upload/{i}" for i in range(SLICES))
    return Stack("upload", slices, keys, ("upload",) * SLICES, shared=False)


def done(stack: Stack) -> list[int]:
    return [i for i, each in enumerate(analysis.cached(stack).analyses) if each]


def test_the_networks_look_at_the_next_slices_while_the_page_is_drawn(engine, stack):
    analysis.run_next(stack, 5)
    assert done(stack) == [5]
    assert engine.asked == [1, 16]  # the second request runs, and nothing waits for it
    engine.answer(1)
    analysis.run_next(stack, 5)
    assert done(stack) == list(range(17))  # 0 to 16, of which 5 was there before
    assert engine.asked == [1, 16, 16]
    engine.answer(2)
    engine.prompt = 4
    analysis.run_next(stack, 5)
    analysis.run_next(stack, 5)
    assert done(stack) == list(range(SLICES))
    assert engine.asked == [1, 16, 16, 2]  # each slice once
    assert not analysis.cached(stack).pending


def test_a_slice_gets_its_own_verdict_until_its_neighbors_are_there(engine, stack, monkeypatch):
    alone = {"slope": 1.0, "intercept": 0.0, "threshold": 0.5}
    rules = {"verdict": alone, "verdict_with_neighbors": alone | {"neighbor_weight": 1.0}}
    monkeypatch.setattr(
        registry, "verify_weights", lambda name: replace(fakes.record(name), extra=rules)
    )
    numbered = tuple(replace(s, patient="P", number=i) for i, s in enumerate(stack.slices))
    stack = replace(stack, slices=numbered)

    def neighbors() -> list[bool | None]:
        return [each.verdict.neighbors for each in analysis.cached(stack).analyses if each]

    analysis.run_next(stack, 5)
    assert neighbors() == [None]
    shown = analysis.cached(stack)
    assert shown.at_threshold(0.9).analyses[5].verdict.neighbors is None
    assert analysis.at_threshold(shown.analyses[5], 0.9).verdict.neighbors is None
    engine.answer(1)
    analysis.run_next(stack, 5)
    assert neighbors() == [True] * 16 + [None]  # of the last one, the next slice is not there yet
    assert analysis.cached(stack).at_threshold(0.9).analyses[5].verdict.neighbors
    asked = analysis.cached(stack, None, "classifier").analyses[5]
    assert (asked.verdict.network, asked.second_opinion.neighbors) == ("resnet50", True)
    engine.futures[2].set_exception(EngineError("Gone."))
    analysis.run_next(stack, 5)  # the next slice may still follow, when this is tried again
    assert neighbors() == [True] * 16 + [None]


def test_a_slice_that_is_turned_to_does_not_wait_for_those_before_it(engine, stack):
    analysis.run_next(stack, 5)
    engine.prompt = 3
    analysis.run_next(stack, 30)
    assert done(stack) == [5, 30] and engine.asked == [1, 16, 1]
    engine.answer(1)
    analysis.run_next(stack, 30)
    assert done(stack) == [*range(17), 30]


def test_the_slice_on_screen_is_begun_before_the_page_is_drawn(engine, stack):
    analysis.prefetch(stack, 5)
    assert engine.asked == [1]
    analysis.prefetch(stack, 5)  # the page is drawn once more
    analysis.run_next(stack, 5)
    assert done(stack) == [5] and engine.asked == [1, 16]
    analysis.prefetch(stack, 5)
    analysis.prefetch(stack, 30)
    assert engine.asked == [1, 16], (
        "the others are being looked at, and `advance` asks for what is urgent"
    )


def test_a_slice_that_was_begun_and_turned_away_from_is_not_lost(engine, stack):
    analysis.prefetch(stack, 5)
    engine.prompt = 2
    analysis.run_next(stack, 30)
    assert done(stack) == [30] and engine.asked == [1, 1]
    analysis.run_next(stack, 30)
    assert done(stack) == [5, 30]


def test_a_page_waits_a_moment_for_the_slice_it_opens_on(engine, stack, monkeypatch):
    analysis.run_promptly(stack, 5)
    assert done(stack) == [5] and engine.asked == [1, 16]
    analysis.run_promptly(stack, 5)  # it is there, so nothing waits for the others
    assert done(stack) == [5] and engine.asked == [1, 16]
    monkeypatch.setattr(analysis, "PROMPT_SECONDS", 0.01)
    slow = replace(stack, keys=tuple(f"slow/{i}" for i in range(SLICES)))
    analysis.run_promptly(slow, 5)
    assert done(slow) == [] and engine.asked == [1, 16, 1]
    engine.answer(2)
    analysis.run_next(slow, 5)
    assert done(slow) == [5]


@pytest.mark.parametrize("state", ["off", "failed", "warming"])
def test_a_page_does_not_wait_for_networks_that_are_not_warm(engine, stack, state):
    engine.state = state
    analysis.run_promptly(stack, 5)
    assert engine.asked == []


def test_what_is_begun_may_fail_and_is_said_once(engine, stack):
    engine.prompt = 0
    analysis.prefetch(stack, 5)
    engine.futures[0].set_exception(EngineError("The networks did not answer."))
    analysis.run_next(stack, 5)
    assert analysis.cached(stack).message == "The networks did not answer."
    assert analysis.cached(stack).pending


def test_what_is_asked_ahead_may_fail_too(engine, stack):
    analysis.run_next(stack, 5)
    engine.futures[1].set_exception(EngineError("The networks did not answer."))
    analysis.run_next(stack, 5)
    analyzed = analysis.cached(stack)
    assert analyzed.message == "The networks did not answer." and not analyzed.pending
    engine.prompt = 9
    analysis.run_next(stack, 5)
    assert done(stack) == list(range(17))


def test_nothing_of_another_stack_is_waited_for(engine, stack):
    analysis.run_next(stack, 5)
    other = Stack("other", stack.slices[:1], ("other/0",), ("upload",), shared=False)
    engine.prompt = 3
    analysis.run_next(other, 0)
    assert done(other) == [0]
    assert analysis.st.session_state[analysis.AHEAD] is None


def test_who_opens_the_same_sample_waits_for_the_same_answers(engine, stack):
    keys = tuple(f"sample/{i}" for i in range(SLICES))
    sample = replace(stack, id="sample", keys=keys, shared=True)
    analysis.run_next(sample, 5)
    assert engine.asked == [1, 16]
    analysis.st.session_state.clear()  # another visitor, who finds slice 5 already known
    waiting = threading.Thread(target=analysis.run_next, args=(sample, 5))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive() and engine.asked == [1, 16], "nothing is asked twice"
    engine.answer(1)
    waiting.join(10)
    assert done(sample) == list(range(17)) and engine.asked == [1, 16, 16]


def test_uploads_are_asked_for_each_visitor(engine, stack):
    analysis.run_next(stack, 5)
    analysis.st.session_state.clear()
    engine.prompt = 3
    analysis.run_next(stack, 5)
    assert engine.asked[:3] == [1, 16, 1]


def test_slices_of_a_stack_that_was_left_are_withdrawn_unless_others_may_wait(engine, stack):
    analysis.run_next(stack, 5)
    other = replace(stack, keys=tuple(f"other/{i}" for i in range(SLICES)))
    analysis.prefetch(other, 0)
    assert engine.futures[1].cancelled() and not engine.futures[2].done()
    shared = replace(stack, keys=tuple(f"shared/{i}" for i in range(SLICES)), shared=True)
    analysis.prefetch(shared, 0)
    analysis.prefetch(other, 0)
    assert [future.cancelled() for future in engine.futures[2:4]] == [True, False]


def test_a_sample_is_analyzed_before_anyone_opens_it(engine, stack):
    engine.prompt = 9
    sample = replace(
        stack, id="ahead", keys=tuple(f"ahead/{i}" for i in range(SLICES)), shared=True
    )
    assert analysis.ready(sample) == 0
    analysis.analyze_ahead(sample, 5)
    assert engine.asked == [1, 16, 16, 2]
    assert analysis.ready(sample) == SLICES
    assert done(sample) == list(range(SLICES)), "a visitor finds all of it"
    assert engine.asked == [1, 16, 16, 2]


def test_segmenters_are_listed_by_their_score_after_the_sites_own():
    own, *others = analysis.segmenters()
    assert own == registry.get("default").name and len(others) > 2
    files = [json.loads(registry.metrics_path(name).read_text("utf-8")) for name in others]
    scored = [each["test"]["mean_dice"] for each in files]
    assert scored == sorted(scored, reverse=True)


def test_a_browser_keeps_messages_for_all_runs_of_the_longest_study():
    # The server repeats them by name; one that a browser no longer had would end the connection.
    settings = tomllib.loads((paths.ASSETS.parent / ".streamlit/config.toml").read_text("utf-8"))
    runs = 1 + LIMIT / analysis.CHUNK
    assert settings["global"]["maxCachedMessageAge"] > 2 * runs
