"""Join the DICOM files of a batch into scans: the frames of a series, sorted along their normal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from btmodels.filenames import stem_of
from btmodels.geometry import (
    LEAST_CUT,
    VolumeGeometry,
    few_slices_note,
    plane_notes,
    toward_axial,
)
from btmodels.io.dicom.file import DicomFile, FrameHeader
from btmodels.io.dicom.stack import DicomStack, in_order_of_locations, stack_of
from btmodels.io.scan import Scan, rescale_to_uint8, title_stem

_SAME_DIRECTION = 0.02
"""Maximum difference in each component of two unit vectors that count as one direction: about a degree,
because scanners round."""

_SAME_PLACE = 0.05
"""Maximum distance in millimeters of two slices at the same position."""


@dataclass(frozen=True, eq=False)
class _Picture:
    """One frame: the file, its index ``at`` in the file, and its header as used here."""

    file: DicomFile
    at: int
    frame: FrameHeader

    @property
    def along(self) -> float | None:
        """Position along the slice normal in millimeters; None if unknown."""
        if self.frame.position is None or self.frame.directions is None:
            return None
        normal = np.cross(self.frame.directions[:3], self.frame.directions[3:])
        return float(np.dot(normal, self.frame.position))


def join(
    files: Sequence[DicomFile],
) -> tuple[tuple[Scan, ...], tuple[tuple[DicomFile, DicomFile], ...]]:
    """Sort the frames of each series and make each series a scan.

    Series are distinguished by patient, study and series, never by their names alone. Frames of one series
    that differ in size or direction, such as the three views of a localizer, become separate scans, and so
    does each pass over positions that repeat (echoes, time points).

    Returns:
        The scans, and each file that was left out as a copy, with its original.
    """
    files, copies = _without_copies(files)
    groups: dict[tuple, list[_Picture]] = defaultdict(list)
    for index, file in enumerate(files):
        for at, frame in enumerate(file.frames):
            # A file without a SeriesInstanceUID is a series by itself.
            series = file.series or f"file {index}"
            key = (file.patient, file.study, series, file.description, file.values.shape[1:])
            groups[*key, file.inverted].append(_Picture(file, at, frame))
    scans: list[Scan] = []
    apart: set[str] = set()
    for pictures in groups.values():
        for same in _by_direction(_completed(pictures)):
            passes = _passes(same)
            folders = [{picture.file.folder for picture in ordered} for ordered in passes]
            if len(passes) > 1 and all(len(own) == 1 for own in folders):
                apart.add(_case(passes[0][0].file))
            for number, ordered in enumerate(passes):
                scans.append(_scan(ordered, f", pass {number + 1}" if len(passes) > 1 else ""))
    # If folders share UIDs that should be unique, the folder becomes part of the case.
    scans = [replace(s, case=f"{s.case} {s.folder}") if s.case in apart else s for s in scans]
    return tuple(_with_own_ids(scans)), copies


def _without_copies(
    files: Sequence[DicomFile],
) -> tuple[list[DicomFile], tuple[tuple[DicomFile, DicomFile], ...]]:
    kept: dict[tuple[str, str], list[DicomFile]] = defaultdict(list)
    result, copies = [], []
    for file in files:
        same = kept[file.patient, file.series]
        first = next((other for other in same if _is_copy(file, other)), None)
        if first is not None:
            copies.append((file, first))
            continue
        same.append(file)
        result.append(file)
    return result, tuple(copies)


def _is_copy(one: DicomFile, other: DicomFile) -> bool:
    """Return whether two files hold the same pictures of the same place, or are the same instance."""
    places = [[(f.position, f.pass_keys) for f in file.frames] for file in (one, other)]
    if places[0] != places[1]:
        return False
    placed = all(frame.position for frame in one.frames)
    same = one.instance and one.instance == other.instance
    # Without positions, equal pictures may be different slices of air; with positions, they are copies.
    return bool(same or placed and one.series) and np.array_equal(one.values, other.values)


def _completed(pictures: list[_Picture]) -> list[_Picture]:
    """Give frames without directions or pixel spacing those of their series, if all others agree."""
    known = {
        key: {value for p in pictures if (value := getattr(p.frame, key)) is not None}
        for key in ("directions", "spacing")
    }
    agreed = {
        key: min(values)
        for key, values in known.items()
        if values and np.ptp(np.array(list(values)), axis=0).max() <= _SAME_DIRECTION
    }
    found = []
    for picture in pictures:
        lacking = {k: v for k, v in agreed.items() if getattr(picture.frame, k) is None}
        if lacking and len(pictures) > 1:
            what = " and ".join(_LACKING[key] for key in lacking)
            note = f"{picture.file.name} does not say {what}; what the rest of its series says was taken."
            # A segmentation cannot refer to an incomplete header.
            file = replace(picture.file, notes=(*picture.file.notes, note), header=b"")
            picture = _Picture(file, picture.at, replace(picture.frame, **lacking))
        found.append(picture)
    return _without_made_up(found)


_LACKING = {"directions": "in which direction it lies", "spacing": "how large its pixels are"}


def _without_made_up(pictures: list[_Picture]) -> list[_Picture]:
    """Drop meaningless positions: the same in all files, which only differ in their number."""
    places = {p.frame.position for p in pictures}
    numbers = {p.file.number for p in pictures}
    alike = len({p.frame.pass_keys for p in pictures}) == 1
    if len(pictures) < 3 or len(places) > 1 or len(numbers) < len(pictures) or not alike:
        return pictures
    return [_Picture(p.file, p.at, replace(p.frame, position=None)) for p in pictures]


def _by_direction(pictures: list[_Picture]) -> list[list[_Picture]]:
    groups: list[list[_Picture]] = []
    for picture in pictures:
        for group in groups:
            if _one_direction(picture.frame.directions, group[0].frame.directions):
                group.append(picture)
                break
        else:
            groups.append([picture])
    return groups


def _one_direction(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.abs(np.subtract(one, other)).max() <= _SAME_DIRECTION)


def _passes(pictures: list[_Picture]) -> list[list[_Picture]]:
    """Split pictures into passes with one picture per position, each sorted along the normal."""
    ordered = sorted(pictures, key=lambda p: (p.file.number, p.file.name, p.at))
    if in_order_of_locations([p.frame for p in pictures]):
        ordered.sort(key=lambda p: p.frame.location)
    placed = sorted((p for p in ordered if p.along is not None), key=lambda p: p.along)
    lost = [p for p in ordered if p.along is None]
    if not placed:
        return [ordered]
    slots = _slots(placed)
    passes = _told_apart(placed, slots)
    if len(passes) > 1:
        return [*passes, lost] if lost else passes
    rest = []
    for picture in lost:
        found = _placed_by_number(picture, placed)
        (rest if found is None else placed).append(found or picture)
    return [sorted(placed, key=lambda p: p.along), *([rest] if rest else [])]


def _slots(placed: list[_Picture]) -> dict[_Picture, int]:
    slots: dict[_Picture, int] = {}
    slot, last = -1, -np.inf
    for picture in placed:
        if picture.along - last > _SAME_PLACE:
            slot, last = slot + 1, picture.along
        slots[picture] = slot
    return slots


def _told_apart(placed: list[_Picture], slots: dict[_Picture, int]) -> list[list[_Picture]]:
    counts = np.bincount(list(slots.values()))
    if counts.max() == 1:
        return [placed]
    # Headers separate passes better than the file order, which a missing slice shifts.
    keys: list[Callable[[_Picture], str]] = [lambda p: p.file.folder]
    for number in range(len(placed[0].frame.pass_keys)):
        keys.append(lambda p, number=number: p.frame.pass_keys[number])
    for key in keys:
        groups: dict[str, list[_Picture]] = defaultdict(list)
        for picture in sorted(placed, key=lambda p: p.file.number):
            groups[key(picture)].append(picture)
        own = all(len({slots[p] for p in group}) == len(group) for group in groups.values())
        if len(groups) == counts.max() and own:
            return [sorted(group, key=lambda p: p.along) for group in groups.values()]
    taken: dict[int, int] = defaultdict(int)
    passes: dict[int, list[_Picture]] = defaultdict(list)
    for picture in sorted(placed, key=lambda p: (p.file.number, p.file.name, p.at)):
        slot = slots[picture]
        passes[taken[slot]].append(picture)
        taken[slot] += 1
    return [sorted(each, key=lambda p: p.along) for each in passes.values()]


def _placed_by_number(picture: _Picture, placed: list[_Picture]) -> _Picture | None:
    """Return a picture with the position that its number leaves free; None if there is none."""
    numbers = np.array([p.file.number for p in placed], float)
    if len(placed) < 3 or len(set(numbers)) < len(placed) or picture.file.number in numbers:
        return None
    positions = np.array([p.frame.position for p in placed])
    slope, start = np.polyfit(numbers, positions, 1)
    step = float(np.linalg.norm(slope))
    fits = np.abs(np.outer(numbers, slope) + start - positions).max() <= 0.1 * step
    place = slope * picture.file.number + start
    if not fits or np.linalg.norm(positions - place, axis=1).min() < 0.5 * step:
        return None
    note = (
        f"{picture.file.name} does not say where it lies; its number puts it between its neighbors."
    )
    # A segmentation cannot refer to a header without a position.
    file = replace(picture.file, notes=(*picture.file.notes, note), header=b"")
    frame = replace(picture.frame, position=tuple(place), directions=placed[0].frame.directions)
    return _Picture(file, picture.at, frame)


def _scan(pictures: list[_Picture], suffix: str) -> Scan:
    files = {id(picture.file): picture.file for picture in pictures}
    first = pictures[0].file
    title = (first.name if len(files) == 1 else first.description or first.name) + suffix
    stack = stack_of([picture.frame for picture in pictures], first.step, title)
    levels, more = _levels(pictures, title)
    grid, placed = _grid(pictures, stack, levels.shape[:3], title)
    if stack.missing:
        levels = _filled(levels, stack)
    own = [note for file in files.values() for note in file.notes]
    if len(files) > 1:
        own = _shared(own, list(files.values()), title)
    return Scan(
        id=f"{first.patient}{first.series or first.id or first.name}{suffix}",
        name=title,
        values=np.ascontiguousarray(grid.shown(levels)),
        grid=grid,
        names=_names(pictures, stack, grid, title, len(files)),
        sequence=first.sequence,
        case=_case(first),
        folder=first.folder,
        reference=first.reference if grid.affine is not None or grid.planes is not None else "",
        notes=(*own, *more, *placed),
        sources=_sources(pictures, stack, grid),
    )


def _case(file: DicomFile) -> str:
    visit = file.study or f"series {file.series}" if file.series or file.study else file.folder
    return f"DICOM {file.patient} {visit}"


def _shared(notes: list[str], files: list[DicomFile], title: str) -> list[str]:
    # A note that several files share is given once, for the series.
    counts: dict[str, set[str]] = defaultdict(set)
    for file in files:
        for note in file.notes:
            if note.startswith(f"{file.name} "):
                counts[title + note.removeprefix(file.name)].add(note)
    said: dict[str, None] = {}
    for note in notes:
        general = next((each for each, own in counts.items() if note in own), note)
        said[general if len(counts.get(general, ())) > 1 else note] = None
    return list(said)


def _grid(
    pictures: list[_Picture], stack: DicomStack, shape: tuple[int, int, int], title: str
) -> tuple[VolumeGeometry, tuple[str, ...]]:
    """Return the geometry of a series and notes on it."""
    files = list({id(picture.file): picture for picture in pictures})
    frames: list[tuple[int, int] | None] = [None] * (stack.indices[-1] + 1)
    for index, picture in zip(stack.indices, pictures, strict=True):
        frames[index] = files.index(id(picture.file)), picture.at
    plain = VolumeGeometry(
        "DICOM",
        (len(frames), *shape[1:]),
        header=tuple({id(picture.file): picture.file.header for picture in pictures}.values()),
        frames=tuple(frames),
        pixel=pictures[0].frame.spacing,
    )
    if stack.affine is None:
        return plain, stack.notes
    grid = replace(plain, affine=stack.affine)
    if (stack.flat or len(frames) < LEAST_CUT) and grid.plane != "axial":
        note = few_slices_note(title, len(pictures), grid.plane)
        known = stack.step is not None and len(pictures) == 1
        return (grid if known else plain), (*stack.notes, note)
    order, flips = toward_axial(stack.affine)
    grid = replace(grid, order=order, flips=flips)
    notes = plane_notes(grid, title)
    if grid.plane != "axial":
        notes = (
            f"{title} was recorded in {grid.plane} slices; axial ones were cut out of it.",
            *notes,
        )
    if stack.step is None:
        planes = None
        if stack.planes is not None:
            planes = _shown_planes(stack.planes, grid)
        grid = replace(grid, affine=None, pixel=grid.pixel_spacing, planes=planes)
    return grid, (*stack.notes, *notes)


def _shown_planes(planes: np.ndarray, grid: VolumeGeometry) -> np.ndarray:
    # Apply the flips of rows and columns to each plane, and order the slices for display.
    one = replace(grid, shape=(1, *grid.shape[1:]))
    result = np.stack([replace(one, affine=plane).shown_affine for plane in planes])
    return result[::-1] if grid.flips[0] else result


def _filled(levels: np.ndarray, stack: DicomStack) -> np.ndarray:
    """Return slices with the missing ones linearly interpolated between their neighbors."""
    result = np.zeros((stack.indices[-1] + 1, *levels.shape[1:]), np.uint8)
    result[list(stack.indices)] = levels
    for index in stack.missing:
        after = int(np.searchsorted(stack.indices, index))
        low, high = stack.indices[after - 1], stack.indices[after]
        share = (index - low) / (high - low)
        mixed = (1 - share) * levels[after - 1] + share * levels[after]
        result[index] = np.rint(mixed).astype(np.uint8)
    return result


def _levels(pictures: list[_Picture], title: str) -> tuple[np.ndarray, tuple[str, ...]]:
    values = np.stack([picture.file.values[picture.at] for picture in pictures])
    if values.ndim == 4:
        return values, ()
    air = None
    if any(picture.file.padding is not None for picture in pictures):
        air = np.zeros(values.shape, bool)
        for index, picture in enumerate(pictures):
            if picture.file.padding is not None:
                air[index] = picture.file.padding[picture.at]
    windows = [picture.frame.window for picture in pictures]
    window = None
    if None not in windows:
        # Use one window for all slices that covers the windows of all frames.
        window = min(low for low, _ in windows), max(high for _, high in windows)
    inverted = pictures[0].file.inverted
    levels, notes = rescale_to_uint8(values, title, window, air, inverted)
    if inverted:
        notes += (f"{title} stores white as the smallest value (MONOCHROME1); it was inverted.",)
    return levels, notes


def _names(
    pictures: list[_Picture], stack: DicomStack, grid: VolumeGeometry, title: str, num_files: int
) -> tuple[str, ...]:
    """Return slice names: the file's name, or a number if slices were reformatted or share a file."""
    if len(pictures) == 1:
        return (_spoken(pictures[0].file.name),)
    count = grid.shape[grid.order[0]]
    result = [f"{title_stem(title)}_{number + 1}" for number in range(count)]
    if grid.order[0] == 0 and num_files > 1:
        names = [_name(picture) for picture in pictures]
        if len(set(names)) == len(names):
            for index, name in zip(stack.indices, names, strict=True):
                result[count - 1 - index if grid.flips[0] else index] = name
    return tuple(result)


def _sources(pictures: list[_Picture], stack: DicomStack, grid: VolumeGeometry) -> tuple[str, ...]:
    """Return for each displayed slice the id of its file, or of the first file if it was reformatted."""
    count = grid.shape[grid.order[0]]
    result = [pictures[0].file.id] * count
    if grid.order[0] == 0:
        for index, picture in zip(stack.indices, pictures, strict=True):
            result[count - 1 - index if grid.flips[0] else index] = picture.file.id
    return tuple(result)


def _name(picture: _Picture) -> str:
    name = _spoken(picture.file.name)
    several = len(picture.file.frames) > 1
    return f"{stem_of(name)}_{picture.at + 1}" if several else name


def _spoken(name: str) -> str:
    # Many files are named by a UID, whose last part is not an ending.
    return name if re.search(r"\.[A-Za-z]{1,5}$", name) else name.replace(".", "_")


def _with_own_ids(scans: list[Scan]) -> list[Scan]:
    taken: dict[str, int] = defaultdict(int)
    result = []
    for scan in scans:
        taken[scan.id] += 1
        number = taken[scan.id]
        result.append(scan if number == 1 else replace(scan, id=f"{scan.id}, part {number}"))
    return result
