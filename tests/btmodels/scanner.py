"""Files of a scanner as the tests need them: DICOM with pydicom, NIfTI with nibabel."""

from __future__ import annotations

import io

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

AXIAL = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
MR = UID("1.2.840.10008.5.1.4.1.1.4")


def dicom(
    values: np.ndarray,
    syntax: str = ExplicitVRLittleEndian,
    packed: list[bytes] | None = None,
    **fields,
) -> bytes:
    """A DICOM file of one picture or several frames; a field that is None is left out.

    ``packed`` are the frames as a compressed syntax has them.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    bits = 8 * values.dtype.itemsize
    color = values.ndim >= 3 and values.shape[-1] == 3
    frames = values.shape[0] if values.ndim - color == 3 else 1
    rows, cols = values.shape[-3:-1] if color else values.shape[-2:]
    usual = {
        "SOPClassUID": MR,
        "SOPInstanceUID": fields.get("SOPInstanceUID", "1.2.3.4"),
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        "FrameOfReferenceUID": "1.2.3.9",
        "Modality": "MR",
        "PatientName": "Nobody",
        "PatientID": "0",
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "",
        "StudyTime": "",
        "StudyID": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Manufacturer": "",
        "PositionReferenceIndicator": "",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "Rows": rows,
        "Columns": cols,
        "SamplesPerPixel": 3 if color else 1,
        "PhotometricInterpretation": "RGB" if color else "MONOCHROME2",
        "PlanarConfiguration": 0 if color else None,
        "NumberOfFrames": frames if frames > 1 else None,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(values.dtype.kind == "i"),
        "PixelSpacing": [0.5, 0.5],
        "ImagePositionPatient": [0, 0, 0],
        "ImageOrientationPatient": list(AXIAL),
    }
    for key, value in (usual | fields).items():
        if value is not None:
            setattr(dataset, key, value)
    dataset.PixelData = values.astype(values.dtype.newbyteorder("<")).tobytes()
    if packed:
        dataset.PixelData = encapsulate(packed)
        dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def series(volume: np.ndarray, step: float = 4.0, **fields) -> dict[str, bytes]:
    """Files of an axial series, the first slice at the feet, in an order that is not theirs."""
    files = {}
    for index, values in enumerate(volume):
        files[f"IM{index:04d}.dcm"] = dicom(
            values,
            **{
                "SOPInstanceUID": f"1.2.3.4.{index + 1}",
                "InstanceNumber": len(volume) - index,
                "ImagePositionPatient": [-10, -20, 30 + step * index],
                "SliceThickness": step,
            }
            | fields,
        )
    return dict(sorted(files.items(), reverse=True))


def nifti(
    values: np.ndarray, affine: np.ndarray | None = None, unit: str = "mm", two: bool = False
) -> bytes:
    """A NIfTI file; without an affine it says neither how it lies nor how large its voxels are."""
    image = (nibabel.Nifti2Image if two else nibabel.Nifti1Image)(values, affine)
    image.header.set_xyzt_units("unknown" if affine is None else unit)
    return image.to_bytes()
