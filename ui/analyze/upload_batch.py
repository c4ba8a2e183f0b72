"""Turn uploaded files into a stack: decode them, and assign masks and sequences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from btmodels.dataset import cohort
from btmodels.io import batch as io_batch
from btmodels.io.batch import InputFile, ScanChoice
from btmodels.io.sandbox import get_readers
from btmodels.io.study import Study
from btmodels.slices import Slice, Turn
from btmodels.transforms.orientation import turn_slice
from ui.session.stack import Stack
from ui.site import limits

LIMIT = 400
"""Most slices analyzed together; a patient has 20 to 88, a fine volume 256."""

MOST_PIXELS = 30_000_000
"""Most pixels of all volumes together that browsers handle; 256 slices of 256 x 256 have 17 million."""


@dataclass(frozen=True)
class UploadOverrides:
    """The visitor's manual choices.

    Attributes:
        masks: Mask names by slice name.
        sequences: One of `btmodels.io.study.ROLES` by scan id.
        turns: Turns by anchor of a study.
    """

    masks: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, str] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)

    @property
    def mark(self) -> tuple:
        """A hashable key, equal for equal overrides."""
        return tuple(tuple(sorted(each.items())) for each in (self.masks, self.sequences)) + (
            tuple(sorted((key, turn.quarters, turn.mirrored) for key, turn in self.turns.items())),
        )


@dataclass(frozen=True, eq=False)
class UploadBatch:
    """The result of reading the files.

    Attributes:
        stack: The readable slices, None without any.
        errors: One sentence for each file that could not be used.
        names: Names of all pictures, for choosing a mask manually.
        scans: Scans that can be assigned to a sequence manually.
        studies: Studies that can be turned manually.
        notes: Further remarks on the batch.
    """

    stack: Stack | None
    errors: tuple[str, ...]
    names: tuple[str, ...]
    scans: tuple[ScanChoice, ...] = ()
    studies: tuple[Study, ...] = ()
    notes: tuple[str, ...] = ()


def read_batch(
    files: Sequence[InputFile],
    overrides: UploadOverrides,
    memory: dict[tuple, object],
) -> UploadBatch:
    """Decode files, and assign masks to slices and sequences to channels.

    Args:
        files: The uploaded files.
        overrides: The visitor's manual choices.
        memory: Cache of the last batch read; updated.
    """
    # Manual turns are applied after reading.
    mark = tuple(file.id for file in files), overrides.mark[:2]
    if mark not in memory:
        memory.clear()
        if files:
            memory[mark] = get_readers().batch(
                files,
                overrides.masks,
                overrides.sequences,
                limits.read()["BT_SESSION_MB"] * 1_000_000,
            )
    read = memory.get(mark, io_batch.Batch())
    errors = [remark.text for remark in read.errors]
    notes = [remark.text for remark in read.notes]
    studies, thinned = _thin_out(read.studies)
    notes += thinned
    found = [
        _turned(each, key, overrides.turns.get(study.anchor))
        for study in studies
        for each, key in _keyed(study)
    ]
    if len(found) > LIMIT:
        errors.append(f"Only the first {LIMIT} of {len(found)} slices are analyzed.")
    stack = _stack(found[:LIMIT])
    return UploadBatch(stack, tuple(errors), read.pictures, read.scans, studies, tuple(notes))


def _thin_out(studies: tuple[Study, ...]) -> tuple[tuple[Study, ...], list[str]]:
    """Keep every n-th slice of each volume, as few as a browser can handle within a minute."""
    volumes = [study for study in studies if study.slices[0].position]
    slices = sum(len(study.slices) for study in volumes)
    pixels = sum(each.pixels[..., 0].size for study in volumes for each in study.slices)
    step = max(1, -(-slices // LIMIT), -(-pixels // MOST_PIXELS))
    if step == 1:
        return studies, []
    thin = [replace(s, slices=s.slices[::step]) if s in volumes else s for s in studies]
    return tuple(thin), [
        f"Every {_ordinal(step)} of the {slices:,} slices is analyzed, so that the browser keeps up. The "
        "command line analyzes them all."
    ]


def _ordinal(number: int) -> str:
    words = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return words.get(number, f"{number}th")


def _keyed(study: Study) -> list[tuple[Slice, str]]:
    if study.slices[0].position is None:
        return [(each, study.id) for each in study.slices]
    return [(each, f"{study.id}#{each.position.index}") for each in study.slices]


def _turned(each: Slice, key: str, turn: Turn | None) -> tuple[Slice, str]:
    if turn is None or turn == Turn():
        return each, key
    return turn_slice(each, turn), f"{key}@{turn.quarters}{turn.mirrored:d}"


def _stack(found: list[tuple[Slice, str]]) -> Stack | None:
    if not found:
        return None
    slices, keys = zip(*found, strict=True)
    provenance = tuple(cohort.provenance(s.patient) if s.patient else "unknown" for s in slices)
    # The name depends on the slices alone, so that adding a mask or turning a slice keeps the
    # viewer's state.
    names = (key.partition("@")[0].partition("+")[0] for key in keys)
    name = hashlib.sha256(" ".join(names).encode()).hexdigest()
    return Stack(f"uploads-{name[:16]}", slices, keys, provenance, shared=False)
