"""Limit how much of a batch one session may keep: the newest slices, up to a number of bytes."""

from __future__ import annotations

from dataclasses import replace

from btmodels.io.batch import Batch
from btmodels.io.study import Remark, Study
from btmodels.slices import Slice
from btmodels.words import counted


def keep_newest(batch: Batch, most_bytes: int) -> Batch:
    """Return a batch without its oldest slices, so that it fits into a session.

    Args:
        batch: As it was read.
        most_bytes: Limit for all pixels and masks; 0 sets no limit.

    Returns:
        The same batch if it fits; otherwise one with the last studies that fit, and a note. If even the
        last study is too large, its first slices are kept.
    """
    total = sum(num_bytes(each) for study in batch.studies for each in study.slices)
    if not most_bytes or total <= most_bytes:
        return batch
    kept: list[Study] = []
    left = most_bytes
    for study in reversed(batch.studies):
        size = sum(map(num_bytes, study.slices))
        if size > left:
            if not kept:
                kept.append(_first_slices(study, left))
            break
        kept.append(study)
        left -= size
    studies = tuple(study for study in reversed(kept) if study.slices)
    dropped = sum(len(study.slices) for study in batch.studies)
    dropped -= sum(len(study.slices) for study in studies)
    words = f"{counted(dropped, 'slice')} {'was' if dropped == 1 else 'were'}"
    text = (
        f"{words} left out: one visitor's slices may take {most_bytes / 1e6:,.0f} MB of memory here. "
        "The command line takes them all."
    )
    return replace(batch, studies=studies, notes=(*batch.notes, Remark("", text)))


def num_bytes(each: Slice) -> int:
    """Return the size of a slice's pixels and mask in bytes."""
    return each.pixels.nbytes + (0 if each.truth is None else each.truth.nbytes)


def _first_slices(study: Study, most_bytes: int) -> Study:
    taken, left = 0, most_bytes
    for each in study.slices:
        left -= num_bytes(each)
        if left < 0:
            break
        taken += 1
    return replace(study, slices=study.slices[:taken], sources=study.sources[:taken])
