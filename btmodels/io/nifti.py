"""Read NIfTI in memory: the volumes of one file as axial slices."""

from __future__ import annotations

import contextlib
import logging
import math
import zlib
from dataclasses import replace

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError
from nibabel.wrapstruct import WrapStructError

from btmodels.errors import DecodeError, FormatError
from btmodels.filenames import plain_name
from btmodels.geometry import (
    LEAST_CUT,
    VolumeGeometry,
    few_slices_note,
    is_affine,
    is_size,
    plane_notes,
    toward,
    toward_axial,
)
from btmodels.io.formats import stem_of_volume
from btmodels.io.limits import MAX_BYTES, MAX_PAGES
from btmodels.io.raster import LIBRARY_ERRORS, check_size
from btmodels.io.scan import Scan, holds_labels, marked, rescale_to_uint8
from btmodels.io.sequences import is_mask, may_be_labels, recognize

MOST_VOLUMES = 6
"""A file with more volumes is a time series, of which the first is read."""

_ERRORS = (*LIBRARY_ERRORS, ImageFileError, HeaderDataError, HeaderTypeError, WrapStructError)
# nibabel logs each repair of a header.
logging.getLogger("nibabel.global").setLevel(logging.CRITICAL + 1)
_GZIP = b"\x1f\x8b"
_COLORS = ("R", "G", "B")
_SINGLE, _HALF = (b"n+1\0", b"n+2\0"), (b"ni1\0", b"ni2\0")


def is_nifti(data: bytes) -> bool:
    """Return whether bytes are an uncompressed NIfTI file, or the header of one in two files."""
    return data[344:348] in (*_SINGLE, *_HALF) or data[4:8] in (*_SINGLE, *_HALF)


def read_nifti(data: bytes, name: str) -> tuple[Scan, ...]:
    """Read the volumes of a NIfTI file.

    Args:
        data: The file, uncompressed.
        name: File name for messages.

    Returns:
        One scan, or one for each of up to `MOST_VOLUMES` volumes, each as axial slices.

    Raises:
        DecodeError: It is damaged, too large or does not hold gray or color volumes.
    """
    name = plain_name(name)
    if data[344:348] in _HALF or data[4:8] in _HALF:
        raise FormatError(
            f"{name} is one half of a NIfTI in two files (.hdr and .img); save it as one .nii file."
        )
    try:
        header = _header(data)
        volumes, notes = _volumes(data, header, name)
        sizes = _stated_sizes(data, header)
        grid, more = _grid(header, sizes, volumes.shape[:3], name)
        return _scans(volumes, header, grid, name, notes + more)
    except _ERRORS as error:
        raise DecodeError(
            f"{name} is a NIfTI file, but it is cut off, damaged or of a form that is not read."
        ) from error


def _header(data: bytes):
    two = data[4:8] in (*_SINGLE, *_HALF)
    kind = nibabel.Nifti2Header if two else nibabel.Nifti1Header
    length = 540 if two else 348
    return kind(data[:length])  # detects the byte order and checks the fields


def _stated_sizes(data: bytes, header) -> np.ndarray:
    """Return the stored voxel spacing: nibabel's header replaces 0 by 1 and changes negative values."""
    raw = type(header)(data[: len(header.binaryblock)], header.endianness, check=False)
    return np.array(raw["pixdim"][1:4], np.float64)


def _volumes(data: bytes, header, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return float or integer (i, j, k, volumes), or uint8 (i, j, k, 1, 3) for colors, and notes."""
    shape = tuple(int(size) for size in header.get_data_shape())
    dtype = header.get_data_dtype()
    # In a single file, voxels cannot begin before the end of the header, though some programs write 0.
    offset = max(int(header.get_data_offset()), int(header.single_vox_offset))
    if not 2 <= len(shape) <= 7 or min(shape, default=0) < 1:
        raise DecodeError(f"{name} declares a volume without voxels ({shape}).")
    total = math.prod(shape)
    check_size(name, shape[0], shape[1], total * dtype.itemsize)
    check_size(name, shape[0], shape[2] if len(shape) > 2 else 1)
    check_size(name, shape[1], shape[2] if len(shape) > 2 else 1)
    if max(shape[:3]) > MAX_PAGES:
        raise DecodeError(
            f"{name} declares {shape[:3]} voxels; at most {MAX_PAGES:,} per side are read."
        )
    if len(shape) > 4 and math.prod(shape[4:]) > 1:
        raise DecodeError(
            f"{name} holds {len(shape)}-dimensional data; a volume of gray was expected."
        )
    if len(data) < offset + total * dtype.itemsize:
        raise DecodeError(f"{name} is cut off: part of its voxels is missing.")
    values = np.frombuffer(data, dtype, total, offset).reshape(shape, order="F")
    values = values.reshape(*(shape + (1, 1))[:3], -1, order="F")
    if dtype.names:
        if dtype.names[:3] != _COLORS:
            raise DecodeError(f"{name} holds voxels that are not single numbers.")
        colors = np.stack([values[..., 0][channel] for channel in _COLORS], axis=-1)
        note = f"{name} holds colors; its three channels are therefore not MRI sequences."
        return colors[..., None, :], (note,)
    if dtype.kind not in "iuf":
        raise DecodeError(f"{name} holds complex numbers; a volume of gray was expected.")
    notes: tuple[str, ...] = ()
    if values.shape[3] > MOST_VOLUMES:
        notes = (f"{name} holds {values.shape[3]} volumes; only the first one was read.",)
        values = values[..., :1]
    return values, notes


def _rescaled(values: np.ndarray, header) -> np.ndarray:
    """Apply the header's slope and intercept to one volume at a time: floats may take four times the
    memory."""
    slope, intercept = header.get_slope_inter()
    if slope is None or (slope, intercept or 0.0) == (1.0, 0.0) or values.ndim != 3:
        return values
    result = values.astype(np.float32)
    result *= np.float32(slope)
    result += np.float32(intercept or 0.0)
    return result


def _grid(
    header, sizes: np.ndarray, shape: tuple[int, int, int], name: str
) -> tuple[VolumeGeometry, tuple[str, ...]]:
    packed = (header.binaryblock,)
    unit = header.get_xyzt_units()[0]
    scale = {"meter": 1000.0, "micron": 0.001}.get(unit, 1.0)
    affine, steps, coded = _placed(header, sizes, unit)
    notes = _conflict(header, name)
    if not coded:
        # Files without coordinates are assumed to be in the usual order of scanner software.
        notes += (
            f"{name} does not say how it lies in space; the usual order was taken. Turn it manually if "
            "it lies otherwise.",
        )
    order, flips = toward_axial(affine)
    if plane := _few_slices(tuple(shape[axis] for axis in order)):
        order, flips = toward(plane, affine)
        notes += (few_slices_note(name, shape[order[0]], plane),)
    made_up = not coded and unit == "unknown" and bool((steps == 1).all())
    if made_up or not is_size(steps * scale):
        notes += (_no_size(steps * scale, made_up, name),)
        return VolumeGeometry("NIfTI", shape, order, flips, None, packed), notes
    affine[:3] *= scale
    # Voxel spacing without coordinates gives millimeters, but no positions.
    grid = VolumeGeometry("NIfTI", shape, order, flips, affine, packed, placed=coded)
    if not plane:
        return grid, (*notes, *plane_notes(grid, name))
    if shape[order[0]] > 1:
        # Whoever uses positions expects axial slices.
        grid = replace(grid, affine=None, pixel=grid.pixel_spacing)
    return grid, notes


def _few_slices(shown: tuple[int, ...]) -> str:
    """Return the plane to show if the axial slices of shape ``shown`` would be strips; else ""."""
    slices, rows, cols = shown
    if min(rows, cols) >= LEAST_CUT or min(slices, max(rows, cols)) < LEAST_CUT:
        return ""
    return "sagittal" if cols < rows else "coronal"


def _placed(header, sizes: np.ndarray, unit: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the affine, the voxel spacing, and whether the file gives coordinates: from the first valid
    one of sform and qform."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    if header["sform_code"] > 0 and is_affine(matrix := np.array(header.get_sform(), np.float64)):
        found.append((matrix, np.linalg.norm(matrix[:3, :3], axis=0)))
    if header["qform_code"] > 0:
        with contextlib.suppress(*_ERRORS):
            if is_affine(rotation := np.array(header.get_qform(), np.float64)):
                # The qform uses pixdim, in which nibabel replaces 0 by 1.
                found.append((rotation, np.abs(sizes)))
    # Programs that do not know the coordinates write the identity matrix.
    made_up = [np.array_equal(affine, np.eye(4)) for affine, _ in found]
    if False in made_up:
        return *found[made_up.index(False)], True
    if found:
        return *found[0], unit != "unknown"
    # An axis of length 1 may have no spacing; 1 does no harm there.
    steps = np.abs(sizes)
    return np.diag([*(np.where(steps > 0, steps, 1.0) * [-1, 1, 1]), 1.0]), steps, False


def _conflict(header, name: str) -> tuple[str, ...]:
    """Return a note if sform and qform contradict each other."""
    if not (header["sform_code"] > 0 and header["qform_code"] > 0):
        return ()
    try:
        both = [np.array(get(), np.float64) for get in (header.get_sform, header.get_qform)]
    except _ERRORS:
        return ()
    if not all(map(is_affine, both)) or any(np.array_equal(each, np.eye(4)) for each in both):
        return ()
    apart = f"{name} says in two ways how it lies (sform and qform), which differ in"
    if np.linalg.det(both[0][:3, :3]) * np.linalg.det(both[1][:3, :3]) < 0:
        return (f"{apart} which side is left; the former was taken. Mirror it if that is wrong.",)
    if toward_axial(both[0]) != toward_axial(both[1]):
        return (f"{apart} how its axes point; the former was taken.",)
    steps = [np.linalg.norm(each[:3, :3], axis=0) for each in both]
    if np.allclose(*steps, rtol=0.1):
        return ()
    sizes = (" x ".join(f"{step:.3g}" for step in each) for each in steps)
    return (f"{apart} the size of voxels ({' and '.join(sizes)} mm); the former was taken.",)


def _no_size(steps: np.ndarray, made_up: bool, name: str) -> str:
    if made_up or not np.isfinite(steps).all() or not steps.all():
        return f"{name} does not say how large its voxels are, so figures are in pixels."
    told = " x ".join(f"{step:g}" for step in steps)
    return f"{name} names voxels of {told} mm, which no scan of a head has; figures are in pixels."


def _scans(
    volumes: np.ndarray, header, grid: VolumeGeometry, name: str, notes: tuple[str, ...]
) -> tuple[Scan, ...]:
    base = stem_of_volume(name)
    count = volumes.shape[3]
    scans = []
    for index in range(count):
        title = name if count == 1 else f"{name}, volume {index + 1}"
        stem = base if count == 1 else f"{base}_v{index + 1}"
        volume = _rescaled(volumes[:, :, :, index], header)
        values, more = np.ascontiguousarray(grid.shown(volume)), ()
        sequence = recognize(base) if count == 1 else None
        if count == 1 and may_be_labels(base) and holds_labels(values, is_mask(base)):
            values, sequence = marked(values).astype(np.uint8), "mask"
        elif values.ndim == 3:
            values, more = rescale_to_uint8(values, title)
        scans.append(
            Scan(
                id=title,
                name=title,
                values=values,
                grid=grid,
                names=tuple(f"{stem}_{number + 1}" for number in range(len(values))),
                sequence=sequence,
                case="",
                reference=_space(header) if grid.has_positions else "",
                notes=notes + more,
            )
        )
    return tuple(scans)


def _space(header) -> str:
    """Return a name of the coordinates: those of a scanner, or of a template."""
    code = int(header["sform_code"] or header["qform_code"])
    return "NIfTI" if code in (1, 2) else f"NIfTI {code}"


def gunzip(data: bytes, name: str) -> bytes:
    """Decompress a gzip file of at most `MAX_BYTES`.

    Raises:
        DecodeError: It is larger or damaged.
    """
    parts, size, rest = [], 0, data
    # A file may have many gzip members, as from bgzip and pigz; bytes after the last one are padding.
    while rest[:2] == _GZIP:
        try:
            worker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            parts.append(worker.decompress(rest, MAX_BYTES + 1 - size))
        except zlib.error as error:
            raise DecodeError(f"{name} is a gzip file that is damaged.") from error
        size += len(parts[-1])
        check_size(name, 1, 1, size)
        if not worker.eof:
            raise DecodeError(f"{name} is a gzip file that is cut off.")
        rest = worker.unused_data
    return b"".join(parts)
