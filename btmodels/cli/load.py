"""Reading what the command line was given: pictures one by one, volumes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from btmodels.cli.find_files import Bundle, Input, Problem, reason
from btmodels.errors import DecodeError
from btmodels.export.files import mask_name
from btmodels.filenames import is_mask_name, pair_masks, stem_of
from btmodels.io.assemble import Entry, assemble
from btmodels.io.dicom.file import DicomFile
from btmodels.io.formats import KNOWN, VOLUMES
from btmodels.io.raster import MAX_BYTES
from btmodels.io.read import is_zip
from btmodels.io.sandbox import get_reader
from btmodels.io.study import Study
from btmodels.slices import Slice, Turn
from btmodels.transforms.orientation import turn_slice


@dataclass(frozen=True, eq=False)
class Found:
    """A slice that was read.

    Attributes:
        slice: With its truth, if it has one.
        file: That it came from; within a zip, the zip's name goes before.
        index: Of the slice in its volume, from 0.
        target: As that of `Input`.
    """

    slice: Slice
    file: Path
    index: int
    target: Path


@dataclass(frozen=True)
class Overrides:
    """What was asked for on the command line beside files.

    Attributes:
        turn: Of every slice.
        sequences: By name of a file or a series, in lower case, what it is.
    """

    turn: Turn = Turn()
    sequences: Mapping[str, str] = field(default_factory=dict)


def read(
    item: Input | Bundle, overrides: Overrides = Overrides()
) -> tuple[list[Found], list[Problem]]:
    """Read slices with their truths. A truth that cannot be read or does not fit is a problem alone."""
    if isinstance(item, Bundle):
        found, problems = _read_bundle(item, overrides)
    else:
        found, problems = _read_picture(item)
    return [replace(each, slice=turn_slice(each.slice, overrides.turn)) for each in found], problems


def _read_picture(item: Input) -> tuple[list[Found], list[Problem]]:
    reader = get_reader()
    try:
        found = reader.slice(_bytes_of(item.file), item.file.name)
    except (OSError, DecodeError) as error:
        return [], [Problem(item.file, reason(error))]
    result = Found(found, item.file, 0, item.target)
    if item.mask is None:
        return [result], []
    try:
        truth = reader.mask(_bytes_of(item.mask), item.mask.name)
    except (OSError, DecodeError) as error:
        return [result], [Problem(item.mask, reason(error))]
    if problem := _misfit(truth.shape, found):
        return [result], [Problem(item.mask, problem)]
    return [replace(result, slice=replace(found, truth=truth))], []


def _misfit(shape: tuple[int, ...], each: Slice) -> str:
    own = each.pixels.shape[:2]
    if shape == own:
        return ""
    return f"has {shape[0]} x {shape[1]} pixels, but its slice has {own[0]} x {own[1]}."


def _read_bundle(bundle: Bundle, overrides: Overrides) -> tuple[list[Found], list[Problem]]:
    entries: list[Entry] = []
    problems: list[Problem] = []
    places: dict[str, tuple[Path, Path]] = {}
    for file, place in zip(bundle.files, bundle.places, strict=True):
        try:
            data = _bytes_of(file)
            if not is_zip(data):
                entries.append(Entry(str(file), file.name, get_reader().file(data, file.name)))
                places[str(file)] = file, place
                continue
            members = dict(get_reader().zip(data, file.name))
        except (OSError, DecodeError) as error:
            problems.append(Problem(file, reason(error)))
            continue
        read, more = _read_members(members, file)
        entries += read
        problems += more
        places |= {entry.id: (file / entry.path, place / Path(entry.path).parent) for entry in read}
    wanted = {name.lower(): role for name, role in overrides.sequences.items()}
    first = assemble(entries, {})
    chosen = {
        scan.id: wanted[name]
        for scan in first.scans
        for name in (scan.name.lower(), stem_of(scan.name).lower())
        if name in wanted
    }
    assembly = assemble(entries, chosen) if chosen else first
    problems += [Problem(bundle.files[0], problem) for problem in assembly.problems]
    found = []
    for study in assembly.studies:
        own = _files_of(study, entries)
        for index, each in enumerate(study.slices):
            path, place = places[own.get(each.name) or next(iter(own.values()))]
            found.append(Found(each, path, index, place / mask_name(each.name)))
    return found, problems


def _files_of(study: Study, entries: Sequence[Entry]) -> dict[str, str]:
    """Ids of the files that gave a study its slices, by their names."""

    def mark(entry: Entry) -> str:
        content = entry.content
        return content.series or content.name if isinstance(content, DicomFile) else entry.id

    # An anchor begins with what its files have in common; 1.2.3.1 begins 1.2.3.10, too.
    longest = max((m for m in map(mark, entries) if study.anchor.startswith(m)), key=len)
    found = {}
    for entry in entries:
        if mark(entry) == longest:
            name = Path(entry.path).name
            # A slice of a file that is named by a number with dots has lines for them.
            found |= {name: entry.id, name.replace(".", "_"): entry.id}
    return found


def _read_members(members: Mapping[str, bytes], file: Path) -> tuple[list[Entry], list[Problem]]:
    """Read what is in a zip; what is of no kind that is read is left out unless nothing else is there."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    reader = get_reader()
    pairs = pair_masks([name for name in members if name.lower().endswith(KNOWN)])
    masks = {mask for mask in pairs.values() if mask}
    for name, data in members.items():
        known = name.lower().endswith((*KNOWN, *VOLUMES))
        if name in masks or is_mask_name(name) and name.lower().endswith(KNOWN):
            continue
        try:
            content = reader.file(data, name)
            if isinstance(content, Slice) and (mask := pairs.get(name)):
                truth = reader.mask(members[mask], mask)
                if problem := _misfit(truth.shape, content):
                    problems.append(Problem(file / mask, problem))
                else:
                    content = replace(content, truth=truth)
            entries.append(Entry(str(file / name), name, content))
        except DecodeError as error:
            if known:
                problems.append(Problem(file / name, str(error)))
    if not entries and not problems:
        problems.append(Problem(file, "holds no file that is read."))
    return entries, problems


def _bytes_of(file: Path) -> bytes:
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise DecodeError(
            f"It has {size // 1_000_000:,} MB; at most {MAX_BYTES // 1_000_000} MB are read."
        )
    return file.read_bytes()
