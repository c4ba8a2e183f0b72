"""Memory benchmark: a visitor uploads slice after slice, and memory must not grow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
import tifffile

from btmodels.dataset import cohort
from train.bench import rows
from train.bench.client import Session, Site

UPLOADS, WARM = 1_000, 50
"""Counted uploads, and uncounted ones before them that fill the caches."""

EVERY = 20
"""Uploads between two memory samples."""

PAGE, QUERY = "analyze", "source=files"


def memory_rows(uploads: int = UPLOADS, warm: int = WARM, every: int = EVERY) -> Iterator[rows.Row]:
    """Yield memory use while one visitor uploads slices, each replacing the one before.

    Each is decoded, checked, classified and segmented, and no two are the same.
    """
    with Site(BT_DATA_DIR="") as site:
        session = site.visit()
        session.run(PAGE, QUERY)
        slices = uploaded_slices(warm + uploads)
        _upload(session, slices, warm)
        marks, held = [0], [site.memories()]
        for done in range(every, uploads + 1, every):
            _upload(session, slices, every)
            marks.append(done)
            held.append(site.memories())
        yield from rows_of(marks, held)


def rows_of(marks: Sequence[int], held: Sequence[dict[str, int]]) -> Iterator[rows.Row]:
    """Yield the benchmark rows of the memory samples.

    Args:
        marks: Number of uploads at each sample, the first 0.
        held: Bytes by process, at each sample.
    """
    yield from rows.memory_rows(f"uploads_{marks[-1]}", held[-1], held[0])
    slope = float(np.polyfit(marks, [sum(each.values()) for each in held], 1)[0])
    yield rows.row(f"uploads_{marks[-1]}/slope", slope / 1e3, "kB")


def _upload(session: Session, slices: Iterator[tuple[str, bytes]], count: int) -> None:
    for _ in range(count):
        session.upload(PAGE, QUERY, *next(slices))


def uploaded_slices(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and TIFFs of ``count`` slices of the synthetic cohort, shifted so that all differ."""
    patients = cohort.read_cohort(cohort.samples_root())
    files = [(patient, file) for patient in patients for file in patient.files]
    for number in range(count):
        turn, which = divmod(number, len(files))
        pixels = cohort.read_slice(*files[which]).pixels
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, np.roll(pixels, turn + 1, axis=1))
        yield f"upload_{number}.tif", buffer.getvalue()
