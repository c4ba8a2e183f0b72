"""What several tests of lessons read from the bundled patients, read once."""

from __future__ import annotations

from functools import cache

from btmodels.dataset import cohort
from btmodels.paths import ASSETS
from btmodels.slices import Slice, largest_lesion_slice
from btmodels.teaching import training_slices
from ui.lessons import page


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
