"""From what was typed on a command line to the slices that are meant, and their masks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from btmodels.decode import SUFFIXES, decode, decode_mask
from btmodels.errors import DecodeError
from btmodels.names import is_mask_name, pair_masks
from btmodels.raster import MAX_BYTES
from btmodels.slices import Slice

KNOWN = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""Endings of files that are looked for in folders; a file that is named is read whatever its ending."""


@dataclass(frozen=True)
class Input:
    """One file to be analyzed.

    Attributes:
        file: As given, or below a folder as given.
        mask: The file beside it that holds its truth, None where there is none.
        target: Where its mask goes, below the folder for masks: the place that it has below the
            folder that was given, and the data set's name for a mask.
    """

    file: Path
    mask: Path | None
    target: Path


@dataclass(frozen=True)
class Problem:
    """A file that could not be read, written or used, and why in a sentence."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def gather(paths: Iterable[Path]) -> tuple[list[Input], list[Problem]]:
    """Find the slices meant by ``paths``: files, and all images in folders, in the data set's order.

    A file named as a mask is the truth of the slice beside it and no input.
    """
    inputs: dict[Path, Input] = {}
    problems: list[Problem] = []
    masks: list[Path] = []
    pairs: dict[Path, dict[str, str | None]] = {}
    for path in paths:
        try:
            if path.is_dir():
                found = list(_in_folder(path))
                if not found:
                    problems.append(Problem(path, f"holds no image ({', '.join(KNOWN)})."))
            elif is_mask_name(path.name):
                masks.append(path)
                continue
            else:
                path.stat()  # what is not there is told at once
                if path.parent not in pairs:
                    names = sorted(other.name for other in path.parent.iterdir())
                    pairs[path.parent] = pair_masks(names)
                found = [_input(path, pairs[path.parent].get(path.name))]
        except OSError as error:
            problems.append(Problem(path, _why(error)))
            continue
        for item in found:
            inputs.setdefault(item.file.resolve(), item)
    slices = {(item.file.resolve().parent, item.file.stem.lower()) for item in inputs.values()}
    for path in masks:
        slice_stem = path.stem.lower().removesuffix("_mask")
        if (path.resolve().parent, slice_stem) not in slices:
            problems.append(Problem(path, "is named as a mask; give the slice that it belongs to."))
    return list(inputs.values()), problems


def read(item: Input) -> tuple[Slice | None, list[Problem]]:
    """Read a slice with its truth. A truth that cannot be read or does not fit is a problem alone."""
    try:
        found = decode(_bytes_of(item.file), item.file.name)
    except (OSError, DecodeError) as error:
        return None, [Problem(item.file, _why(error))]
    if item.mask is None:
        return found, []
    try:
        truth = decode_mask(_bytes_of(item.mask), item.mask.name)
    except (OSError, DecodeError) as error:
        return found, [Problem(item.mask, _why(error))]
    if truth.shape != found.pixels.shape[:2]:
        (rows, cols), (own_rows, own_cols) = truth.shape, found.pixels.shape[:2]
        reason = f"has {rows} x {cols} pixels, but its slice has {own_rows} x {own_cols}."
        return found, [Problem(item.mask, reason)]
    return replace(found, truth=truth), []


def _in_folder(folder: Path) -> Iterator[Input]:
    for place, folders, names in os.walk(folder):
        # What starts with a dot is not data: archives made on a Mac hold one such file per image.
        folders[:] = sorted((f for f in folders if not f.startswith((".", "__"))), key=_natural)
        known = [name for name in names if name.lower().endswith(KNOWN) and name[0] != "."]
        pairs = pair_masks(sorted(known, key=_natural))
        for name, mask in pairs.items():
            yield _input(Path(place, name), mask, Path(place).relative_to(folder))


def _input(file: Path, mask: str | None, below: Path = Path()) -> Input:
    target = below / f"{file.stem}_mask.tif"
    return Input(file, file.with_name(mask) if mask else None, target)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    # x_9 before x_10: digits count as numbers.
    parts = re.split(r"(\d+)", name.lower())
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _bytes_of(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise DecodeError(
            f"It has {size // 1_000_000:,} MB; at most {MAX_BYTES // 1_000_000} MB are read."
        )
    return file.read_bytes()


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or type(error).__name__})."
    return str(error)
