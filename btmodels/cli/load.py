"""Read the command line's files the way the site reads uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from btmodels.cli.find_files import Group, Problem, bytes_of, reason
from btmodels.errors import DecodeError
from btmodels.export.files import mask_name
from btmodels.io.batch import Batch, InputFile
from btmodels.io.sandbox import get_readers
from btmodels.io.study import Remark
from btmodels.slices import Slice, Turn
from btmodels.transforms.orientation import turn_slice


@dataclass(frozen=True, eq=False)
class Found:
    """A slice that was read.

    Attributes:
        slice: The slice with its true mask, if it has one.
        file: The file it came from; inside a zip, the zip's path comes first.
        index: Index of the slice in its volume, from 0.
        target: Path of its mask relative to the output folder: the path of its folder relative to the
            folder that was given, and the data set's name for a mask.
    """

    slice: Slice
    file: Path
    index: int
    target: Path


@dataclass(frozen=True)
class Overrides:
    """Command-line options that change how files are read.

    Attributes:
        turn: Applied to every slice.
        sequences: Sequence by the name of a file or series.
    """

    turn: Turn = Turn()
    sequences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Loaded:
    """The result of reading a group of files.

    Attributes:
        found: Slices in display order.
        errors: Requested files that could not be read or used.
        notes: Files that were left out on purpose.
        names: For each scan, the names that ``--sequence`` accepts for it.
    """

    found: tuple[Found, ...]
    errors: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    names: tuple[frozenset[str], ...]


def read(group: Group, overrides: Overrides = Overrides()) -> Loaded:
    """Read files together. A problem with one file does not affect the others."""
    files: list[InputFile] = []
    errors: list[Problem] = []
    paths: dict[str, tuple[Path, Path]] = {}
    for number, source in enumerate(group):
        paths[str(number)] = source.file, source.mask_folder
        try:
            files.append(InputFile(str(number), source.name, bytes_of(source), source.bulk))
        except (OSError, DecodeError) as error:
            errors.append(Problem(source.file, reason(error)))
    batch = get_readers().batch(files, None, overrides.sequences) if files else Batch()
    located = _Located(paths, alone=len(group) == 1)
    found = tuple(
        Found(
            turn_slice(each, overrides.turn),
            located.file(source),
            index,
            located.mask_folder(source) / mask_name(each.name),
        )
        for study in batch.studies
        for index, (each, source) in enumerate(zip(study.slices, study.sources, strict=True))
    )
    return Loaded(
        found,
        (*errors, *map(located.problem, batch.errors)),
        tuple(map(located.problem, batch.notes)),
        tuple(scan.names for scan in batch.scans),
    )


class _Located:
    """The paths of a batch's files. A zip counts as a folder unless it is the only file."""

    def __init__(self, paths: Mapping[str, tuple[Path, Path]], alone: bool) -> None:
        self._paths, self._alone = paths, alone

    def file(self, source: str) -> Path:
        number, _, within = source.partition("/")
        return self._paths[number][0] / within

    def mask_folder(self, source: str) -> Path:
        number, _, within = source.partition("/")
        file, folder = self._paths[number]
        own = file.stem if within and not self._alone else ""
        return folder / own / PurePosixPath(within).parent

    def problem(self, remark: Remark) -> Problem:
        return Problem(self.file(remark.source), remark.text)
