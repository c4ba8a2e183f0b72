"""Masks of a whole volume: NIfTI with the file's own geometry, and DICOM-SEG for DICOM series."""

from __future__ import annotations

import gzip
import importlib.util
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from btmodels.errors import ExportError
from btmodels.export.files import own_mask, safe_stem
from btmodels.slices import Analysis, Slice

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_EMPTY = {
    "PatientID": "",
    "PatientName": "",
    "PatientBirthDate": "",
    "PatientSex": "",
    "StudyID": "",
    "StudyDate": "",
    "StudyTime": "",
    "AccessionNumber": "",
    "ReferringPhysicianName": "",
    "PositionReferenceIndicator": "",
}
"""Fields that the standard wants in every file, empty if need be, and that many files lack."""


def volume_stem(each: Slice) -> str:
    """Return what the files of a slice's volume are called, without their endings."""
    title = each.place.title if each.place else each.name
    title = title[: -len(".gz")] if title.lower().endswith(".gz") else title
    return safe_stem(title)


def nifti_name(each: Slice) -> str:
    """Return what the NIfTI mask of a slice's volume is called."""
    return f"{volume_stem(each)}_mask.nii.gz"


def seg_name(each: Slice) -> str:
    """Return what the DICOM-SEG of a slice's series is called."""
    return f"{volume_stem(each)}_seg.dcm"


def of_volume(analyses: Sequence[Analysis], each: Slice) -> list[Analysis]:
    """Return the analyses of the volume that a slice belongs to: of pictures, those of its size."""
    if each.place is not None:
        return [a for a in analyses if a.slice.place and a.slice.place.volume == each.place.volume]
    size = _own_size(each)
    return [a for a in analyses if a.slice.place is None and _own_size(a.slice) == size]


def nifti_mask(analyses: Sequence[Analysis]) -> bytes:
    """Write the masks of a volume as NIfTI, packed with gzip.

    Args:
        analyses: Of slices of one volume; slices that are missing are empty. Or of pictures of one size.

    Returns:
        uint8, 0 and 1. A volume that came as NIfTI has its own axes, affine and codes; one of DICOM
        those of its coordinates. Pictures, and volumes of unknown spacing, have unit pixels, unknown
        units and sform and qform code 0: the first axis to the left, the second to the front.
    """
    import nibabel

    place = analyses[0].slice.place
    if place is None or place.grid.affine is None and place.grid.kind == "DICOM":
        stack = np.stack([own_mask(analysis) for analysis in analyses])
        if place is not None:
            stack = _shown(analyses)
        return _packed(_plain(stack.astype(np.uint8)))
    grid = place.grid
    values = grid.own(_shown(analyses)).astype(np.uint8)
    if grid.kind == "DICOM":
        # Frames, rows, columns become columns, rows, frames, as other programs write them.
        affine = grid.affine[:, [2, 1, 0, 3]]
        image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, code="scanner")
        image.set_qform(affine, code="scanner")
        return _packed(image)
    packed = grid.header[0]
    two = len(packed) == 540
    header = (nibabel.Nifti2Header if two else nibabel.Nifti1Header)(packed)
    kept = {key: header[key].copy() for key in _GEOMETRY}
    image = (nibabel.Nifti2Image if two else nibabel.Nifti1Image)(values, None)
    for key, value in kept.items():
        image.header[key] = value
    image.header["pixdim"][4:] = 1
    image.header.set_xyzt_units(header.get_xyzt_units()[0])
    return _packed(image)


_GEOMETRY = (
    "pixdim",
    "qform_code",
    "sform_code",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "srow_x",
    "srow_y",
    "srow_z",
)


def why_no_seg(each: Slice) -> str:
    """Return why no DICOM-SEG can be written of a slice's volume, a sentence; "" where it can."""
    place = each.place
    if place is None or place.grid.kind != "DICOM":
        return "A DICOM-SEG refers to the DICOM series that it was drawn on; this came as none."
    if importlib.util.find_spec("highdicom") is None:
        return (
            "DICOM-SEG needs the package highdicom, which is not installed here: "
            "pip install -r requirements-dicom-seg.txt"
        )
    if not all(place.grid.header):
        return (
            "The header of this DICOM file cannot be written again, so there is no DICOM-SEG of it."
        )
    source = _sources(place.grid.header[:1])[0]
    needed = ["SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"]
    if int(source.get("NumberOfFrames") or 1) > 1:
        needed += ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
    else:
        needed += ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
        # Of several slices their distance says it.
        needed += ["SliceThickness"] if place.grid.spacing is None else []
    missing = [key for key in (*needed, "FrameOfReferenceUID") if not source.get(key)]
    if missing:
        return f"A DICOM-SEG needs what these files do not say: {', '.join(missing)}."
    return ""


def dicom_seg(analyses: Sequence[Analysis]) -> bytes:
    """Write the masks of a DICOM series as a DICOM segmentation that refers to it.

    Args:
        analyses: Of slices of one series; slices that are missing are empty.

    Raises:
        ExportError: It cannot be; `why_no_seg` knows most reasons before.
    """
    each = analyses[0].slice
    if problem := why_no_seg(each):
        raise ExportError(problem)
    grid = each.place.grid
    own = grid.own(_shown(analyses))
    sources = _sources(grid.header)
    if len(sources) == 1 and int(sources[0].get("NumberOfFrames") or 1) > 1:
        _share(sources[0])
        frames = np.zeros((int(sources[0].NumberOfFrames), *own.shape[1:]), bool)
        for index, (_, at) in enumerate(grid.frames):
            frames[at] = own[index]
    else:
        sources, frames = [sources[file] for file, _ in grid.frames], own
        for source in sources:
            if not source.get("SliceThickness"):
                source.SliceThickness = f"{np.linalg.norm(grid.affine[:3, 0]):.6g}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _seg(sources, frames, analyses[0])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ExportError("A DICOM-SEG of these files could not be written.") from error


def _seg(sources: list[Dataset], frames: np.ndarray, analysis: Analysis) -> bytes:
    import highdicom
    from pydicom.sr.codedict import codes

    name = f"{analysis.model} {analysis.weights_sha256[:12]}"
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=analysis.model,
        version=analysis.weights_sha256[:16],
        family=codes.DCM.ArtificialIntelligence,
    )
    segment = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="Tumor, by a network",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
    result = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=frames,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=highdicom.UID(),
        series_number=100,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="Brain tumor segmentation, not a medical device",
        manufacturer_model_name=name,
        software_versions="0.1.0",
        device_serial_number="0",
        content_description="Research only; drawn by a network, seen by nobody",
        omit_empty_frames=bool(frames.any()),
    )
    result.SeriesDescription = "Tumor, marked by a network (research)"
    buffer = io.BytesIO()
    result.save_as(buffer)
    return buffer.getvalue()


def _share(source: Dataset) -> None:
    # What is the same for all frames may stand with each of them; highdicom looks where it is shared.
    shared = source.SharedFunctionalGroupsSequence[0]
    first = source.PerFrameFunctionalGroupsSequence[0]
    for key in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if key not in shared and key in first:
            setattr(shared, key, first.get(key))


def _sources(headers: Sequence[bytes]) -> list[Dataset]:
    import pydicom

    sources = [pydicom.dcmread(io.BytesIO(header), force=True) for header in headers]
    for source in sources:
        for key, value in _EMPTY.items():
            if key not in source:
                setattr(source, key, value)
    return sources


def _shown(analyses: Sequence[Analysis]) -> np.ndarray:
    grid = analyses[0].slice.place.grid
    masks = np.zeros(tuple(grid.shape[axis] for axis in grid.order), bool)
    for analysis in analyses:
        masks[analysis.slice.place.index] = own_mask(analysis)
    return masks


def _plain(stack: np.ndarray):
    """A NIfTI of (slices, rows, cols) that says neither how it lies nor how large its voxels are."""
    import nibabel

    # The usual order of what has no coordinates: columns to the left, rows from the bottom up.
    values = np.ascontiguousarray(stack[:, ::-1].transpose(2, 1, 0))
    image = nibabel.Nifti1Image(values, None)
    image.header.set_xyzt_units("unknown")
    return image


def _packed(image) -> bytes:
    return gzip.compress(image.to_bytes(), 6, mtime=0)


def _own_size(each: Slice) -> tuple[int, ...]:
    size = each.pixels.shape[:2]
    return size[::-1] if each.turn and each.turn.quarters % 2 else size
