"""From what was typed on a command line to the slices that are meant, and their masks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from btmodels.filenames import is_mask_name, pair_masks
from btmodels.io.formats import KNOWN, VOLUMES
from btmodels.io.read import is_zip

MOST_FILES = 2_000
"""Files that are read together; of a folder with more each folder within stands for itself."""

_HEAD = 132


@dataclass(frozen=True)
class Input:
    """One picture to be analyzed.

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
class Bundle:
    """Files that are read together, because some may be sequences of one patient: DICOM, NIfTI, a zip.

    Attributes:
        files: As given, or below a folder as given.
        places: For each file the folder that its masks go to, below the folder for masks.
    """

    files: tuple[Path, ...]
    places: tuple[Path, ...]


@dataclass(frozen=True)
class Problem:
    """A file that could not be read, written or used, and why in a sentence."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def discover(paths: Iterable[Path]) -> tuple[list[Input | Bundle], list[Problem]]:
    """Find the slices meant by ``paths``: files, and all that is read in folders, in the data set's
    order.

    A picture named as a mask is the truth of the slice beside it and no input. Volumes that are named
    belong together, and so do those in a folder that is named.
    """
    inputs: dict[Path, Input] = {}
    bundles: list[Bundle] = []
    named: dict[Path, Path] = {}
    problems: list[Problem] = []
    masks: list[Path] = []
    pairs: dict[Path, dict[str, str | None]] = {}
    for path in paths:
        try:
            if path.is_dir():
                found, volumes = _in_folder(path)
                bundles += volumes
                if not found and not volumes:
                    endings = ", ".join((*KNOWN, *VOLUMES))
                    problems.append(Problem(path, f"holds no image ({endings})."))
            elif not path.name.lower().endswith(KNOWN):
                path.stat()  # what is not there is told at once
                named[path.resolve()] = path
                continue
            elif is_mask_name(path.name):
                masks.append(path)
                continue
            else:
                path.stat()
                if path.parent not in pairs:
                    names = sorted(other.name for other in path.parent.iterdir())
                    pairs[path.parent] = pair_masks(names)
                found = [_input(path, pairs[path.parent].get(path.name))]
        except OSError as error:
            problems.append(Problem(path, reason(error)))
            continue
        for item in found:
            inputs.setdefault(item.file.resolve(), item)
    slices = {(item.file.resolve().parent, item.file.stem.lower()) for item in inputs.values()}
    for path in masks:
        slice_stem = path.stem.lower().removesuffix("_mask")
        if (path.resolve().parent, slice_stem) not in slices:
            problems.append(Problem(path, "is named as a mask; give the slice that it belongs to."))
    below = {file.resolve() for bundle in bundles for file in bundle.files}
    rest = [path for resolved, path in named.items() if resolved not in below]
    if rest:
        bundles.append(Bundle(tuple(rest), (Path(),) * len(rest)))
    return [*inputs.values(), *bundles], problems


def _in_folder(folder: Path) -> tuple[list[Input], list[Bundle]]:
    inputs: list[Input] = []
    volumes: list[tuple[Path, Path]] = []
    for place, folders, names in os.walk(folder):
        # What starts with a dot is not data: archives made on a Mac hold one such file per image.
        folders[:] = sorted((f for f in folders if not f.startswith((".", "__"))), key=_natural)
        below = Path(place).relative_to(folder)
        names = sorted((name for name in names if name[0] != "."), key=_natural)
        pairs = pair_masks([name for name in names if name.lower().endswith(KNOWN)])
        inputs += [_input(Path(place, name), mask, below) for name, mask in pairs.items()]
        others = [Path(place, n) for n in names if not n.lower().endswith(KNOWN)]
        volumes += [(file, below) for file in others if _is_volume(file)]
    if len(volumes) <= MOST_FILES:
        groups = [volumes] if volumes else []
    else:
        by_place: dict[Path, list[tuple[Path, Path]]] = {}
        for file, below in volumes:
            by_place.setdefault(below, []).append((file, below))
        groups = list(by_place.values())
    return inputs, [Bundle(*map(tuple, zip(*group, strict=True))) for group in groups]


def _is_volume(file: Path) -> bool:
    """Whether a file in a folder is one to read with others, by its ending or by how it starts."""
    if file.name.lower().endswith(VOLUMES):
        return True
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    return head[128:132] == b"DICM" or is_zip(head)


def _input(file: Path, mask: str | None, below: Path = Path()) -> Input:
    target = below / f"{file.stem}_mask.tif"
    return Input(file, file.with_name(mask) if mask else None, target)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    # x_9 before x_10: digits count as numbers.
    parts = re.split(r"(\d+)", name.lower())
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def reason(error: Exception) -> str:
    """Return what kept a file from being read, in words."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or type(error).__name__})."
    return str(error)
