"""What lies in the uploader becomes a stack: decoded, with masks and sequences where they belong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from btmodels.dataset import cohort
from btmodels.errors import DecodeError
from btmodels.io import image
from btmodels.io.assemble import Entry, assemble
from btmodels.io.formats import KNOWN, VOLUMES
from btmodels.io.read import is_zip
from btmodels.io.sandbox import get_reader
from btmodels.io.scan import Scan
from btmodels.io.study import Study
from btmodels.slices import Slice, Turn
from btmodels.transforms.orientation import turn_slice
from ui.session.stack import Stack

LIMIT = 400
"""Slices that are looked at together; a patient has 20 to 88, a fine volume 256."""

MOST_FILES = 2_000
"""Files of one batch: a study of DICOM has some hundred."""

MOST_PIXELS = 30_000_000
"""Of all slices of volumes together, so that browsers keep up; 256 slices of 256 x 256 have 17 million."""


@dataclass(frozen=True)
class UploadedFile:
    """One uploaded file.

    Attributes:
        id: New with each upload.
        name: With the folders that were uploaded with it, parted by ``/``.
        data: What it holds.
        bulk: Whether it came with a folder or a zip, where other things may lie, too.
    """

    id: str
    name: str
    data: bytes
    bulk: bool = False

    @property
    def short(self) -> str:
        """The name without folders."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Overrides:
    """What the visitor has set by hand.

    Attributes:
        masks: Mask's name by slice's name.
        sequences: By id of a scan one of `btmodels.io.study.ROLES`.
        turns: By anchor of a study.
    """

    masks: Mapping[str, str]
    sequences: Mapping[str, str]
    turns: Mapping[str, Turn]

    @property
    def mark(self) -> tuple:
        """Equal for equal overrides."""
        return tuple(tuple(sorted(each.items())) for each in (self.masks, self.sequences)) + (
            tuple(sorted((key, turn.quarters, turn.mirrored) for key, turn in self.turns.items())),
        )


NOTHING = Overrides({}, {}, {})


@dataclass(frozen=True, eq=False)
class Batch:
    """What came of the files.

    Attributes:
        stack: The readable slices, None without any.
        errors: One sentence for each file that could not be used.
        names: All pictures, for choosing a mask by hand.
        scans: What can be assigned to a sequence by hand.
        studies: What can be turned by hand.
        notes: What else is to be said of the batch.
    """

    stack: Stack | None
    errors: tuple[str, ...]
    names: tuple[str, ...]
    scans: tuple[Scan, ...] = ()
    studies: tuple[Study, ...] = ()
    notes: tuple[str, ...] = ()


def read_batch(
    files: Sequence[UploadedFile],
    chosen: Mapping[str, str] | Overrides,
    memory: dict[tuple, object],
) -> Batch:
    """Decode files, put each mask beside its slice and each sequence in its channel.

    Args:
        files: As uploaded.
        chosen: What the visitor has set by hand; a mapping stands for masks alone.
        memory: What was decoded before by (file id, kind); brought up to date.
    """
    overrides = chosen if isinstance(chosen, Overrides) else replace(NOTHING, masks=chosen)
    errors: list[str] = []
    if len(files) > MOST_FILES:
        errors.append(f"Only the first {MOST_FILES:,} of {len(files):,} files are read.")
    fresh: set[tuple] = set()
    files = _unpacked(files[:MOST_FILES], memory, fresh, errors)
    pictures = [file for file in files if not file.name.lower().endswith(VOLUMES)]
    by_name = {file.name: file for file in pictures}
    by_short = {file.short: file.name for file in reversed(pictures)}
    by_hand = [[by_short.get(n, n) for n in pair] for pair in overrides.masks.items()]
    pairs = image.pair_masks([file.name for file in pictures]) | {
        name: mask for name, mask in by_hand if name in by_name and mask in by_name
    }
    masks = {mask for mask in pairs.values() if mask}
    entries: list[Entry] = []
    passed: list[str] = []
    for file in files:
        if file.name in masks:
            continue
        if file.name in by_name and image.is_mask_name(file.name):
            errors.append(
                f"{file.short} is named as a mask, and no slice of that name was uploaded with it."
            )
            continue
        try:
            each, key = _remember(memory, fresh, file, "slice"), file.id
        except DecodeError as error:
            known = file.name.lower().endswith((*KNOWN, *VOLUMES))
            if known or not file.bulk:
                errors.append(str(error))
            else:
                passed.append(file.short)
            continue
        if isinstance(each, Slice) and (mask := pairs.get(file.name)):
            try:
                truth = _remember(memory, fresh, by_name[mask], "mask")
                each = _with_truth(each, truth, by_name[mask].short)
                key = f"{file.id}+{by_name[mask].id}"
            except DecodeError as error:
                errors.append(str(error))
        entries.append(Entry(key, file.name, each))
    for key in set(memory) - fresh:
        del memory[key]
    names = tuple(dict.fromkeys(file.short for file in pictures))
    return _batch(entries, overrides, names, errors, passed)


def _batch(
    entries: list[Entry],
    overrides: Overrides,
    names: tuple[str, ...],
    errors: list[str],
    passed: list[str],
) -> Batch:
    assembly = assemble(entries, overrides.sequences)
    notes = list(assembly.problems)
    if passed:
        some = ", ".join(passed[:3]) + (", …" if len(passed) > 3 else "")
        many = f"{len(passed)} files are no slices and were"
        which = "1 file is no slice and was" if len(passed) == 1 else many
        notes.append(f"{which} passed over: {some}.")
    studies, thinned = _thin_out(assembly.studies)
    notes += thinned
    found = [
        _turned(each, key, overrides.turns.get(study.anchor))
        for study in studies
        for each, key in _keyed(study)
    ]
    if len(found) > LIMIT:
        errors.append(f"Only the first {LIMIT} of {len(found)} slices are looked at.")
    stack = _stack(found[:LIMIT])
    return Batch(stack, tuple(errors), names, assembly.scans, studies, tuple(notes))


def _unpacked(
    files: Sequence[UploadedFile], memory: dict[tuple, object], fresh: set[tuple], errors: list[str]
) -> list[UploadedFile]:
    result: list[UploadedFile] = []
    for file in files:
        if not is_zip(file.data):
            result.append(file)
            continue
        try:
            members = _remember(memory, fresh, file, "zip")
        except DecodeError as error:
            errors.append(str(error))
            continue
        found = [UploadedFile(f"{file.id}/{path}", path, data, True) for path, data in members]
        if not found:
            errors.append(f"{file.short} is a zip without files.")
        result += found
    return result


def _remember(memory: dict[tuple, object], fresh: set[tuple], file: UploadedFile, kind: str):
    reader = get_reader()
    read = {"slice": reader.file, "mask": reader.mask, "zip": reader.zip}[kind]
    key = file.id, kind
    fresh.add(key)
    if key not in memory:
        try:
            memory[key] = read(file.data, file.name)
        except DecodeError as error:
            memory[key] = error
    outcome = memory[key]
    if isinstance(outcome, DecodeError):
        raise outcome
    return outcome


def _with_truth(each: Slice, truth: np.ndarray, mask: str) -> Slice:
    rows, cols = each.pixels.shape[:2]
    if truth.shape != (rows, cols):
        raise DecodeError(
            f"{mask} has {truth.shape[0]} rows and {truth.shape[1]} columns, {each.name} has "
            f"{rows} and {cols}: a mask must have the size of its slice, so it is left out."
        )
    return replace(each, truth=truth)


def _thin_out(studies: tuple[Study, ...]) -> tuple[tuple[Study, ...], list[str]]:
    """Keep so many slices of each volume that a browser and a minute are enough."""
    volumes = [study for study in studies if study.slices[0].place]
    slices = sum(len(study.slices) for study in volumes)
    pixels = sum(each.pixels[..., 0].size for study in volumes for each in study.slices)
    step = max(1, -(-slices // LIMIT), -(-pixels // MOST_PIXELS))
    if step == 1:
        return studies, []
    thin = [replace(s, slices=s.slices[::step]) if s in volumes else s for s in studies]
    return tuple(thin), [
        f"Of {slices:,} slices every {_ordinal(step)} is looked at, so that the browser keeps up; the "
        "command line takes them all."
    ]


def _ordinal(number: int) -> str:
    words = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return words.get(number, f"{number}th")


def _keyed(study: Study) -> list[tuple[Slice, str]]:
    if study.slices[0].place is None:
        return [(each, study.id) for each in study.slices]
    return [(each, f"{study.id}#{each.place.index}") for each in study.slices]


def _turned(each: Slice, key: str, turn: Turn | None) -> tuple[Slice, str]:
    if turn is None or turn == Turn():
        return each, key
    return turn_slice(each, turn), f"{key}@{turn.quarters}{turn.mirrored:d}"


def _stack(found: list[tuple[Slice, str]]) -> Stack | None:
    if not found:
        return None
    slices = tuple(each for each, _ in found)
    keys = tuple(key for _, key in found)
    provenance = tuple(cohort.provenance(s.patient) if s.patient else "unknown" for s in slices)
    # Named by the slices alone: a mask that joins its slice, or a slice that is turned, leaves the
    # viewer where it is.
    names = (key.partition("@")[0].partition("+")[0] for key in keys)
    name = hashlib.sha256(" ".join(names).encode()).hexdigest()
    return Stack(f"uploads-{name[:16]}", slices, keys, provenance, shared=False)
