"""Forms in which scanners and programs write one stack whose truth is known: all read alike."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from scipy.spatial.transform import Rotation

from tests.btmodels.case_files import (
    AFFINE,
    FLAIR,
    deep,
    flipped,
    patient,
    series,
    tiff,
)
from tests.btmodels.reading import pixels, read, texts
from tests.btmodels.scanner import dicom

VALUES = deep(patient()[FLAIR])
START = np.array([-57.0, -57.0, -40.0])


def levels(files) -> np.ndarray:
    (found,) = read(files, bulk=True).studies
    return pixels(found)[..., FLAIR]


def saved(dataset: pydicom.Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def enhanced(values: np.ndarray, order: list[int], syntax: UID | None = None, **fields) -> bytes:
    """One file of many frames, in an order that is not theirs, as PS3.3 A.36 has it."""
    plain = dict.fromkeys(
        ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SeriesDescription")
    )
    data = dicom(values[order], **plain, SOPClassUID=UID("1.2.840.10008.5.1.4.1.1.4.1"))
    dataset = pydicom.dcmread(io.BytesIO(data))
    shared = Dataset()
    shared.PixelMeasuresSequence = [item(PixelSpacing=[1.8, 1.8], SliceThickness=5)]
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.MRImageFrameTypeSequence = [item(**fields)]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[-57, -57, -40 + 6.0 * index])])
        for index in order
    ]
    if syntax:
        dataset.compress(syntax, generate_instance_uid=False)
    return saved(dataset)


def item(**fields) -> Dataset:
    result = Dataset()
    for key, value in fields.items():
        setattr(result, key, value)
    return result


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("shift", [0, -300])
def test_what_is_packed_without_loss_is_the_same(syntax, shift):
    values = VALUES.astype(np.int16) + np.int16(shift) if shift else VALUES
    files = {}
    for name, data in series(values).items():
        dataset = pydicom.dcmread(io.BytesIO(data))
        dataset.compress(syntax, generate_instance_uid=False)
        files[name] = saved(dataset)
    np.testing.assert_array_equal(levels(files), levels(series(values)))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_baseline_jpeg_has_eight_bits_whatever_its_file_says(bits):
    gray = patient()[FLAIR][4]
    packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    kind = np.uint8 if bits == 8 else np.uint16
    fields = {"BitsStored": bits, "HighBit": bits - 1}
    found = levels({"x.dcm": dicom(gray.astype(kind), JPEGBaseline8Bit, [packed], **fields)})
    assert np.abs(found[0].astype(int) - gray).mean() < 2
    (error,) = read({"x.dcm": dicom(gray, JPEGBaseline8Bit, [packed[:-60]])}).errors
    assert "compressed as JPEG Baseline (Process 1), 8 bits, which cannot be decoded" in error.text


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEG2000Lossless])
def test_frames_of_one_file_go_by_their_own_positions(syntax):
    found = levels({"x.dcm": enhanced(VALUES, [3, 0, 7, 5, 1, 2, 6, 4], syntax)})
    np.testing.assert_array_equal(found, levels(series(VALUES)))


@pytest.mark.parametrize(
    ("word", "sequence"),
    [("FLUID_ATTENUATED", "flair"), ("T1", "pre"), ("T2_STAR", "other"), ("UNKNOWN", None)],
)
def test_a_file_of_many_frames_says_its_weighting(word, sequence):
    batch = read({"x.dcm": enhanced(VALUES, [*range(8)], AcquisitionContrast=word)})
    assert [scan.sequence for scan in batch.scans] == [sequence]


@pytest.mark.parametrize("turn", [("x", 12), ("x", 40), ("y", 20), ("z", 30), ("xyz", (9, 7, 5))])
def test_oblique_slices_keep_their_place(turn):
    matrix = Rotation.from_euler(*turn, degrees=True).as_matrix()
    row, column, normal = matrix.T

    def fields(index: int) -> dict:
        place = matrix @ (START + [0, 0, 6.0 * index])
        return {
            "ImageOrientationPatient": [round(float(each), 6) for each in (*row, *column)],
            "ImagePositionPatient": [round(float(each), 4) for each in place],
        }

    (found,) = read(series(VALUES, each=fields), bulk=True).studies
    np.testing.assert_array_equal(pixels(found)[..., FLAIR], levels(series(VALUES)))
    # Slice 2, row 10, column 20: DICOM counts to the left and back.
    expected = matrix @ (START + [36, 18, 12]) * [-1, -1, 1]
    place = found.slices[0].position.grid.shown_affine @ [2, 10, 20, 1]
    np.testing.assert_allclose(place[:3], expected, atol=0.01)


def two_ways(sform: np.ndarray, qform: np.ndarray, code: int = 1) -> bytes:
    own = np.ascontiguousarray(patient()[FLAIR][:, ::-1].transpose(2, 1, 0))
    image = nibabel.Nifti1Image(own, sform)
    image.set_qform(qform, 1)
    image.set_sform(sform, code)
    image.header.set_xyzt_units("mm")
    return image.to_bytes()


RIGHT = flipped(AFFINE)
CONFLICTS = {
    "which side is left": RIGHT * [[-1], [1], [1], [1]],
    "how its axes point": RIGHT * [[-1], [-1], [1], [1]],
    "the size of voxels (1.8 x 1.8 x 6 and 3.6 x 3.6 x 12 mm)": RIGHT @ np.diag([2, 2, 2, 1.0]),
    "": RIGHT + np.eye(4, k=3) * 9,  # moved, as after a registration
}


@pytest.mark.parametrize("what", CONFLICTS)
def test_two_statements_of_how_a_volume_lies_that_exclude_each_other_are_told(what):
    batch = read({"x_flair.nii": two_ways(RIGHT, CONFLICTS[what])})
    np.testing.assert_array_equal(pixels(batch.studies[0])[..., FLAIR], patient()[FLAIR])
    said = texts(batch)
    assert f"(sform and qform), which differ in {what}" in said if what else "qform" not in said


def stored(names: list[bytes], flag: int) -> bytes:
    """A zip whose names are these bytes."""
    out, index = io.BytesIO(), b""
    for number, name in enumerate(names):
        data = tiff(patient()[:, number].transpose(1, 2, 0).copy())
        sizes = zlib.crc32(data), len(data), len(data), len(name), 0
        at = out.tell()
        out.write(struct.pack("<4s5H3I2H", b"PK\3\4", 20, flag, 0, 0, 33, *sizes) + name + data)
        index += struct.pack("<4s6H3I2H", b"PK\1\2", 20, 20, flag, 0, 0, 33, *sizes)
        index += struct.pack("<3H2I", 0, 0, 0, 0, at) + name
    many, at = len(names), out.tell()
    return (
        out.getvalue()
        + index
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, many, many, len(index), at, 0)
    )


@pytest.mark.parametrize(
    ("code", "flag"), [("cp437", 0), ("utf-8", 0), ("utf-8", 0x800)], ids=["cp437", "utf", "flag"]
)
def test_names_in_a_zip_are_read_as_they_were_written(code, flag):
    names = ["Schädel/größe.tif", "é.tif"] + (["患者/снимок.tif"] if code == "utf-8" else [])
    batch = read({"x.zip": stored([name.encode(code) for name in names], flag)})
    found = {f"{study.folder}/{study.title}".lstrip("/") for study in batch.studies}
    assert found == set(names) and not batch.errors
