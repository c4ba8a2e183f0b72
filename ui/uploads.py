"""What a visitor uploads becomes a stack, in memory and in this session only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from btmodels import cohort, decode
from btmodels.errors import DecodeError
from btmodels.reader import get_reader
from btmodels.slices import Slice
from ui.stack import Stack

KINDS = ["tif", "tiff", "png", "jpg", "jpeg", "webp", "bmp"]
LIMIT = 100
"""Images of one batch; a patient has 20 to 88 slices."""

OWN = "uploads.own"
"""Session key of the stack that was uploaded last, for other pages; None without one."""

_STATE = "uploads"
_ROUND = "uploads.round"


@dataclass(frozen=True)
class File:
    """One uploaded file: ``id`` is new with each upload, ``name`` has no folders."""

    id: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Batch:
    """What came of the files.

    Attributes:
        stack: The readable slices, None without any.
        errors: One sentence for each file that could not be used.
        names: All files, for choosing a mask by hand.
    """

    stack: Stack | None
    errors: tuple[str, ...]
    names: tuple[str, ...]


def read_batch(
    files: Sequence[File], chosen: Mapping[str, str], memory: dict[tuple, object]
) -> Batch:
    """Decode files and put each mask beside its slice.

    Args:
        files: As uploaded.
        chosen: Mask's name by slice's name, where the visitor has chosen one by hand.
        memory: What was decoded before by (file id, kind); brought up to date.
    """
    errors = []
    if len(files) > LIMIT:
        errors.append(f"Only the first {LIMIT} of {len(files)} files are read.")
    files = files[:LIMIT]
    by_name = {file.name: file for file in files}
    pairs = decode.pair_masks([file.name for file in files]) | {
        name: mask for name, mask in chosen.items() if name in by_name and mask in by_name
    }
    masks = {mask for mask in pairs.values() if mask}
    for key in set(memory) - {(file.id, kind) for file in files for kind in ("slice", "mask")}:
        del memory[key]

    found: list[tuple[Slice, str]] = []
    for file in files:
        if file.name in masks:
            continue
        if decode.is_mask_name(file.name):
            errors.append(
                f"{file.name} is named as a mask, and no slice of that name was uploaded with it."
            )
            continue
        try:
            each, key = _remember(memory, file, "slice"), file.id
        except DecodeError as error:
            errors.append(str(error))
            continue
        if mask := pairs.get(file.name):
            try:
                each = _with_truth(each, _remember(memory, by_name[mask], "mask"), mask)
                key = f"{file.id}+{by_name[mask].id}"
            except DecodeError as error:
                errors.append(str(error))
        found.append((each, key))
    names = tuple(file.name for file in files)
    return Batch(_stack(found), tuple(errors), names)


def uploaded(chosen: Mapping[str, str]) -> Batch:
    """Draw the uploader and read what lies in it."""
    uploads = st.file_uploader(
        "Slices, and masks beside them",
        type=KINDS,
        accept_multiple_files=True,
        key=f"uploads.files.{st.session_state.get(_ROUND, 0)}",
        help="A mask is named as its slice with _mask before the ending: x.tif and x_mask.tif.",
    )
    files = [File(u.file_id, u.name.rsplit("/", 1)[-1], u.getvalue()) for u in uploads]
    batch = read_batch(files, chosen, st.session_state.setdefault(_STATE, {}))
    st.session_state[OWN] = batch.stack
    return batch


def forget() -> None:
    """Drop the uploaded files and all that was decoded of them."""
    st.session_state.pop(_STATE, None)
    st.session_state.pop(OWN, None)
    # The uploader lets go of its files when it comes back under another key.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _remember(memory: dict[tuple, object], file: File, kind: str):
    reader = get_reader()
    read = reader.slice if kind == "slice" else reader.mask
    if (file.id, kind) not in memory:
        try:
            memory[file.id, kind] = read(file.data, file.name)
        except DecodeError as error:
            memory[file.id, kind] = error
    outcome = memory[file.id, kind]
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


def _stack(found: list[tuple[Slice, str]]) -> Stack | None:
    if not found:
        return None
    found = sorted(
        found, key=lambda pair: (pair[0].patient or "", pair[0].number or 0, pair[0].name)
    )
    slices = tuple(each for each, _ in found)
    keys = tuple(key for _, key in found)
    provenance = tuple(cohort.provenance(s.patient) if s.patient else "unknown" for s in slices)
    # Named by the slices alone: a mask that joins its slice leaves the viewer where it is.
    name = hashlib.sha256(" ".join(key.partition("+")[0] for key in keys).encode()).hexdigest()
    return Stack(f"uploads-{name[:16]}", slices, keys, provenance, shared=False)
