"""Files that go wrong in other programs, made from the bundled synthetic patients: recipes, no copies.

Each recipe returns files by path. What is right of each is told by the tests that use them.
"""

from __future__ import annotations

import functools
import io
import struct
import zipfile
from collections.abc import Callable

import cv2
import nibabel
import numpy as np
import tifffile
from PIL import Image

from btmodels.dataset import cohort
from tests.btmodels.scanner import SAGITTAL, dicom

Files = dict[str, bytes]
AFFINE = np.array([[-1.8, 0, 0, 57], [0, -1.8, 0, 57], [0, 0, 6, -40], [0, 0, 0, 1]], float)
"""Columns to the right in the file are to the patient's left, rows to the back."""
SIZE = 64


@functools.cache
def patient(number: int = 0, count: int = 8) -> np.ndarray:
    """(sequences, slices, rows, cols), uint8: pre, FLAIR, post of slices around the largest tumor."""
    one = cohort.read_cohort(cohort.samples_root())[number]
    middle = len(one.files) // 2
    files = one.files[middle - count // 2 : middle - count // 2 + count]
    pixels = [cohort.read_slice(one, file).pixels for file in files]
    small = [cv2.resize(each, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for each in pixels]
    return np.stack(small).transpose(3, 0, 1, 2)


@functools.cache
def truth(count: int = 8) -> np.ndarray:
    """bool, (slices, rows, cols): what is bright in FLAIR stands for a tumor here."""
    return patient(count=count)[1] > 150


PRE, FLAIR, POST = 0, 1, 2


def series(
    volume: np.ndarray,
    prefix: str = "",
    number: int = 1,
    left_out: tuple[int, ...] = (),
    each: Callable[[int], dict] = lambda index: {},
    who: str = "1.2.826.1",
    **fields,
) -> Files:
    """An axial series of 6 mm; ``each`` gives the fields of one slice, ``who`` a patient's own UIDs."""
    files = {}
    for index, values in enumerate(volume):
        if index in left_out:
            continue
        own = {
            "SOPInstanceUID": f"{who}.{number}.{index + 1}",
            "SeriesInstanceUID": f"{who}.{number}",
            "StudyInstanceUID": f"{who}.77",
            "FrameOfReferenceUID": f"{who}.9",
            "SeriesDescription": "AX FLAIR",
            "SeriesNumber": number,
            "InstanceNumber": index + 1,
            "ImagePositionPatient": [-57.0, -57.0, -40 + 6.0 * index],
            "PixelSpacing": [1.8, 1.8],
            "SliceThickness": 5,
        }
        own |= fields | each(index)
        files[f"{prefix}{index:02d}.dcm"] = dicom(values, **own)
    return files


def deep(volume: np.ndarray, dtype=np.uint16) -> np.ndarray:
    """Values as scanners have them: up to some hundreds."""
    return (volume.astype(np.int32) * 3).astype(dtype)


def study(descriptions: tuple[str, str, str], count: int = 6, **fields) -> Files:
    """FLAIR, pre and post of one patient, by these descriptions."""
    files: Files = {}
    for number, (channel, text) in enumerate(
        zip((FLAIR, PRE, POST), descriptions, strict=True), start=1
    ):
        values = deep(patient(count=count)[channel])
        files |= series(values, f"s{number - 1}_", number, SeriesDescription=text, **fields)
    return files


def volume(values: np.ndarray, affine: np.ndarray | None = AFFINE, **header) -> bytes:
    """A NIfTI of (slices, rows, cols) as scanners' programs write it."""
    own = np.ascontiguousarray(values[:, ::-1].transpose(2, 1, 0))
    if own.dtype == bool:
        own = own.astype(np.uint8)
    image = nibabel.Nifti1Image(own, affine if affine is None else flipped(affine))
    image.header.set_xyzt_units("unknown" if affine is None else "mm")
    data = bytearray(image.to_bytes())
    for at, packed in header.items():
        start = int(at.removeprefix("at_"))
        data[start : start + len(packed)] = packed
    return bytes(data)


def flipped(affine: np.ndarray) -> np.ndarray:
    """The affine once rows are stored from the back to the front."""
    result = affine.copy()
    result[:3, 3] += affine[:3, 1] * (SIZE - 1)
    result[:3, 1] *= -1
    return result


def case(stem: str, flair="flair", pre="t1", post="t1ce", seg="seg", number: int = 0) -> Files:
    """Volumes of one patient by these names; a name that is "" is left out."""
    values = patient(number)
    named = {flair: values[FLAIR], pre: values[PRE], post: values[POST]}
    files = {f"{stem}{name}.nii": volume(each) for name, each in named.items() if name}
    if seg:
        files[f"{stem}{seg}.nii"] = volume(values[FLAIR] > 150)
    return files


def tiff(values: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def png(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def zipped(files: Files, spoiled: str = "") -> bytes:
    """A zip; the bytes of one member can be spoiled so that its sum is wrong."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    data = bytearray(buffer.getvalue())
    if spoiled:
        data[data.index(files[spoiled]) + len(files[spoiled]) // 2] ^= 0xFF
    return bytes(data)


def _jitter(index: int) -> dict:
    # As two decimals of a float32 round: the same direction, written twice.
    around = (0.9949999, 0.099875918) if index % 2 else (0.9950001, 0.099873926)
    return {
        "ImageOrientationPatient": [1, 0, 0, 0, *around],
        "ImagePositionPatient": [-57.0, -57 - 0.599 * index, -40 + 5.97 * index],
    }


def _sagittal(values: np.ndarray, left_out: tuple[int, ...] = (), **fields) -> Files:
    """The stack cut again in sagittal slices, from the patient's right to the left."""
    cut = values.transpose(2, 0, 1)[:, ::-1]  # rows from the head down, columns to the back
    return series(
        np.ascontiguousarray(cut),
        left_out=left_out,
        each=lambda index: {
            "ImagePositionPatient": [-57 + 1.8 * index, -57.0, -40 + 6.0 * (len(values) - 1)],
        },
        **{
            "ImageOrientationPatient": list(SAGITTAL),
            "PixelSpacing": [6.0, 1.8],
            "SeriesDescription": "SAG FLAIR",
        }
        | fields,
    )


def _circle() -> np.ndarray:
    row, col = np.ogrid[:SIZE, :SIZE]
    return (row - SIZE / 2) ** 2 + (col - SIZE / 2) ** 2 > (0.47 * SIZE) ** 2


def _padded(values: np.ndarray, padding) -> np.ndarray:
    values = values.copy()
    outside = np.broadcast_to(_circle(), values.shape)
    values[outside] = padding(values.shape)[outside] if callable(padding) else padding
    return values


def _padding_range(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).integers(-2000, -1989, shape, np.int16)


def _far_voxel() -> Files:
    values = deep(patient()[FLAIR], np.int16)
    values[2, 0, 0] = -32768
    return {"x_flair.nii": volume(values)}


def _one_position_missing() -> Files:
    return series(
        deep(patient()[FLAIR]),
        each=lambda index: {"ImagePositionPatient": None} if index == 3 else {},
    )


def _each_lacks_one() -> Files:
    values = [deep(each) for each in patient()]
    return {
        **series(values[FLAIR], "s0_", 1, (1,)),
        **series(values[PRE], "s1_", 2, (6,), SeriesDescription="AX T1"),
        **series(values[POST], "s2_", 3, (6,), SeriesDescription="AX T1 +C"),
    }


def _covers_part() -> Files:
    values = [deep(each) for each in patient()]
    return {
        **series(values[FLAIR], "s0_", 1),
        **series(values[PRE], "s1_", 2, (5, 6, 7), SeriesDescription="AX T1"),
        **series(values[POST], "s2_", 3, SeriesDescription="AX T1 +C"),
    }


def _sagittal_first() -> Files:
    return {
        **_sagittal(
            deep(patient()[PRE]),
            prefix="a_",
            number=4,
            SeriesDescription="SAG T1",
        ),
        **study(("AX FLAIR", "AX T1", "AX T1 +C"), 8),
    }


def _bids() -> Files:
    files: Files = {}
    for number, session in enumerate(("post", "pre")):
        pre, flair, post = patient(number)
        stem = f"{session}/sub-01_ses-{session}_"
        files |= {
            f"{stem}FLAIR.nii": volume(flair),
            f"{stem}T1w.nii": volume(pre),
            f"{stem}ce-gd_T1w.nii": volume(post),
        }
    return files


def _brain_mask() -> Files:
    files = case("UCSF-PDGM-0004_", "FLAIR", "T1", "T1c", "tumor_segmentation")
    files["UCSF-PDGM-0004_brain_segmentation.nii"] = volume(patient()[FLAIR] > 20)
    return files


def _no_coordinates() -> Files:
    files = case("c_")
    pre = patient()[PRE]
    return files | {
        "c_t1.nii": volume(pre, None),
        "c_seg.nii": volume(truth(), None),
    }


def _two_studies() -> Files:
    return {
        **series(deep(patient(0)[FLAIR]), "p1_", who="1.2.826.1"),
        **series(deep(patient(1)[FLAIR]), "p2_", who="1.2.826.2"),
    }


def _two_names() -> Files:
    return {**case("A/", post="", seg=""), **case("B/", number=1)}


def _brats() -> Files:
    files = case("BraTS-GLI-00001-000-", "t2f", "t1n", "t1c", "seg")
    return files | {"BraTS-GLI-00001-000-t2w.nii": volume(255 - patient()[FLAIR])}


def _thumbnail_first() -> Files:
    pixels = patient()[:, 4].transpose(1, 2, 0)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(pixels[::4, ::4].copy(), photometric="rgb", subfiletype=1)
        writer.write(pixels.copy(), photometric="rgb")
    return {"x.tif": buffer.getvalue()}


def _palette() -> Files:
    image = Image.fromarray(patient()[:, 4].transpose(1, 2, 0).copy()).quantize(64)
    return {"x.png": png(image, transparency=bytes([0] + [255] * 63))}


def _mac_zip() -> Files:
    picture = tiff(patient()[FLAIR, 4])
    files = {f"{number}.tif": picture for number in range(3)}
    files |= {f"{number}.txt": b"" for number in range(998)}
    return {"mac.zip": zipped(files | {f"__MACOSX/._{name}": b"" for name in files})}


def _one_bad_member() -> Files:
    pictures = {f"x_{n}.tif": tiff(patient()[:, n].transpose(1, 2, 0)) for n in range(4)}
    return {"x.zip": zipped(pictures, "x_2.tif")}


CASES: dict[str, Callable[[], Files]] = {
    "01_iop_jitter": lambda: series(deep(patient()[FLAIR]), each=_jitter),
    "02_one_position_missing": _one_position_missing,
    "04_sagittal_3d_one_missing": lambda: _sagittal(deep(patient()[FLAIR]), (30,)),
    "06_each_series_lacks_a_slice": _each_lacks_one,
    "08_monochrome1_padding": lambda: series(
        _padded(1020 - deep(patient()[FLAIR]), 4095),
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=4095,
    ),
    "10_padding_range": lambda: series(
        _padded(deep(patient()[FLAIR], np.int16), _padding_range),
        PixelPaddingValue=-2000,
        PixelPaddingRangeLimit=-1990,
    ),
    "12_t1_flair": lambda: study(("AX T2 FLAIR", "AX T1 FLAIR", "AX T1 FLAIR +C")),
    "13_without_contrast": lambda: study(
        ("AX T2 FLAIR", "AX T1 W/O CONTRAST", "AX T1 W/ CONTRAST")
    ),
    "15_words_before_plus_c": lambda: study(("CUBE FLAIR", "AX 3D T1 BRAVO", "AX 3D T1 BRAVO +C")),
    "17_bids_session_pre_post": _bids,
    "18_sagittal_t1_first": _sagittal_first,
    "20_brain_mask_taken_for_truth": _brain_mask,
    "22_glistrboost_as_scan": lambda: case(
        "TCGA-XX-0001_2026.01.01_", "flair", "t1", "t1Gd", "GlistrBoost_ManuallyCorrected"
    ),
    "23_two_patients_same_names": _two_names,
    "25_two_studies_one_nifti": _two_studies,
    "26_no_coordinates_beside_coordinates": _no_coordinates,
    # pixdim 1 to 3 are 0; a quaternion says how it lies, and no matrix.
    "28_pixdim_zero": lambda: {
        "x_flair.nii": volume(
            deep(patient()[FLAIR], np.int16),
            at_80=struct.pack("<3f", 0, 0, 0),
            at_252=struct.pack("<2h", 1, 0),
        )
    },
    "30_one_far_negative_voxel": _far_voxel,
    "32_t2_left_out_is_no_error": _brats,
    "33_three_pages_are_three_channels": lambda: {
        "x.tif": tiff(patient()[:, 4].copy(), imagej=True, metadata={"axes": "CYX"})
    },
    "35_thumbnail_first": _thumbnail_first,
    "37_mac_zip": _mac_zip,
    "39_one_bad_member": _one_bad_member,
    "41_t1_covers_part": _covers_part,
    "43_dicom_named_png": lambda: {
        "x.png": series(deep(patient()[FLAIR]))["04.dcm"],
    },
    "45_palette_with_transparency": _palette,
    "46_rises_from_to_the_same": lambda: {
        "x_flair.nii": volume(deep(patient()[FLAIR], np.int16) - np.int16(120))
    },
}
"""By the number and name of each fault; 19 is 13 with a word on the command line."""
