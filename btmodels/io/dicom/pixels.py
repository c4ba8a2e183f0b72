"""Convert the stored values of a DICOM file: palettes, colors, rescaling, VOI LUTs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import JPEGBaseline8Bit

from btmodels.errors import DecodeError
from btmodels.io.dicom.elements import number_of, text_of
from btmodels.io.dicom.file import FrameHeader

_GRAY = ("MONOCHROME1", "MONOCHROME2")
_LEAST_RANGE = 26
"""Minimum range of gray levels, of 255, after a sigmoid: with less than a tenth, the content is hidden."""


def values_of(
    dataset: Dataset, name: str, frames: Sequence[FrameHeader]
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Decompress the frames of a file and convert their stored values.

    Args:
        dataset: A file with pixels.
        name: File name for messages.
        frames: Header of each frame that the file declares.

    Returns:
        Real numbers, (frames, rows, cols), before any window, or colors, uint8, (frames, rows, cols, 3);
        a padding mask, bool, (frames, rows, cols), or None; and notes on conversions, one sentence each.

    Raises:
        DecodeError: The pixels cannot be decompressed or are not pictures.
    """
    photometric = text_of(dataset, "PhotometricInterpretation") or "MONOCHROME2"
    values = _unpacked(dataset, name)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    values = values.reshape(
        len(frames), dataset.Rows, dataset.Columns, *([samples] * (samples > 1))
    )
    if photometric == "PALETTE COLOR":
        colors = np.stack([apply_color_lut(frame, dataset)[..., :3] for frame in values])
        if colors.dtype == np.uint16:
            colors = colors >> 8
        note = f"{name} has a palette; its colors were looked up."
        return colors.astype(np.uint8), None, (note,)
    if samples == 1:
        return _rescaled(values, dataset, frames, name, photometric)
    if samples != 3:
        raise DecodeError(f"{name} holds pictures of {samples} channels; 1 or 3 are read.")
    if values.dtype != np.uint8:
        stored = int(dataset.get("BitsStored") or 8 * values.dtype.itemsize)
        values = np.rint(values * (255.0 / (2**stored - 1))).clip(0, 255).astype(np.uint8)
    note = f"{name} is a color picture ({photometric}); its three channels are therefore not MRI sequences."
    return values, None, (note,)


def _unpacked(dataset: Dataset, name: str) -> np.ndarray:
    syntax = dataset.file_meta.TransferSyntaxUID
    # pydicom assumes that the lowest bits are stored; old scanners used the highest bits.
    stored = int(dataset.get("BitsStored") or 0)
    shift = int(dataset.get("HighBit") or 0) + 1 - stored
    high = stored > 0 and 0 < shift <= int(dataset.get("BitsAllocated") or 0) - stored
    if high and not syntax.is_encapsulated:
        dataset.BitsStored = stored + shift
    # GDCM crashes the process on some damaged JPEGs. Pillow reads all valid ones with 8 bits.
    plugin = "pillow" if syntax == JPEGBaseline8Bit else ""
    if plugin:  # baseline JPEGs always have 8 bits
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        stored, high = 8, False
    try:
        values = pixel_array(dataset, decoding_plugin=plugin)
    except RuntimeError as error:  # all decoders failed
        raise DecodeError(
            f"{name} holds a picture compressed as {syntax.name}, {dataset.get('BitsStored', '?')} bits, "
            "which cannot be decoded here: it is damaged or of a rare kind."
        ) from error
    finally:
        if stored:
            dataset.BitsStored = stored
    return values >> shift if high and not syntax.is_encapsulated else values


def _padding_of(values: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """Return where stored values are padding (DICOM PS3.3 C.7.5.1.1.2); None if none or all are."""
    ends = [
        _as_stored(number, values.dtype)
        for key in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        if (number := number_of(dataset, key)) is not None
    ]
    if not ends:
        return None
    found = (values >= min(ends)) & (values <= max(ends))
    return found if found.any() and not found.all() else None


def _as_stored(number: float, dtype: np.dtype) -> float:
    # Many programs write it with the wrong signedness: 63536 for -2000.
    if dtype.kind == "i" and number > np.iinfo(dtype).max:
        return number - 2.0 ** (8 * dtype.itemsize)
    if dtype.kind == "u" and number < 0:
        return number + 2.0 ** (8 * dtype.itemsize)
    return number


def _rescaled(
    values: np.ndarray,
    dataset: Dataset,
    frames: Sequence[FrameHeader],
    name: str,
    photometric: str,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if photometric not in _GRAY:
        notes += (f"{name} says of its gray values “{photometric[:20]}”; they were read as gray.",)
    padding = _padding_of(values, dataset)
    if "ModalityLUTSequence" in dataset:
        values = apply_modality_lut(values, dataset).astype(np.float32)
    else:
        if any((header.slope, header.intercept) != (1.0, 0.0) for header in frames):
            values = values.astype(np.float32)
            for frame, header in zip(values, frames, strict=True):
                frame *= np.float32(header.slope)
                frame += np.float32(header.intercept)
    if padding is not None:
        notes += (f"{name} has padding around its picture, which was made black.",)
    shown, more = _curved(values, dataset, frames, name)
    return shown, padding, notes + more


def _curved(
    values: np.ndarray, dataset: Dataset, frames: Sequence[FrameHeader], name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Apply a nonlinear VOI LUT: a table or the SIGMOID function."""
    functions = {header.function for header in frames}
    if functions == {"SIGMOID"}:
        return _sigmoid(values, frames, name)
    if unknown := functions - {"LINEAR", "LINEAR_EXACT"}:
        note = f"{name} asks for a curve of brightness that was left out: {', '.join(sorted(unknown))}."
        return values, (note,)
    tabled = "VOILUTSequence" in dataset and "ModalityLUTSequence" not in dataset
    if not tabled or "WindowCenter" in dataset:
        return values, ()
    whole = np.rint(values).astype(np.int32)
    if not np.array_equal(whole, values):
        note = f"{name} has a table of brightness (VOI LUT) for whole numbers, which its values are not."
        return values, (f"{note} It was left out.",)
    table = f"{name} has a table of brightness (VOI LUT), which was applied."
    return _looked_up(whole, dataset), (table,)


def _looked_up(values: np.ndarray, dataset: Dataset) -> np.ndarray:
    # Not pydicom's apply_voi_lut: with an 8-bit table it wraps value 300 to 44.
    item = dataset.VOILUTSequence[0]
    entries, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    table = item.LUTData
    if isinstance(table, bytes):
        order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
        table = np.frombuffer(table, "u1" if len(table) < 2 * entries else f"{order}u2")
    table = np.asarray(table, np.uint16)[:entries]
    return table[np.clip(values.astype(np.int64) - first, 0, len(table) - 1)]


def _sigmoid(
    values: np.ndarray, frames: Sequence[FrameHeader], name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    # DICOM PS3.3 C.11.2.1.3.1. Levels from 0 to 255 are not rescaled later.
    levels = np.empty(values.shape, np.uint8)
    for index, (frame, header) in enumerate(zip(values, frames, strict=True)):
        center, width = header.center, header.width
        if center is None or width is None or width <= 0:
            note = (
                f"{name} names a curve of brightness (SIGMOID) without its place; it was left out."
            )
            return values, (note,)
        steep = np.clip(-4 * (np.nan_to_num(frame.astype(np.float64)) - center) / width, -700, 700)
        levels[index] = np.rint(255 / (1 + np.exp(steep)))
    if int(np.ptp(levels)) < _LEAST_RANGE:
        note = f"{name} names a curve of brightness (SIGMOID) that shows next to nothing of it"
        return values, (f"{note}, so it was left out.",)
    return levels, (f"{name} has a curve of brightness (SIGMOID), which was applied.",)
