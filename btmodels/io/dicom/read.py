"""Read a DICOM file in memory: its frames with their geometry and the meaning of their values.

Parsed by pydicom, decompressed by pydicom, GDCM and OpenJPEG, none of which is under the GPL.
"""

from __future__ import annotations

import io
import logging
import math
import warnings
import zlib
from dataclasses import replace

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID

from btmodels.errors import DecodeError
from btmodels.filenames import plain_name, plain_text
from btmodels.io.dicom.codestream import frame_sizes
from btmodels.io.dicom.elements import frame_header, item_of, number_of, text_of
from btmodels.io.dicom.file import DicomFile, FrameHeader
from btmodels.io.dicom.pixels import values_of
from btmodels.io.limits import MAX_BYTES, MAX_PAGES
from btmodels.io.raster import LIBRARY_ERRORS, check_size
from btmodels.io.sequences import Acquisition, recognize_series

_ERRORS = (*LIBRARY_ERRORS, BytesLengthException, InvalidDicomError)
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # its warnings can quote the file
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_DEFLATED = b"1.2.840.10008.1.2.1.99"


def read_dicom(data: bytes, name: str) -> DicomFile:
    """Read all frames of a DICOM file.

    Args:
        data: The file.
        name: File name for messages.

    Returns:
        Values after the file's rescale slope and intercept, before any window; colors as 0 to 255.

    Raises:
        DecodeError: It is damaged, too large, without pictures or in an unsupported transfer syntax.
    """
    name = plain_name(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # most warnings of pydicom do not concern pixels
        try:
            dataset = _parse(data, name)
            count = _check(dataset, name)
            frames = tuple(frame_header(dataset, index) for index in range(count))
            values, padding, notes = values_of(dataset, name, frames)
            return _file(dataset, name, values, frames, padding, notes)
        except _ERRORS as error:
            raise DecodeError(
                f"{name} is a DICOM file, but it is cut off, damaged or of a form that is not read."
            ) from error


def _parse(data: bytes, name: str) -> Dataset:
    if _DEFLATED in data[:1024]:
        # pydicom would decompress it regardless of size.
        start = 144 + int.from_bytes(data[140:144], "little")
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], MAX_BYTES + 1)
        check_size(name, 1, 1, len(unpacked))
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    if "TransferSyntaxUID" not in getattr(dataset, "file_meta", {}):
        implicit, little = dataset.original_encoding
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian
            if implicit
            else pydicom.uid.ExplicitVRLittleEndian
            if little
            else pydicom.uid.ExplicitVRBigEndian
        )
    return dataset


def _check(dataset: Dataset, name: str) -> int:
    """Return the number of frames; reject a file that declares no picture or more than is read."""
    kind = _kind(dataset)
    if "DirectoryRecordSequence" in dataset:
        raise DecodeError(
            f"{name} is a DICOMDIR, the list of contents of a disc; the slices are in the files beside it."
        )
    if not any(key in dataset for key in _PIXELS):
        cut = ", so it may be cut off" if "Image" in kind else ""
        raise DecodeError(
            f"{name} is a DICOM file without a picture; it is of the kind “{kind}”{cut}."
        )
    if text_of(dataset, "Modality") == "SEG" or "SegmentSequence" in dataset:
        raise DecodeError(
            f"{name} is a DICOM segmentation: it holds a mask and no picture to look for a tumor in."
        )
    rows, cols = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    count = int(dataset.get("NumberOfFrames") or 1)
    if not 0 < count <= MAX_PAGES:
        raise DecodeError(f"{name} declares {count:,} frames; 1 to {MAX_PAGES:,} are read.")
    samples, bits = _completed(dataset)
    check_size(name, rows, cols, rows * cols * count * samples * max(bits, 8) // 8)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed and not syntax.is_deflated:
        try:
            pydicom.pixels.get_decoder(syntax)
        except NotImplementedError:
            raise DecodeError(
                f"{name} holds pictures compressed as {syntax.name}, which is not supported."
            ) from None
        for size in frame_sizes(dataset.PixelData, count):
            # A decoder trusts the compressed frame, not the file's header.
            if size is not None and size != (rows, cols):
                raise DecodeError(
                    f"{name} declares {cols} x {rows} pixels, but a picture in it has "
                    f"{size[1]} x {size[0]}."
                )
    return count


def _completed(dataset: Dataset) -> tuple[int, int]:
    """Fill in missing elements of the pixel module with the usual values; return samples and bits."""
    samples = int(dataset.get("SamplesPerPixel") or 1)
    bits = int(dataset.get("BitsAllocated") or 8)
    usual = {
        "SamplesPerPixel": samples,
        "BitsAllocated": bits,
        "PhotometricInterpretation": "MONOCHROME2" if samples == 1 else "RGB",
    }
    if "PixelData" in dataset:
        stored = int(dataset.get("BitsStored") or bits)
        usual |= {"BitsStored": stored, "HighBit": stored - 1, "PixelRepresentation": 0}
    if samples > 1:
        usual |= {"PlanarConfiguration": 0}
    for key, value in usual.items():
        if dataset.get(key) in (None, ""):
            setattr(dataset, key, value)
    return samples, bits


def _kind(dataset: Dataset) -> str:
    uid = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    return UID(str(uid)).name if uid else "unknown"


def _file(
    dataset: Dataset,
    name: str,
    values: np.ndarray,
    frames: tuple[FrameHeader, ...],
    padding: np.ndarray | None,
    notes: tuple[str, ...],
) -> DicomFile:
    if len(frames) > 1 and len({frame.position for frame in frames}) == 1:
        # A position shared by all frames is at best that of the first.
        frames = tuple(replace(frame, position=None) for frame in frames)
    modality = text_of(dataset, "Modality")
    if modality and modality not in ("MR", "OT", "SC"):
        notes += (f"{name} is not MRI but {modality}; the networks were trained on MRI alone.",)
    words = [plain_text(text_of(dataset, key)) for key in ("SeriesDescription", "ProtocolName")]
    sequence = recognize_series(words, _acquisition(dataset))
    for tag in [tag for tag in dataset.keys() if tag.group == 0x7FE0 or tag.group >> 8 == 0x60]:
        del dataset[tag]  # pixels and overlays
    return DicomFile(
        name=name,
        values=values,
        frames=frames,
        patient=text_of(dataset, "PatientID") or text_of(dataset, "PatientName"),
        series=text_of(dataset, "SeriesInstanceUID"),
        study=text_of(dataset, "StudyInstanceUID"),
        instance=text_of(dataset, "SOPInstanceUID"),
        reference=text_of(dataset, "FrameOfReferenceUID"),
        description=next(filter(None, words), ""),
        sequence=sequence,
        number=int(number_of(dataset, "InstanceNumber") or 0),
        inverted=text_of(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        step=_step(dataset),
        header=_packed(dataset),
        padding=padding,
        notes=notes,
    )


def _acquisition(dataset: Dataset) -> Acquisition:
    """Return the elements that identify a sequence, for a single-frame or multi-frame file."""
    agents = text_of(dataset, "ContrastBolusAgent")
    if not agents and dataset.get("ContrastBolusAgentSequence"):
        agents = text_of(dataset.ContrastBolusAgentSequence[0], "CodeMeaning") or "contrast"
    echo = number_of(dataset, "EchoTime")
    if echo is None:
        echo = number_of(
            item_of(dataset, 0, "MREchoSequence", "EffectiveEchoTime"), "EffectiveEchoTime"
        )
    inversion = number_of(dataset, "InversionTime")
    if inversion is None:
        item = item_of(dataset, 0, "MRModifierSequence", "InversionTimes")
        inversion = number_of(item, "InversionTimes")
    repetition = number_of(dataset, "RepetitionTime")
    scanning = dataset.get("ScanningSequence")
    scanning = text_of(dataset, "ScanningSequence") if scanning else ""
    weighting = text_of(
        item_of(dataset, 0, "MRImageFrameTypeSequence", "AcquisitionContrast"),
        "AcquisitionContrast",
    )
    return Acquisition(agents, inversion, echo, repetition, scanning, weighting)


def _step(dataset: Dataset) -> float | None:
    for key in ("SpacingBetweenSlices", "SliceThickness"):
        for item in (dataset, item_of(dataset, 0, "PixelMeasuresSequence", key)):
            step = number_of(item, key)
            if step and 0 < abs(step) < math.inf:
                return abs(step)
    return None


def _packed(dataset: Dataset) -> bytes:
    """Return the file without pixels and private elements; b"" if it cannot be written."""
    groups = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    for part in (dataset, *(item for key in groups for item in dataset.get(key) or ())):
        for tag in [tag for tag in part.keys() if tag.is_private]:
            del part[tag]  # private elements are most of a multi-frame file's header
    buffer = io.BytesIO()
    meta = dataset.file_meta
    was = meta.TransferSyntaxUID
    meta.TransferSyntaxUID = (
        was
        if was in (pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRBigEndian)
        else pydicom.uid.ExplicitVRLittleEndian
    )
    try:
        dataset.save_as(buffer, enforce_file_format=True)
    except (*_ERRORS, NotImplementedError):
        return b""
    return buffer.getvalue()
