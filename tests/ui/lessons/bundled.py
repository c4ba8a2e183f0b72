"""What several tests of lessons read from the bundled patients, read once."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from btmodels.dataset import cohort
from btmodels.paths import ASSETS
from btmodels.slices import Slice, largest_lesion_slice
from btmodels.teaching import training_slices
from tests.ui.node import encoded, run
from ui.lessons import page
from ui.lessons.test_set import held_out


@cache
def lesion_slices() -> tuple[Slice, ...]:
    """Return, of each bundled patient with a tumor, the slice that lessons begin with."""
    stacks = (
        cohort.read_slices(each)[0] for each in cohort.read_cohort(cohort.samples_root(ASSETS))
    )
    found = (stack[largest_lesion_slice(stack)] for stack in stacks)
    return tuple(each for each in found if each.truth.any())


training_patients = cache(training_slices.read)


def words(address: str) -> str:
    """Return all of a lesson in one line."""
    return " ".join(" ".join(part.split()) for part in page.text_of(address).values())


@cache
def nearest_slices(by: str, seed: int) -> dict[str, Any]:
    """Return what the lesson on test sets tells of one division: see `compare` of test_set/split.js."""
    head, parts = held_out._packed()
    return run(
        ("lessons/test_set/split.js",),
        """(() => {
            const tests = divide(given.patients, given.by, given.seed);
            const distances = new Float32Array(bytes(given.distances).buffer.slice(0));
            return compare(given.patients, tests, nearest(tests, distances));
        })()""",
        patients=[patient for patient, _ in head["slices"]],
        distances=encoded(np.frombuffer(parts["distances"], np.uint8)),
        by=by,
        seed=seed,
    )
