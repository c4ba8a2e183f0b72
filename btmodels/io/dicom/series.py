"""From the DICOM files of a batch to scans: frames of one series, sorted through the patient."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from btmodels.filenames import stem_of
from btmodels.geometry import VolumeGeometry, is_affine, plane_notes, toward_axial
from btmodels.io.dicom.file import DicomFile, Frame
from btmodels.io.scan import Scan, rescale_to_uint8

_EVEN = 0.02
"""Share of the distance between slices by which one may differ from another."""

_TO_RIGHT_FRONT_TOP = np.array([-1.0, -1.0, 1.0])
"""DICOM counts to the left, back and top, NIfTI to the right, front and top."""


@dataclass(frozen=True, eq=False)
class _Picture:
    """One frame with the file that it is in: ``index`` of the file, ``at`` in it."""

    file: DicomFile
    index: int
    at: int

    @property
    def frame(self) -> Frame:
        return self.file.frames[self.at]

    @property
    def along(self) -> float | None:
        """Millimeters along the line on which the slices of its plane lie."""
        if self.frame.position is None or self.frame.directions is None:
            return None
        return float(np.dot(_normal(self.frame), self.frame.position))


def join(files: Sequence[DicomFile]) -> tuple[Scan, ...]:
    """Put the frames of a series in order and make each series a scan.

    Frames of one series that differ in size or direction, such as the three views of a localizer, are
    scans of their own; so is each pass over positions that come several times (echoes, a recording
    over time).
    """
    groups: dict[tuple, list[_Picture]] = defaultdict(list)
    for index, file in enumerate(files):
        for at, frame in enumerate(file.frames):
            directions = frame.directions and tuple(round(each, 2) for each in frame.directions)
            # A file without a series' number, or with colors, stands for itself.
            series = file.series or f"file {index}"
            key = (series, file.values.shape[1:], directions, file.inverted)
            groups[key].append(_Picture(file, index, at))
    scans: list[Scan] = []
    for pictures in groups.values():
        passes = _passes(pictures)
        for number, ordered in enumerate(passes):
            scans.append(_scan(ordered, f", pass {number + 1}" if len(passes) > 1 else ""))
    return tuple(_with_own_ids(scans))


def _passes(pictures: list[_Picture]) -> list[list[_Picture]]:
    if any(picture.along is None for picture in pictures):
        return [sorted(pictures, key=lambda p: (p.file.number, p.file.name, p.at))]
    at: dict[int, int] = defaultdict(int)
    passes: dict[int, list[_Picture]] = defaultdict(list)
    for picture in sorted(pictures, key=lambda p: (p.file.number, p.file.name, p.at)):
        place = round(100 * picture.along)  # hundredths of a millimeter
        passes[at[place]].append(picture)
        at[place] += 1
    return [sorted(each, key=lambda picture: picture.along) for each in passes.values()]


def _scan(pictures: list[_Picture], suffix: str) -> Scan:
    files = {picture.index: picture.file for picture in pictures}
    first = pictures[0].file
    title = (first.name if len(files) == 1 else first.description or first.name) + suffix
    values = np.stack([picture.file.values[picture.at] for picture in pictures])
    levels, more = _levels(pictures, values, title)
    grid, placed = _grid(pictures, list(files), values.shape[:3], title)
    own = [note for file in files.values() for note in file.notes]
    if len(files) > 1:
        own = _shared(own, list(files.values()), title)
    return Scan(
        id=f"{first.series or first.name}{suffix}",
        name=title,
        values=np.ascontiguousarray(grid.shown(levels)),
        grid=grid,
        names=_names(pictures, grid, title, len(files)),
        sequence=first.sequence,
        family=first.study,
        reference=first.reference if grid.affine is not None else "",
        notes=(*own, *more, *placed),
    )


def _shared(notes: list[str], files: list[DicomFile], title: str) -> list[str]:
    # What all files of a series say is said once, of the series.
    said: dict[str, None] = {}
    for note in notes:
        for file in files:
            if note.startswith(f"{file.name} "):
                note = title + note.removeprefix(file.name)
        said[note] = None
    return list(said)


def _grid(
    pictures: list[_Picture], files: list[int], shape: tuple[int, int, int], title: str
) -> tuple[VolumeGeometry, tuple[str, ...]]:
    """Where a series lies, and what is to be said of that."""
    frame = pictures[0].frame
    plain = VolumeGeometry(
        "DICOM",
        tuple(shape),
        header=tuple({picture.index: picture.file.header for picture in pictures}.values()),
        frames=tuple((files.index(picture.index), picture.at) for picture in pictures),
        pixel=frame.spacing,
    )
    if frame.spacing is None:
        return plain, (f"{title} does not say how large its pixels are, so figures are in pixels.",)
    if pictures[0].along is None:
        return plain, ()
    steps = np.diff([picture.along for picture in pictures])
    step = float(np.median(steps)) if steps.size else pictures[0].file.step
    if steps.size and (step <= 0 or (np.abs(steps - step) > max(_EVEN * step, 0.02)).any()):
        return plain, (
            f"{title} has slices at uneven distances ({steps.min():.2f} to {steps.max():.2f} mm), "
            "so some may be missing.",
        )
    # Of a single slice of unknown thickness only the directions count.
    affine = _affine(frame, step or 1.0)
    if not is_affine(affine):
        return plain, ()
    grid = replace(plain, affine=affine)
    if len(pictures) == 1 and grid.plane != "axial":
        note = f"{title} is a {grid.plane} slice; the networks know axial ones alone."
        return (grid if step else plain), (note,)
    order, flips = toward_axial(affine)
    grid = replace(grid, order=order, flips=flips)
    notes = plane_notes(grid, title)
    if grid.plane != "axial":
        notes = (
            f"{title} was recorded in {grid.plane} slices; axial ones were cut out of it.",
            *notes,
        )
    if step is None:
        spacing = grid.pixel_spacing
        grid = replace(grid, affine=None, pixel=spacing)
    return grid, notes


def _affine(frame: Frame, step: float) -> np.ndarray:
    """Indices of frame, row and column to millimeters to the right, front and top."""
    affine = np.eye(4)
    affine[:3, 0] = _normal(frame) * step
    affine[:3, 1] = np.array(frame.directions[3:]) * frame.spacing[0]
    affine[:3, 2] = np.array(frame.directions[:3]) * frame.spacing[1]
    affine[:3, 3] = frame.position
    affine[:3] *= _TO_RIGHT_FRONT_TOP[:, None]
    return affine


def _levels(
    pictures: list[_Picture], values: np.ndarray, title: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    if values.ndim == 4:
        return values, ()
    windows = [picture.frame.window for picture in pictures]
    window = None
    if None not in windows:
        # One line for all slices, and no frame's own window cuts off what another shows.
        window = min(low for low, _ in windows), max(high for _, high in windows)
    levels, notes = rescale_to_uint8(values, title, window)
    if pictures[0].file.inverted:
        levels = 255 - levels
        notes += (f"{title} stores white as the smallest value (MONOCHROME1); it was inverted.",)
    return levels, notes


def _names(
    pictures: list[_Picture], grid: VolumeGeometry, title: str, num_files: int
) -> tuple[str, ...]:
    """A slice is named by its file, unless it was cut across files or the file has more."""
    if len(pictures) == 1:
        return (_spoken(pictures[0].file.name),)
    count = grid.shape[grid.order[0]]
    if grid.order[0] == 0 and num_files > 1:
        names = [_name(picture) for picture in pictures]
        if len(set(names)) == len(names):
            return tuple(reversed(names) if grid.flips[0] else names)
    stem = re.sub(r"[^\w-]+", "_", stem_of(_spoken(title)))
    return tuple(f"{stem}_{number + 1}" for number in range(count))


def _name(picture: _Picture) -> str:
    name = _spoken(picture.file.name)
    several = len(picture.file.frames) > 1
    return f"{stem_of(name)}_{picture.at + 1}" if several else name


def _spoken(name: str) -> str:
    # Many files are named by a number with dots, the last part of which is no ending.
    return name if re.search(r"\.[A-Za-z]{1,5}$", name) else name.replace(".", "_")


def _normal(frame: Frame) -> np.ndarray:
    return np.cross(frame.directions[:3], frame.directions[3:])


def _with_own_ids(scans: list[Scan]) -> list[Scan]:
    taken: dict[str, int] = defaultdict(int)
    result = []
    for scan in scans:
        taken[scan.id] += 1
        number = taken[scan.id]
        result.append(scan if number == 1 else replace(scan, id=f"{scan.id}, part {number}"))
    return result
