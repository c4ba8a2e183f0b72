"""Benchmark of one slice from file to picture, stage by stage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from btmodels import paths, processes, registry
from btmodels.dataset import cohort
from btmodels.inference import worker
from btmodels.io.image import decode
from btmodels.measurement.measure import measure
from btmodels.quality import check
from btmodels.slices import Prediction
from btmodels.transforms.preprocess import normalize
from btmodels.visualize.overlay import overlay, png
from train.bench.rows import Row, milliseconds, row

Steps = Sequence[tuple[str, Callable[[Any], Any]]]


def stage_rows(repeats: int) -> Iterator[Row]:
    """Yield milliseconds of each stage for a slice in one process, and of all stages together.

    ``prepare`` is also done within ``classify`` and ``segment``, so the total leaves it out.
    """
    os.environ.update(processes.environment())
    classifier, segmenter = (
        worker.get_predictor(registry.get(name).name, paths.ASSETS)
        for name in ("default-classifier", "default")
    )
    records = segmenter.record, classifier.record

    def prepare(seen: dict) -> None:
        for each in (classifier, segmenter):
            normalize(seen["decode"].pixels, each.spec.input_shape[:2])

    def measured(seen: dict) -> Any:
        found = Prediction(float(seen["classify"][0]), seen["segment"][0])
        return measure(seen["decode"], found, *records, *(each.name for each in records))

    steps = (
        ("decode", lambda seen: decode(seen["file"].read_bytes(), seen["file"].name)),
        ("check", lambda seen: check.check_slice(seen["decode"].pixels)),
        ("prepare", prepare),
        ("classify", lambda seen: classifier.classify([seen["decode"].pixels])),
        ("segment", lambda seen: segmenter.segment([seen["decode"].pixels])),
        ("measure", measured),
        ("overlay", lambda seen: overlay(seen["measure"])),
        ("encode", lambda seen: png(seen["overlay"])),
    )
    yield from rows_of(timed(steps, files(repeats)))


def timed(steps: Steps, inputs: Sequence[Any]) -> dict[str, list[float]]:
    """Return the seconds of each step for each input; the first input also warms up and is not counted.

    Args:
        steps: Names, and functions of the results so far: the input as ``file``, others by step name.
        inputs: One after the other, each through all steps.
    """
    times: dict[str, list[float]] = {name: [] for name, _ in steps}
    for number, each in enumerate([inputs[0], *inputs]):
        seen = {"file": each}
        for name, step in steps:
            begin = perf_counter()
            seen[name] = step(seen)
            if number:
                times[name].append(perf_counter() - begin)
    return times


def rows_of(times: dict[str, list[float]]) -> Iterator[Row]:
    """Yield the median of each stage against that of the total, in milliseconds."""
    parts = [seconds for name, seconds in times.items() if name != "prepare"]
    whole = 1000 * float(np.median(np.sum(parts, axis=0)))
    for name, seconds in times.items():
        yield milliseconds(f"stage/{name}", median(seconds), whole)
    yield row("stage/all", whole, "ms")


def files(count: int) -> list[Path]:
    """Return ``count`` slice files of the synthetic cohort, repeated as needed."""
    patients = cohort.read_cohort(cohort.samples_root())
    found = [file.image for patient in patients for file in patient.files]
    return [found[number % len(found)] for number in range(count)]
