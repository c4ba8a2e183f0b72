"""Valid files of every supported format, for ``python -m train fuzz`` to damage."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from btmodels.dataset import cohort

LARGEST_SEED = 150_000
"""Largest file of the libraries in bytes; larger ones would only slow this down."""


@dataclass(frozen=True)
class Seed:
    """A valid file: its format, name and bytes."""

    kind: str
    name: str
    data: bytes


def seeds() -> Iterator[Seed]:
    """Yield valid files of every supported format: some made from a synthetic slice, and the small test
    files of pydicom and nibabel."""
    patient = cohort.read_cohort(cohort.samples_root())[0]
    middle = cohort.read_slice(patient, patient.files[len(patient.files) // 2])
    pixels = cv2.resize(middle.pixels, (48, 40), interpolation=cv2.INTER_AREA)
    yield from _tiffs(pixels)
    yield from _pictures(pixels)
    yield from _volumes(pixels)
    yield from _data_sets(pixels)
    yield from _series(pixels)
    yield from _of_libraries()
    yield from _zips(pixels)


def _tiffs(pixels: np.ndarray) -> Iterator[Seed]:
    gray, deep = pixels[..., 1], pixels.astype(np.uint16) * 257
    forms = {
        "color": (pixels, {"photometric": "rgb"}),
        "gray": (gray, {}),
        "deep": (deep, {"photometric": "rgb"}),
        "big_endian": (deep[..., 1], {"byteorder": ">"}),
        "float": (pixels.astype(np.float32) / 255, {"photometric": "rgb"}),
        "packed": (pixels, {"photometric": "rgb", "compression": "zlib"}),
        "predicted": (pixels, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        "pages": (np.stack([gray, gray]), {"photometric": "minisblack"}),
        "three_pages": (np.moveaxis(pixels, 2, 0).copy(), {"photometric": "minisblack"}),
        "ome": (np.moveaxis(pixels, 2, 0).copy(), {"ome": True, "metadata": {"axes": "CYX"}}),
        "big": (pixels, {"photometric": "rgb", "bigtiff": True}),
        "tiled": (pixels, {"photometric": "rgb", "tile": (16, 16)}),
        "channels": (
            np.moveaxis(pixels, 2, 0).copy(),
            {"imagej": True, "metadata": {"axes": "CYX"}},
        ),
        "clear": (
            np.dstack([pixels, gray]),
            {"photometric": "rgb", "extrasamples": ["unassalpha"]},
        ),
    }
    for name, (values, options) in forms.items():
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, values, **options)
        yield Seed("TIFF", f"{name}.tif", buffer.getvalue())
    for packing in ("tiff_lzw", "jpeg", "packbits"):
        yield _saved("TIFF", f"{packing}.tif", Image.fromarray(pixels), compression=packing)


def _pictures(pixels: np.ndarray) -> Iterator[Seed]:
    image = Image.fromarray(pixels)
    gray = Image.fromarray(pixels[..., 1])
    clear = Image.fromarray(np.dstack([pixels, pixels[..., :1]]))
    yield _saved("PNG", "color.png", image)
    yield _saved("PNG", "gray.png", gray)
    yield _saved("PNG", "palette.png", image.quantize(32))
    yield _saved("PNG", "alpha.png", clear)
    transparent = bytes([0] + [255] * 31)
    yield _saved("PNG", "clear_palette.png", image.quantize(32), transparency=transparent)
    yield _saved("PNG", "two.png", Image.fromarray(np.dstack([pixels[..., 1]] * 2)))
    yield _saved("PNG", "bits.png", gray.convert("1"))
    yield Seed("PNG", "deep.png", cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1].tobytes())
    yield _saved("JPEG", "color.jpg", image)
    yield _saved("JPEG", "gray.jpg", gray)
    yield _saved("JPEG", "progressive.jpg", image, progressive=True)
    yield _saved("JPEG", "print.jpg", image.convert("CMYK"))
    yield _saved("WEBP", "lossy.webp", image)
    yield _saved("WEBP", "lossless.webp", clear, lossless=True)
    yield _saved("BMP", "color.bmp", image)
    yield _saved("BMP", "gray.bmp", gray)


def _saved(kind: str, name: str, image: Image.Image, **options: object) -> Seed:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Seed(kind, name, buffer.getvalue())


def _volumes(pixels: np.ndarray) -> Iterator[Seed]:
    stack = np.stack([pixels[..., 1]] * 4, axis=2)
    forms = {
        "bytes": nibabel.Nifti1Image(stack, np.diag([2.0, 2.0, 5.0, 1.0])),
        "floats": nibabel.Nifti1Image(stack.astype(np.float32), np.diag([-1.0, 1.0, 3.0, 1.0])),
        "shorts": nibabel.Nifti2Image(stack.astype(np.int16), np.eye(4)),
        "sequences": nibabel.Nifti1Image(np.stack([stack] * 3, axis=3), np.eye(4)),
    }
    for name, image in forms.items():
        yield Seed("NIfTI", f"{name}.nii", image.to_bytes())
    plain = forms["bytes"].to_bytes()
    yield Seed("NIfTI", "packed.nii.gz", gzip.compress(plain, mtime=0))
    members = gzip.compress(plain[:500], mtime=0) + gzip.compress(plain[500:], mtime=0)
    yield Seed("NIfTI", "members.nii.gz", members)
    far = stack.astype(np.int16)
    far[0, 0, 0] = -32768
    yield Seed("NIfTI", "far.nii", nibabel.Nifti1Image(far, np.diag([-1.0, -1, 6, 1])).to_bytes())
    scored = (stack - stack.mean()).astype(np.float32)
    sheared = np.array([[-1.8, 0, 0.4, 9], [0, -1.8, 1.1, 9], [0, 0, 6, -9], [0, 0, 0, 1]])
    odd = {
        "scored": (stack - stack.mean()).astype(np.float32) / 40,
        "shear": stack,
        "labels": (stack // 86).astype(np.uint8),
        "not_numbers": np.where(stack < 9, np.nan, stack).astype(np.float32),
    }
    for name, values in odd.items():
        yield Seed("NIfTI", f"{name}.nii", nibabel.Nifti1Image(values, sheared).to_bytes())
    case = {"a_flair.nii": stack, "a_t1.nii": scored, "a_seg.nii": (stack > 99).astype(np.uint8)}
    files = [(n, nibabel.Nifti1Image(v, np.eye(4)).to_bytes()) for n, v in case.items()]
    yield Seed("zip", "case.zip", pack_zip(files))
    yield Seed("zip", "cases.zip", pack_zip(_two_cases(stack)))


def _data_sets(pixels: np.ndarray) -> Iterator[Seed]:
    """Yield cases in the layouts of nnU-Net and the Medical Segmentation Decathlon."""
    stack = np.stack([pixels[..., 1]] * 4, axis=2)
    plain = nibabel.Nifti1Image(stack, np.diag([-2.0, -2.0, 5.0, 1.0])).to_bytes()
    channels = [(f"imagesTr/case_{number:04d}.nii", plain) for number in range(3)]
    labels = nibabel.Nifti1Image((stack > 99).astype(np.uint8), np.diag([-2.0, -2.0, 5.0, 1.0]))
    names = {"channel_names": {"0": "T1w", "1": "FLAIR", "2": "T1wCE"}}
    told = [
        ("dataset.json", json.dumps(names).encode()),
        *channels,
        ("labelsTr/case.nii", labels.to_bytes()),
    ]
    yield Seed("zip", "numbered.zip", pack_zip(channels))
    yield Seed("zip", "nnunet.zip", pack_zip(told))
    four = nibabel.Nifti1Image(np.stack([stack] * 4, axis=3), np.eye(4)).to_bytes()
    modality = {"modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}}
    files = [("dataset.json", json.dumps(modality).encode()), ("imagesTr/BRATS_001.nii", four)]
    yield Seed("zip", "decathlon.zip", pack_zip(files))
    header = bytearray(plain)
    header[108:112] = bytes(4)  # vox_offset
    yield Seed("NIfTI", "offset.nii", bytes(header))


def _two_cases(stack: np.ndarray) -> list[tuple[str, bytes]]:
    """Return volumes and labels of two patients on one grid, with the same names in two folders."""
    labels = (stack > 99) * np.uint8(4)
    forms = {"flair": stack, "t1": stack // 2, "t1ce": stack // 3, "seg": labels}
    return [
        (
            f"{patient}/{name}.nii",
            nibabel.Nifti1Image(values, np.diag([-2.0, -2.0, 5.0, 1.0])).to_bytes(),
        )
        for patient in ("P1", "P2")
        for name, values in forms.items()
    ]


def _series(pixels: np.ndarray) -> Iterator[Seed]:
    """Yield series as written by scanners, with their irregularities: padding, high bits, tilts, gaps."""
    gray = pixels[..., 1].astype(np.int16) * 3
    padded = gray.copy()
    padded[:4] = -2000
    forms = {
        "padded": (padded, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990}),
        "inverted": (765 - gray, {"PhotometricInterpretation": "MONOCHROME1"}),
        "high": (gray << 4, {"BitsStored": 12, "HighBit": 15}),
        "unsigned_padding": (
            gray,
            {"PixelPaddingValue": DataElement("PixelPaddingValue", "US", 63536)},
        ),
        "clear_inverted": (
            765 - padded,
            {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 2765},
        ),
        "window": (gray, {"WindowCenter": 380, "WindowWidth": 760}),
    }
    for name, (values, fields) in forms.items():
        yield Seed("DICOM", f"{name}.dcm", write_dicom(values, 0, fields))
    yield Seed("DICOM", "without_preamble", write_dicom(gray, 0, {})[132:])
    told = [
        {"SeriesDescription": "AX T2 FLAIR", "InversionTime": 2500, "EchoTime": 120},
        {"SeriesDescription": "AX T1 W/O CONTRAST", "ContrastBolusAgent": "NONE"},
    ]
    files = [
        (
            f"{at}_{index}",
            write_dicom(gray, index, fields | {"SeriesInstanceUID": f"1.2.{at + 1}"})[132:],
        )
        for at, fields in enumerate(told)
        for index in (0, 1, 3, 4)
    ]
    yield Seed("zip", "series.zip", pack_zip(files))
    patients = list(_two_patients(gray))
    yield Seed("zip", "patients.zip", pack_zip(patients))
    flat = [(name.replace("/", "_"), data) for name, data in patients]
    yield Seed("zip", "flat.zip", pack_zip(flat))
    mixed = [
        ("flair_tilted", {"ImageOrientationPatient": [1, 0, 0, 0, 0.98, 0.199]}),
        (
            "t1_sagittal",
            {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "SeriesInstanceUID": "1.2.2"},
        ),
    ]
    turned = [
        (f"{name}/{index}.dcm", write_dicom(gray, index, {"SeriesDescription": name} | fields))
        for name, fields in mixed
        for index in range(3)
    ]
    yield Seed("zip", "planes.zip", pack_zip(turned))


def _two_patients(gray: np.ndarray) -> Iterator[tuple[str, bytes]]:
    """Yield two patients in folders with the same file names, the second without one T1 slice."""
    for who in (1, 2):
        for number, name in enumerate(("AX FLAIR", "AX T1", "AX T1 +C")):
            for index in range(3):
                fields = {
                    "PatientID": f"P{who}",
                    "StudyInstanceUID": f"1.3.{who}",
                    "SeriesInstanceUID": f"1.3.{who}.{number + 1}",
                    "FrameOfReferenceUID": f"1.3.{who}.9",
                    "SeriesDescription": name,
                }
                if who == 1 or (number, index) != (1, 1):
                    yield f"P{who}/{number}/{index}.dcm", write_dicom(gray, index, fields)


def write_dicom(values: np.ndarray, index: int, fields: dict[str, object]) -> bytes:
    """Return a 16-bit DICOM slice, 6 mm from the one before; ``fields`` adds or replaces elements."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    own = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "SOPInstanceUID": f"1.2.3.{index + 1}",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.1",
        "FrameOfReferenceUID": "1.2.9",
        "Modality": "MR",
        "InstanceNumber": index + 1,
        "Rows": values.shape[0],
        "Columns": values.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "PixelSpacing": [1.8, 1.8],
        "ImagePositionPatient": [0, 0.5 * index, 6.0 * index],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    }
    for key, value in (own | fields).items():
        # A DataElement brings its own VR, right or wrong.
        if isinstance(value, DataElement):
            dataset.add(value)
        else:
            setattr(dataset, key, value)
    dataset.PixelData = values.astype("<i2").tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _of_libraries() -> Iterator[Seed]:
    scans = Path(pydicom.__file__).parent / "data" / "test_files"
    volumes = Path(nibabel.__file__).parent / "tests" / "data"
    for kind, folder, pattern in (("DICOM", scans, "*.dcm"), ("NIfTI", volumes, "*.nii*")):
        for file in sorted(folder.glob(pattern)):
            if file.stat().st_size <= LARGEST_SEED:
                yield Seed(kind, file.name, file.read_bytes())


def _zips(pixels: np.ndarray) -> Iterator[Seed]:
    files = [each for each in _pictures(pixels) if each.kind in ("PNG", "JPEG")][:3]
    entries = [(f"patient/{each.name}", each.data) for each in files]
    for name, packing in (("packed.zip", zipfile.ZIP_DEFLATED), ("plain.zip", zipfile.ZIP_STORED)):
        yield Seed("zip", name, pack_zip(entries, packing))
    of_a_mac = [*entries, *((f"__MACOSX/patient/._{each.name}", b"\0\5\x16\7") for each in files)]
    yield Seed("zip", "mac.zip", pack_zip([*of_a_mac, ("patient/.DS_Store", b"\0\0\0\1Bud1")]))
    broken = [
        (name, data[: len(data) // 2] if i == 1 else data) for i, (name, data) in enumerate(entries)
    ]
    yield Seed("zip", "one_broken.zip", pack_zip(broken))
    one = pack_zip(entries, zipfile.ZIP_STORED)
    at = one.index(files[1].data) + len(files[1].data) // 2
    yield Seed("zip", "wrong_checksum.zip", one[:at] + bytes([one[at] ^ 1]) + one[at + 1 :])
    yield Seed("zip", "nested.zip", pack_zip([("inner.zip", pack_zip(entries)), *entries]))


def pack_zip(entries: list[tuple[str, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack names and contents into a zip, with the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as target:
        for name, data in entries:
            target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, packing)
    return buffer.getvalue()
