"""Scans of one sequence, their conversion to 8 bits, and recognition of label volumes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from btmodels.filenames import stem_of
from btmodels.geometry import VolumeGeometry
from btmodels.slices import Slice
from btmodels.words import counted

DARK, BRIGHT, ROOM = 0.1, 99.9, 1.5
"""Percentiles of a volume's values, and the factor from the upper one to white: a few very dark or bright
voxels must not set black and white, and bright tissue must not be clipped."""

MOST_LABELS = 16
"""Maximum number of distinct values in a label volume; no scan has so few."""

_SAMPLE = 1_000_000


@dataclass(frozen=True, eq=False)
class Scan:
    """Slices of one sequence: a NIfTI volume, a DICOM series or a gray picture.

    Attributes:
        id: Unique in the batch.
        name: Name for messages: the file's name, or the series' description.
        values: uint8, (slices, rows, cols), or (slices, rows, cols, 3) for colors; 0 to 255, as displayed.
        grid: Geometry of the volume; None for a picture.
        names: One for each slice.
        sequence: From `btmodels.io.sequences.recognize`, or None.
        case: Shared by the scans of one patient and visit.
        folder: Folder of its files in the batch, with ``/`` as separator.
        reference: Shared by scans in the same coordinates; "" if unknown.
        notes: Sentences on conversions.
        sources: For each slice, the id of its file, or of the first file.
        rank: Priority by name if several scans fit one role; the largest wins.
        picture: The slice, if the scan is a picture.
        channel_of: The group of channels of unknown sequence to which it belongs; "" if none.
        channel: Its number in that group, from 0.
    """

    id: str
    name: str
    values: np.ndarray
    grid: VolumeGeometry | None
    names: tuple[str, ...]
    sequence: str | None
    case: str
    reference: str
    folder: str = ""
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rank: int = 0
    picture: Slice | None = None
    channel_of: str = ""
    channel: int = 0


def title_stem(title: str) -> str:
    """Return a title as the beginning of a slice's name, without characters that file names cannot have."""
    spoken = title if re.search(r"\.[A-Za-z]{1,5}$", title) else title.replace(".", "_")
    return re.sub(r"[^\w-]+", "_", stem_of(spoken.replace("/", "_").replace("\\", "_")))


def rescale_to_uint8(
    values: np.ndarray,
    name: str,
    window: tuple[float, float] | None = None,
    air: np.ndarray | None = None,
    inverted: bool = False,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Map a volume linearly to 0 to 255, with one mapping for all slices.

    Args:
        values: Integer or float, (slices, rows, cols).
        name: For notes.
        window: Values that become black and white. Without a window, integers from 0 to 255 are kept; for
            others, the `DARK` percentile becomes black, and white lies `ROOM` times as far above it as the
            `BRIGHT` percentile, or at the maximum if that is less. A few outliers are ignored.
        air: bool, of the same shape: padding according to the file, which becomes black.
        inverted: Whether the smallest value is white.

    Returns:
        uint8 of the same shape, and notes.
    """
    found, notes = _air_of(values, air, name)
    limits = _Limits.of(values, found)
    smallest, largest = limits.smallest, limits.largest
    sample = limits.sample
    if limits.far:
        lie = "lies" if limits.far == 1 else "lie"
        few = f"{counted(limits.far, 'voxel')} {lie}"
        notes += (f"In {name} {few} far from all others, which does not set black or white.",)
    if window and sample.size and (problem := _spoils(sample, window, inverted)):
        notes += (f"{name} names a window that {problem}, so it was left out.",)
        window = None
    if window:
        low, high = window
        notes += (
            f"{name} was shown with the window its file names: values up to {low:g} are black, from "
            f"{high:g} on white.",
        )
    elif 0 <= smallest and largest <= 255 and all(map(_is_whole, values)):
        low, high = 0.0, 255.0
    else:
        low, high = smallest, largest
        if sample.size:
            low, high = _black_and_white(sample, inverted)
        notes += (
            f"{name} holds values from {smallest:g} to {largest:g}; {low:g}"
            f"{'' if low == smallest else ' and less'} became {'white' if inverted else 'black'}, "
            f"{high:g}{'' if high == largest else ' and more'} {'black' if inverted else 'white'}.",
        )
    result = np.empty(values.shape, np.uint8)
    span = (high - low) or 1.0
    for index, part in enumerate(values):  # in parts: float64 takes many times the memory
        part = np.nan_to_num(part.astype(np.float64), nan=low, posinf=high, neginf=low)
        result[index] = np.rint(np.clip((part - low) * 255 / span, 0, 255))
    if inverted:
        result = 255 - result
    if found is not None:
        result[found] = 0
    if values.dtype.kind == "f" and (bad := int(values.size - np.isfinite(values).sum())):
        are = "is NaN or infinite; it" if bad == 1 else "are NaN or infinite; they"
        notes += (f"{counted(bad, 'value')} of {name} {are} became black or white.",)
    return result, notes


_FEW = 3e-3
"""Maximum fraction of voxels that count as outliers."""


@dataclass(frozen=True, eq=False)
class _Limits:
    """The range of values without air: a sample, minimum and maximum without outliers, and their number."""

    sample: np.ndarray
    smallest: float
    largest: float
    far: int

    @classmethod
    def of(cls, values: np.ndarray, air: np.ndarray | None) -> _Limits:
        stride = max(1, values.size // _SAMPLE)
        sample = values.reshape(-1)[::stride]
        if air is not None:
            sample = sample[~air.reshape(-1)[::stride]]
        sample = sample[np.isfinite(sample)].astype(np.float64)
        if not sample.size:
            return cls(sample, 0.0, 0.0, 0)
        low, high = np.percentile(sample, (0.5, 99.5))
        reach = 2 * (high - low)
        ends = _range(values, air, low - reach, high + reach) if reach > 0 else None
        if ends is None or ends[2] > _FEW * values.size:
            ends = _range(values, air, -np.inf, np.inf)
        smallest, largest, far = ends
        return cls(sample[(sample >= smallest) & (sample <= largest)], smallest, largest, far)


def _range(
    values: np.ndarray, air: np.ndarray | None, least: float, most: float
) -> tuple[float, float, int]:
    """Return minimum and maximum of the finite values between two bounds, and the number outside."""
    low, high, far = np.inf, -np.inf, 0
    for index, part in enumerate(values):
        if air is not None:
            part = part[~air[index]]
        if part.dtype.kind == "f":
            part = part[np.isfinite(part)]
        within = part[(part >= least) & (part <= most)]
        far += part.size - within.size
        if within.size:
            low, high = min(low, float(within.min())), max(high, float(within.max()))
    return (low, high, far) if low <= high else (0.0, 0.0, far)


def _air_of(
    values: np.ndarray, air: np.ndarray | None, name: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return where a volume is air: as the file says, else a common value at the borders that differs from
    the rest; None if there is none. Also return notes."""
    if air is not None or values.ndim != 3 or min(values.shape[1:]) < 3:
        return air, ()
    edges = np.concatenate(
        [
            values[:, 0].ravel(),
            values[:, -1].ravel(),
            values[:, :, 0].ravel(),
            values[:, :, -1].ravel(),
        ]
    )
    value = float(edges[0]) if np.isfinite(edges[0]) else None
    finite = edges[np.isfinite(edges)]
    if finite.size:
        numbers, counts = np.unique(finite, return_counts=True)
        value = float(numbers[counts.argmax()])
        if counts.max() < 0.5 * edges.size:
            return None, ()
    if value is None:
        return None, ()
    found = values == values.dtype.type(value)
    if found.all() or np.count_nonzero(found) < 0.005 * values.size:
        return None, ()
    rest = values[~found]
    rest = rest[np.isfinite(rest)].astype(np.float64)
    if not rest.size:
        return None, ()
    low, middle, high = np.percentile(rest, (1, 50, 99))
    span = high - low
    if value < 0 <= low and low - value > 0.3 * span or value > high + span > low:
        note = f"{name} has one value, {value:g}, around its picture; it was taken for air."
        return found, (note,)
    if low + 0.1 * span < value < high and rest.min() < 0:
        # Values around zero of a standardized volume, in which zero means air.
        return found, (f"{name} has the value {value:g} around its picture; it was taken for air.",)
    return None, ()


def _black_and_white(sample: np.ndarray, inverted: bool) -> tuple[float, float]:
    """Return the two values that become the ends of the scale: black and white, or reversed if inverted."""
    smallest, low, high, largest = map(
        float, np.percentile(sample, (0, 100 - BRIGHT if inverted else DARK, BRIGHT, 100))
    )
    if low == high:
        return smallest, largest
    if inverted:
        return max(smallest, high - ROOM * (high - low)), high
    return low, min(largest, low + ROOM * (high - low))


def holds_labels(values: np.ndarray, named: bool = False) -> bool:
    """Return whether a volume holds labels, not gray values: up to `MOST_LABELS` integers, one of which
    fills more than half of it, or, if it is named as a mask, floats from 0 to 1."""
    if values.ndim != 3 or values.size < MOST_LABELS**2:
        return False
    if named and values.dtype.kind == "f" and values.min() >= -0.01 and values.max() <= 1.01:
        return True
    few = np.unique(values.reshape(-1)[:: max(1, values.size // 10_000)])
    if len(few) > MOST_LABELS or not np.array_equal(few, np.rint(few)):
        return False
    numbers, counts = np.unique(values, return_counts=True)
    whole = np.array_equal(numbers, np.rint(numbers))
    return bool(whole and 1 < len(numbers) <= MOST_LABELS and counts.max() > 0.5 * values.size)


def marked(values: np.ndarray) -> np.ndarray:
    """Return the marked voxels of a mask: bool, of the same shape. A float mask, as after resampling, is
    thresholded at 0.5."""
    return values >= 0.5 if values.dtype.kind == "f" else values > 0


def _is_whole(part: np.ndarray) -> bool:
    return part.dtype.kind in "iu" or bool((part == np.rint(part)).all())  # NaN is not


_CUT_OFF = 0.1
"""Maximum fraction of brighter-than-average values that a window may clip to white or black: a tumor may be
among the brightest."""


def _spoils(sample: np.ndarray, window: tuple[float, float], inverted: bool) -> str:
    """Return what is wrong with a window; "" if it shows the content of the file."""
    low, high = window
    if inverted:
        sample, low, high = -sample, -high, -low
    if not low < high:
        return "has no width"
    smallest, largest = sample.min(), sample.max()
    if smallest == largest:
        return ""
    # Air often has a single value, so it is excluded.
    rest = sample[sample > smallest]
    if np.count_nonzero((rest > low) & (rest <= high)) <= 0.02 * rest.size:
        return "shows next to nothing of it"
    bright = rest[rest >= rest.mean()]
    if np.count_nonzero(bright >= high) > _CUT_OFF * bright.size and rest.max() > high:
        return "makes much of what is bright white"
    if np.count_nonzero(bright <= low) > _CUT_OFF * bright.size:
        return "makes much of what is bright black"
    return ""
