"""``python -m train fuzz``: damage thousands of files at random and record how reading them ends.

A damaged file must give slices or a sentence, in time and within bounds: never another exception, a hung
or a dead process. The result goes into ``assets/metrics/fuzz.json``: by format how many files there were
(``files``) and what became of them: ``decoded``, ``refused`` with a sentence, ``given_up`` (too slow, or
the end of the process that read it) and ``uncaught`` (a defect, with its kinds under ``defects``); the
numbers of the files that were given up; the slowest file in seconds, and the most memory that the reading
process ever held, in millions of bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.errors import DecodeError
from btmodels.io.batch import InputFile, read_batch
from btmodels.io.sandbox import Reader
from train.provenance import command_line, versions, write_json

SECONDS = 2.0
"""A file that takes longer is given up."""

LARGEST_SEED = 150_000
"""Bytes; larger files of the libraries would only slow this down."""

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Values at which lengths and offsets tend to break."""


@dataclass(frozen=True)
class Seed:
    """A sound file: the format it counts for, its name, its bytes."""

    kind: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of a file: ``decoded``, ``refused``, ``given_up`` or ``uncaught``, and the defect's
    kind; seconds that reading took, and the process's largest size so far in bytes."""

    kind: str
    defect: str = ""
    seconds: float = 0.0
    memory: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=20_000, help="files; defaults to 20,000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assets", type=Path, default=paths.ASSETS)


def main(args: argparse.Namespace) -> int:
    document = run(args.count, args.seed)
    document |= {"command": command_line(args.words), "versions": versions()}
    path = args.assets / "metrics" / "fuzz.json"
    write_json(path, document)
    print(
        json.dumps(
            {key: document[key] for key in ("formats", "defects", "slowest_seconds")}, indent=1
        )
    )
    return 1 if document["defects"] else 0


def run(count: int, seed: int = 0) -> dict:
    """Read ``count`` damaged files, each made from one of `seeds`, and tell what became of them."""
    sound = list(seeds())
    formats: dict[str, Counter] = {each.kind: Counter() for each in sound}
    defects: Counter = Counter()
    given_up: list[int] = []
    slowest, memory = 0.0, 0
    reader = Reader(SECONDS, patience=1)
    try:
        for number in range(count):
            one = sound[number % len(sound)]
            data = damaged(one, sound, np.random.default_rng((seed, number)))
            outcome = read(reader, data, one.name)
            formats[one.kind].update(["files", outcome.kind])
            if outcome.kind == "given_up":
                given_up.append(number)
            if outcome.defect:
                defects[f"{one.kind}: {outcome.defect}"] += 1
            slowest, memory = max(slowest, outcome.seconds), max(memory, outcome.memory)
            if number % 1000 == 999:
                print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
    finally:
        reader.close()
    return {
        "count": count,
        "seed": seed,
        "seeds": len(sound),
        "limit_seconds": SECONDS,
        "formats": {kind: dict(sorted(counts.items())) for kind, counts in formats.items()},
        "defects": dict(defects),
        "given_up": given_up,
        "slowest_seconds": round(slowest, 3),
        "memory_megabytes": round(memory / 1e6),
    }


def read(reader: Reader, data: bytes, name: str) -> Outcome:
    """Read a file as the site does, in the reader's process."""
    try:
        return reader.run(name, attempt, data, name)
    except DecodeError:  # what `attempt` does not catch: time is up, or the process ended
        return Outcome("given_up", seconds=SECONDS)


def attempt(data: bytes, name: str) -> Outcome:
    """Read a file, a zip with all that is in it, and never raise."""
    import resource

    began = time.perf_counter()
    kind, defect = "decoded", ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if not _read_any(data, name):
                kind = "refused"
        except Exception as error:  # every one of them is a defect
            kind, defect = "uncaught", type(error).__name__
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Outcome(kind, defect, time.perf_counter() - began, memory)


def _read_any(data: bytes, name: str) -> bool:
    """Tell whether a file, or any file within a zip, gave slices, put together as the site does it."""
    return bool(read_batch([InputFile(name, name, data)]).studies)


def damaged(seed: Seed, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Damage a file, half of the time where its checksums do not tell.

    A decoder that stops at the first wrong checksum would never be tried any further: a PNG's are made
    right again, or its rows are packed anew once they are damaged, and a zip around damaged files.
    """
    if rng.random() < 0.5:
        return damage(seed.data, others, rng)
    if seed.kind == "PNG":
        if rng.random() < 0.5:
            return _right_checksums(damage(seed.data, others, rng))
        return _with_rows(seed.data, lambda rows: damage(rows, others, rng))
    if seed.kind == "zip":
        with zipfile.ZipFile(io.BytesIO(seed.data)) as source:
            entries = [(entry.filename, source.read(entry)) for entry in source.infolist()]
        which = int(rng.integers(len(entries)))
        return _zip(
            [
                (name, damage(data, others, rng) if i == which else data)
                for i, (name, data) in enumerate(entries)
            ]
        )
    return damage(seed.data, others, rng)


def _right_checksums(png: bytes) -> bytes:
    """Put the right checksum behind each chunk of a PNG, as far as its lengths lead."""
    content, at = bytearray(png), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(content)


def _with_rows(png: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Unpack the rows of a PNG, change them, and pack them into its first chunk of rows."""
    at, before, rows, after = 8, [], b"", []
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kind, body, end = png[at + 4 : at + 8], png[at + 8 : at + 8 + size], at + 12 + size
        if kind == b"IDAT":
            rows += body
        else:
            (after if rows else before).append(png[at:end])
        at = end
    packed = zlib.compress(change(zlib.decompress(rows)))
    chunk = len(packed).to_bytes(4, "big") + b"IDAT" + packed + bytes(4)
    return _right_checksums(b"".join([png[:8], *before, chunk, *after]))


def damage(data: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Change a file in one to four places: bits, numbers, spans cut out, doubled or from another file."""
    content = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not content:
            break
        # Half of all damage goes where headers are.
        reach = min(len(content), 512) if rng.random() < 0.5 else len(content)
        at = int(rng.integers(reach))
        length = int(rng.integers(1, 65))
        match rng.integers(8):
            case 0 | 1 | 2:
                content[at] ^= 1 << int(rng.integers(8))
            case 3 | 4:
                size = int(rng.choice([1, 2, 4]))
                number = int(rng.choice(NUMBERS)) % 256**size
                order = "little" if rng.random() < 0.5 else "big"
                content[at : at + size] = number.to_bytes(size, order)
            case 5:
                del content[at : at + length]
            case 6:
                content[at:at] = content[at : at + length]
            case _:
                other = others[int(rng.integers(len(others)))].data
                start = int(rng.integers(len(other)))
                content[at : at + length] = other[start : start + length]
    if rng.random() < 0.05:
        del content[int(rng.integers(len(content) + 1)) :]
    return bytes(content)


def seeds() -> Iterator[Seed]:
    """Yield sound files of every format that is read: made from a synthetic slice, and those of pydicom
    and nibabel that are small."""
    patient = cohort.read_cohort(cohort.samples_root())[0]
    middle = cohort.read_slice(patient, patient.files[len(patient.files) // 2])
    pixels = cv2.resize(middle.pixels, (48, 40), interpolation=cv2.INTER_AREA)
    yield from _tiffs(pixels)
    yield from _pictures(pixels)
    yield from _volumes(pixels)
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
    import gzip

    import nibabel

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
    case = {"a_flair.nii": stack, "a_t1.nii": scored, "a_seg.nii": (stack > 99).astype(np.uint8)}
    files = [(n, nibabel.Nifti1Image(v, np.eye(4)).to_bytes()) for n, v in case.items()]
    yield Seed("zip", "case.zip", _zip(files))


def _series(pixels: np.ndarray) -> Iterator[Seed]:
    """Series as scanners write them, with what goes wrong in them: padding, high bits, tilts and gaps."""
    gray = pixels[..., 1].astype(np.int16) * 3
    padded = gray.copy()
    padded[:4] = -2000
    forms = {
        "padded": (padded, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990}),
        "inverted": (765 - gray, {"PhotometricInterpretation": "MONOCHROME1"}),
        "high": (gray << 4, {"BitsStored": 12, "HighBit": 15}),
        "window": (gray, {"WindowCenter": 380, "WindowWidth": 760}),
    }
    for name, (values, fields) in forms.items():
        yield Seed("DICOM", f"{name}.dcm", _dicom(values, 0, fields))
    told = [
        {"SeriesDescription": "AX T2 FLAIR", "InversionTime": 2500, "EchoTime": 120},
        {"SeriesDescription": "AX T1 W/O CONTRAST", "ContrastBolusAgent": "NONE"},
    ]
    files = [
        (
            f"{at}_{index}",
            _dicom(gray, index, fields | {"SeriesInstanceUID": f"1.2.{at + 1}"})[132:],
        )
        for at, fields in enumerate(told)
        for index in (0, 1, 3, 4)
    ]
    yield Seed("zip", "series.zip", _zip(files))


def _dicom(values: np.ndarray, index: int, fields: dict[str, object]) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

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
        setattr(dataset, key, value)
    dataset.PixelData = values.astype("<i2").tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _of_libraries() -> Iterator[Seed]:
    import nibabel
    import pydicom

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
        yield Seed("zip", name, _zip(entries, packing))


def _zip(entries: list[tuple[str, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as target:
        for name, data in entries:
            target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, packing)
    return buffer.getvalue()
