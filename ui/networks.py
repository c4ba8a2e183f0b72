"""How pages ask the engine: patiently, a few slices at a time, and each slice once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

import streamlit as st

from btmodels import engine, measure, registry
from btmodels.errors import BrainTumorError, WeightsError
from btmodels.registry import Record
from btmodels.slices import Analysis
from ui.stack import Analyzed, Stack

SEGMENTER, CLASSIFIER = "default", "default-classifier"

CHUNK = 8
"""Slices a request: few enough that the page shows progress, enough for a batch."""

WARM_SECONDS = 120.0
SHARED_ANALYSES = 256
KEPT = "networks.kept"
"""Session key of the analyses of the stack on screen."""


class Memory:
    """Analyses of samples by key, the least recently used leaving first; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[tuple, Analysis] = OrderedDict()

    def get(self, key: tuple) -> Analysis | None:
        """Return what was kept under ``key``, if it still is."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple, analysis: Analysis) -> None:
        """Keep ``analysis``, at the cost of the one unused for longest."""
        with self._lock:
            self._kept[key] = analysis
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _shared() -> Memory:
    return Memory(SHARED_ANALYSES)


def segmenters() -> list[str]:
    """Return the registry names of segmenters that have a record, the site's own first."""
    own = registry.get(SEGMENTER).name
    names = [spec.name for spec in registry.SPECS.values() if spec.task == "segment"]
    there = [name for name in names if registry.record_path(name).exists()]
    return sorted(there, key=lambda name: name != own)


def warm() -> engine.EngineStatus:
    """Start the engine unless it runs, wait until it has warmed up, return how it is."""
    networks = engine.get_engine()
    networks.start()
    status = networks.status()
    if status.state != "warming":
        return status
    text = "The networks are warming up, which takes a few seconds after a start."
    with st.spinner(text, show_time=True):
        end = time.monotonic() + WARM_SECONDS
        while networks.status().state == "warming" and time.monotonic() < end:
            time.sleep(0.05)
    return networks.status()


def analyze(stack: Stack, index: int, model: str | None = None) -> Analyzed:
    """Analyze slice ``index`` of a stack now, and tell what is known of the others.

    Args:
        stack: Slices to analyze.
        index: The slice that is looked at.
        model: Segmenter; None is the site's own.
    """
    return _advance(stack, [index], model)


def analyze_more(stack: Stack, model: str | None = None) -> Analyzed:
    """Analyze the next few slices of a stack."""
    return _advance(stack, range(len(stack.slices)), model)


def at_threshold(analysis: Analysis, threshold: float) -> Analysis:
    """Return ``analysis`` with its mask cut at another threshold."""
    if threshold == analysis.threshold:
        return analysis
    records = registry.load_record(analysis.model), registry.load_record(analysis.classifier)
    return _measure(analysis.slice, analysis.prediction, records, threshold)


def _advance(stack: Stack, wanted: Iterable[int], model: str | None) -> Analyzed:
    segmenter = registry.get(model or SEGMENTER).name
    message, records = "", None
    kept: dict[str, Analysis] = {}
    try:
        records = registry.verify_weights(segmenter), registry.verify_weights(CLASSIFIER)
        kept = _recall(stack, records)
        missing = [i for i in wanted if stack.keys[i] not in kept][:CHUNK]
        if missing:
            kept |= _ask(stack, missing, records)
            st.session_state[KEPT] = kept, _mark(records)
    except BrainTumorError as error:
        message, kept = str(error), {}
    found = tuple(kept.get(key) for key in stack.keys)
    pending = not message and None in found
    return Analyzed(
        stack=stack,
        analyses=found,
        message=message or ("This slice waits for its turn." if pending else ""),
        pending=pending,
        threshold=records[0].threshold if records else stored_threshold(segmenter),
        min_component_pixels=records[0].min_component_pixels if records else 0,
    )


def _mark(records: tuple[Record, Record]) -> tuple[str, str]:
    return records[0].sha256, records[1].sha256


def _recall(stack: Stack, records: tuple[Record, Record]) -> dict[str, Analysis]:
    # What this visitor has on screen, and of samples what anyone had: never another's upload.
    kept, mark = st.session_state.get(KEPT, ({}, None))
    kept = {key: kept[key] for key in stack.keys if key in kept} if mark == _mark(records) else {}
    if stack.shared:
        for key in stack.keys:
            if key not in kept and (analysis := _shared().get((key, *_mark(records)))):
                kept[key] = analysis
    st.session_state[KEPT] = kept, _mark(records)
    return kept


def _ask(stack: Stack, missing: list[int], records: tuple[Record, Record]) -> dict[str, Analysis]:
    warm()
    slices = [stack.slices[i] for i in missing]
    predictions = engine.get_engine().predict(
        [each.pixels for each in slices],
        segmenter=records[0].name,
        classifier=records[1].name,
    )
    answered = {}
    for i, each, prediction in zip(missing, slices, predictions, strict=True):
        analysis = _measure(each, prediction, records)
        answered[stack.keys[i]] = analysis
        if stack.shared:
            _shared().put((stack.keys[i], *_mark(records)), analysis)
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
    """Return the threshold that training chose for a segmenter; None without a record."""
    try:
        return registry.load_record(model or SEGMENTER).threshold
    except WeightsError:
        return None
