"""Masks as DICOM segmentations."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from btmodels import __version__
from btmodels.errors import ExportError
from btmodels.export.nifti import shown_masks, volume_stem
from btmodels.slices import Analysis, Slice

if TYPE_CHECKING:
    from pydicom import Dataset

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
"""Fields that the standard requires in every file, empty if unknown, and that many files lack."""


def seg_name(each: Slice) -> str:
    """Return the file name of the DICOM-SEG for a slice's series."""
    return f"{volume_stem(each)}_seg.dcm"


def why_no_seg(each: Slice) -> str:
    """Return a sentence on why no DICOM-SEG can be written for a slice's volume; "" if it can."""
    position = each.position
    if position is None or position.grid.kind != "DICOM":
        return "A DICOM-SEG refers to a DICOM series; these files are not DICOM."
    if not all(position.grid.header):
        return (
            "The header of this DICOM file cannot be written again, so there is no DICOM-SEG of it."
        )
    source = _sources(position.grid.header[:1])[0]
    needed = ["SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"]
    if int(source.get("NumberOfFrames") or 1) > 1:
        needed += ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
    else:
        needed += ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
        # For several slices, the distance between them gives the thickness.
        needed += ["SliceThickness"] if position.grid.spacing is None else []
    missing = [key for key in (*needed, "FrameOfReferenceUID") if not source.get(key)]
    if missing:
        return f"A DICOM-SEG needs what these files do not state: {', '.join(missing)}."
    return ""


def dicom_seg(analyses: Sequence[Analysis]) -> bytes:
    """Write the masks of a DICOM series as a DICOM segmentation that refers to it.

    Args:
        analyses: Analyses of slices of one series; missing slices get an empty mask.

    Raises:
        ExportError: It cannot be written; `why_no_seg` reports most reasons in advance.
    """
    each = analyses[0].slice
    if problem := why_no_seg(each):
        raise ExportError(problem)
    grid = each.position.grid
    # A segmentation cannot refer to a missing slice.
    present = [index for index, frame in enumerate(grid.frames) if frame is not None]
    own = grid.own(shown_masks(analyses))[present]
    own_frames = [grid.frames[index] for index in present]
    sources = _sources(grid.header)
    if len(sources) == 1 and int(sources[0].get("NumberOfFrames") or 1) > 1:
        _share(sources[0])
        frames = np.zeros((int(sources[0].NumberOfFrames), *own.shape[1:]), bool)
        for index, (_, at) in enumerate(own_frames):
            frames[at] = own[index]
    else:
        sources, frames = [sources[file] for file, _ in own_frames], own
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
    import highdicom  # slow to import
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
        software_versions=__version__,
        device_serial_number="0",
        content_description="Research only; drawn by a network, not reviewed",
        omit_empty_frames=bool(frames.any()),
    )
    result.SeriesDescription = "Tumor, marked by a network (research)"
    buffer = io.BytesIO()
    result.save_as(buffer)
    return buffer.getvalue()


def _share(source: Dataset) -> None:
    # Files may repeat functional groups in every frame; highdicom only reads the shared ones.
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
