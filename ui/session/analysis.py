"""Request analyses from the engine: a few slices at a time, and each slice once."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock, RLock

import streamlit as st

from btmodels import registry
from btmodels.errors import BrainTumorError, WeightsError
from btmodels.inference import engine
from btmodels.measurement import measure, stack_verdicts
from btmodels.registry import Record
from btmodels.slices import Analysis, Prediction, Slice, VerdictSource
from btmodels.transforms.proportions import in_proportion
from ui.results import scores
from ui.session import gradcam, quality
from ui.session.cache import keep, upload_key
from ui.session.stack import Analyzed, Stack

SEGMENTER, CLASSIFIER = "default", "default-classifier"

CHUNK = 16
"""Slices per request: few enough that the page shows progress, enough for a batch."""

PROMPT_SECONDS = 0.25
"""Longest time that a page waits for the results of the slice it opens on."""

SHARED_ANALYSES = 256
WARMING = "The networks are warming up; the mask follows in a few seconds."

KEPT, AHEAD, FAILURE = map(upload_key, ("analysis.kept", "analysis.ahead", "analysis.failure"))
"""Session keys of the analyses of the stack on screen, of the request that runs while the page is
drawn, and of the last failure."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """A request to the networks: keys of slices, hashes of the weights, and the future result."""

    keys: tuple[str, ...]
    mark: tuple[str, str]
    future: Future[list[Prediction]]


_asking = RLock()
_flying: dict[tuple, _Asked] = {}
"""Running requests for samples, from all sessions, by key of a slice and hashes of the weights."""


class AnalysisCache:
    """A thread-safe LRU cache of analyses of samples."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[tuple, Analysis] = OrderedDict()

    def get(self, key: tuple) -> Analysis | None:
        """Return the analysis cached under ``key``, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple, analysis: Analysis) -> None:
        """Cache ``analysis``, dropping the least recently used one if the cache is full."""
        with self._lock:
            self._kept[key] = analysis
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _shared() -> AnalysisCache:
    return AnalysisCache(SHARED_ANALYSES)


def segmenters() -> list[str]:
    """Return the registry names of segmenters that have a record, in the order of all lists."""
    return [*_segmenters(registry.stamp())]


@lru_cache(maxsize=2)
def _segmenters(stamp: tuple) -> tuple[str, ...]:
    # Every page needs them several times; hashes and scores are read again if a file has changed.
    return tuple(each.spec.name for each in scores.networks() if each.spec.task == "segment")


def cached(stack: Stack, model: str | None = None, source: VerdictSource = "segmenter") -> Analyzed:
    """Return the finished analyses of a stack without asking the networks.

    Args:
        stack: The slices.
        model: Segmenter; None is the site's own.
        source: Which network gives the verdicts.
    """
    segmenter = registry.get(model or SEGMENTER).name
    message, records = st.session_state.pop(FAILURE, ""), None
    kept: dict[str, Analysis] = {}
    try:
        records = _records(segmenter)
        networks = engine.get_engine()
        networks.start()  # at the first visit at the latest, and again some time after a failure
        status = networks.status()
        if status.state in ("off", "failed"):
            message = status.message
        else:
            kept = _recall(stack, records)
    except WeightsError as error:
        message = str(error)
    stopped = quality.rejected(stack)
    found = tuple(None if key in stopped else kept.get(key) for key in stack.keys)
    waiting = [i for i, key in enumerate(stack.keys) if key not in kept and key not in stopped]
    pending = not message and bool(waiting)
    if kept:
        found = tuple(
            stack_verdicts.assign_verdicts(stack.slices, found, *records, source, waiting)
        )
    if stopped and not message and not pending and found.count(None) == len(found):
        message = next(iter(stopped.values()))  # for pages that show no input check
    if pending:
        message = WARMING if status.state == "warming" else "This slice is next in line."
    return Analyzed(
        stack=stack,
        analyses=found,
        message=message,
        pending=pending,
        threshold=records[0].threshold if records else stored_threshold(segmenter),
        min_component_pixels=records[0].min_component_pixels if records else 0,
        model=segmenter,
        source=source,
        heats=gradcam.cached(stack),
        stopped=stopped,
    )


def run_promptly(stack: Stack, index: int, model: str | None = None) -> None:
    """Analyze slice ``index`` before the page is drawn, if the networks answer within `PROMPT_SECONDS`.

    The page is then drawn once, with its results, instead of twice.
    """
    if engine.get_engine().status().state != "warm":
        return
    prefetch(stack, index, model)
    ahead: _Asked | None = st.session_state.get(AHEAD)
    if ahead and ahead.keys == (stack.keys[index],):
        if wait([ahead.future], PROMPT_SECONDS).done:
            run_next(stack, index, model)


def prefetch(stack: Stack, index: int, model: str | None = None) -> None:
    """Start analyzing slice ``index`` while the page is drawn, for the next `run_next`.

    Does nothing if a request of this visitor for slices of the stack is already running.
    """
    try:
        records = _records(registry.get(model or SEGMENTER).name)
        missing = _missing(stack, _recall(stack, records))
        ahead = _asked_ahead(stack, missing, records)
        if not ahead and index in missing:
            ahead = _ask(stack, [index], records)
        st.session_state[AHEAD] = ahead
    except BrainTumorError:
        return  # `run_next` meets and reports it, too


def run_next(stack: Stack, index: int, model: str | None = None) -> None:
    """Analyze slice ``index``, or the next few if that one is done.

    The next call of `cached` returns the results, or the error.
    """
    try:
        records = _records(registry.get(model or SEGMENTER).name)
        kept = _recall(stack, records)
        missing = _missing(stack, kept)
        ahead = _asked_ahead(stack, missing, records)
        begun = ahead is not None and ahead.keys == (stack.keys[index],)
        if index in missing and not begun:  # the slice on screen does not wait for a chunk
            asked = _ask(stack, [index], records)
        else:
            asked, ahead = ahead or _ask(stack, missing[:CHUNK], records), None
        predictions = asked.future.result() if asked else []
        if not ahead:  # the networks go on while the page is drawn
            rest = [i for i in missing if not asked or stack.keys[i] not in asked.keys]
            ahead = _ask(stack, rest[:CHUNK], records)
        st.session_state[AHEAD] = ahead
        if asked:
            found = kept | _answered(stack, asked, predictions, records)
            keep(KEPT, (found, asked.mark))
    except BrainTumorError as error:
        st.session_state[FAILURE] = str(error)


def analyze_ahead(stack: Stack, first: int) -> None:
    """Analyze a sample before anyone opens it: slice ``first``, then the others. Needs no session.

    Raises:
        BrainTumorError: The networks are off or failed.
    """
    records = _records(registry.get(SEGMENTER).name)
    rest = [index for index in range(len(stack.keys)) if index != first]
    for part in ([first], *(rest[at : at + CHUNK] for at in range(0, len(rest), CHUNK))):
        if asked := _ask(stack, part, records):
            _answered(stack, asked, asked.future.result(), records)


def ready(stack: Stack, model: str | None = None) -> int:
    """Return the number of a sample's slices with an analysis in the shared cache."""
    try:
        mark = _mark(_records(registry.get(model or SEGMENTER).name))
    except WeightsError:
        return 0
    return sum(_shared().get((key, *mark)) is not None for key in stack.keys)


def at_threshold(analysis: Analysis, threshold: float) -> Analysis:
    """Return ``analysis`` with its mask at another threshold, and the same verdict."""
    if threshold == analysis.threshold:
        return analysis
    records = _records(analysis.model)
    changed = _measure(analysis.slice, analysis.prediction, records, threshold)
    return measure.with_verdict(changed, analysis.verdict, analysis.second_opinion)


def measured(each: Slice, prediction: Prediction, model: str) -> Analysis:
    """Return a slice's analysis from a prediction of the segmenter ``model``, at its stored threshold."""
    return _measure(each, prediction, _records(model))


def _records(segmenter: str) -> tuple[Record, Record]:
    return registry.verify_weights(segmenter), registry.verify_weights(CLASSIFIER)


def _mark(records: tuple[Record, Record]) -> tuple[str, str]:
    return records[0].sha256, records[1].sha256


def _recall(stack: Stack, records: tuple[Record, Record]) -> dict[str, Analysis]:
    # This visitor's analyses, and for samples those of all visitors: never another visitor's upload.
    kept, mark = st.session_state.get(KEPT, ({}, None))
    kept = {key: kept[key] for key in stack.keys if key in kept} if mark == _mark(records) else {}
    if stack.shared:
        for key in stack.keys:
            if key not in kept and (analysis := _shared().get((key, *_mark(records)))):
                kept[key] = analysis
    keep(KEPT, (kept, _mark(records)))
    return kept


def _missing(stack: Stack, kept: dict[str, Analysis]) -> list[int]:
    stopped = quality.rejected(stack)
    return [i for i, key in enumerate(stack.keys) if key not in kept and key not in stopped]


def _ask(stack: Stack, missing: list[int], records: tuple[Record, Record]) -> _Asked | None:
    # The input check runs just before the networks, also a few slices at a time.
    admitted = quality.accepted(stack, missing)
    if not admitted:
        return None
    keys, mark = tuple(stack.keys[i] for i in admitted), _mark(records)
    with _asking:
        if stack.shared and (asked := _under_way(keys, mark)):
            return asked
        slices = [stack.slices[i] for i in admitted]
        future = engine.get_engine().submit(
            [in_proportion(each.pixels, each.spacing) for each in slices],
            segmenter=records[0].name,
            classifier=records[1].name,
        )
        asked = _Asked(keys, mark, future)
        if stack.shared:
            for key in keys:
                _flying[key, mark] = asked
    if stack.shared:
        future.add_done_callback(lambda _: _land(asked))
    return asked


def _under_way(keys: tuple[str, ...], mark: tuple[str, str]) -> _Asked | None:
    # When a class opens one patient, all wait for the same request; only the slice on screen does
    # not wait for another visitor's chunk.
    found = (_flying.get((key, mark)) for key in keys)
    return next((a for a in found if a and (len(keys) > 1 or len(a.keys) == 1)), None)


def _land(asked: _Asked) -> None:
    with _asking:
        for key in asked.keys:
            if _flying.get((key, asked.mark)) is asked:
                del _flying[key, asked.mark]


def _asked_ahead(stack: Stack, missing: list[int], records: tuple[Record, Record]) -> _Asked | None:
    asked: _Asked | None = st.session_state.pop(AHEAD, None)
    wanted = {stack.keys[i] for i in missing}
    if asked is None or asked.mark == _mark(records) and wanted & {*asked.keys}:
        return asked
    # The request is for another stack or other weights, so this visitor does not need it anymore. Others
    # may, if it is for a shared sample.
    if not any(_flying.get((key, asked.mark)) is asked for key in asked.keys):
        asked.future.cancel()
    return None


def _answered(
    stack: Stack, asked: _Asked, predictions: list[Prediction], records: tuple[Record, Record]
) -> dict[str, Analysis]:
    slices = dict(zip(stack.keys, stack.slices, strict=True))
    answered = {}
    for key, prediction in zip(asked.keys, predictions, strict=True):
        if key in slices:
            answered[key] = _measure(slices[key], prediction, records)
            if stack.shared:
                _shared().put((key, *asked.mark), answered[key])
    return answered


def _measure(each, prediction, records: tuple[Record, Record], threshold: float | None = None):
    segmenter, classifier = records
    return measure.measure(
        each,
        prediction,
        segmenter,
        classifier,
        segmenter.name,
        classifier.name,
        threshold=threshold,
    )


def stored_threshold(model: str | None = None) -> float | None:
    """Return the recorded threshold of a segmenter; None without a record."""
    try:
        return registry.load_record(model or SEGMENTER).threshold
    except WeightsError:
        return None
