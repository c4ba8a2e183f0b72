"""Reading files together, as the site, the command line and a zip do, without their process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from btmodels.io.batch import Batch, InputFile, read_batch
from btmodels.io.study import Study


def read(
    files: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    sequences: Mapping[str, str] | None = None,
    bulk: bool = False,
) -> Batch:
    """Read files by their names, which stand for their ids too."""
    pairs = files.items() if isinstance(files, Mapping) else files
    inputs = [InputFile(f"{n}:{name}", name, data, bulk) for n, (name, data) in enumerate(pairs)]
    return read_batch(inputs, sequences=sequences)


def texts(batch: Batch) -> str:
    """All that was said of a batch, notes of its slices included."""
    own = (note for study in batch.studies for each in study.slices for note in each.notes)
    said = (remark.text for remark in (*batch.errors, *batch.notes))
    return "\n".join(dict.fromkeys((*said, *own)))


def pixels(study: Study) -> np.ndarray:
    """uint8, (slices, rows, cols, 3)."""
    return np.stack([each.pixels for each in study.slices])
