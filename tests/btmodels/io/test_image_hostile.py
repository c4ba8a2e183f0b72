"""Files that are broken, oversized or meant to hurt: one sentence, never another exception."""

from __future__ import annotations

import gzip
import io
import logging
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btmodels.errors import DecodeError
from btmodels.io import limits
from btmodels.io.image import decode, decode_mask
from tests.btmodels.files import bare_png, bare_tiff, saved, stretched, tiff

# Pillow warns of damaged tags before it gives up or goes on.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

RAMP = np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3)


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("notes.txt", "no slice in here")
    return buffer.getvalue()


NOT_IMAGES = {
    "empty.tif": (b"", "is empty"),
    "notes.tif": (b"just some words", "is no image"),
    "archive.tif": (a_zip(), "is a zip archive"),
    "packed.png": (gzip.compress(b"x"), "is a gzip file"),
    "page.png": (b"<!doctype html>", "is a text file"),
    "scan.dcm": (bytes(128) + b"DICM" + bytes(99), "is a DICOM file"),
    "brain.nii": (bytes(344) + b"n+1\0" + bytes(99), "is a NIfTI file"),
    "moving.gif": (saved(RAMP[..., 0], "GIF"), "is a GIF"),
    "phone.jpg": (b"\0\0\0\x18ftypheic" + bytes(99), "is a HEIC or AVIF picture"),
    "header.tif": (b"II*\0", "cut off"),
    "header.png": (b"\x89PNG\r\n\x1a\n", "cut off"),
    "header.jpg": (b"\xff\xd8\xff\xe0", "cut off"),
    "header.webp": (b"RIFF\0\0\0\0WEBP", "cut off"),
    "header.bmp": (b"BM", "cut off"),
}


@pytest.mark.parametrize("name", NOT_IMAGES)
def test_what_is_no_image_gets_a_sentence_that_names_it(name):
    data, what = NOT_IMAGES[name]
    for read in (decode, decode_mask):
        with pytest.raises(DecodeError) as caught:
            read(data, f"some/folder/{name}")
        message = str(caught.value)
        assert message.startswith(name) and what in message and "expected" in message
        assert "folder" not in message


SEEDS = {
    "x.png": saved(RAMP, "PNG"),
    "x.jpg": saved(RAMP, "JPEG"),
    "x.webp": saved(RAMP, "WEBP", lossless=True),
    "x.bmp": saved(RAMP, "BMP"),
    "plain.tif": tiff(RAMP, photometric="rgb"),
    "strips.tif": tiff(RAMP, photometric="rgb", rowsperstrip=4),
    "tiles.tif": tiff(RAMP, photometric="rgb", tile=(16, 16)),
    "deflate.tif": tiff(RAMP, photometric="rgb", compression="zlib", rowsperstrip=8),
    "float.tif": tiff(RAMP.astype(np.float32) / 7, photometric="rgb", byteorder=">"),
    "lzw.tif": saved(RAMP, "TIFF", compression="tiff_lzw"),
    "jpeg.tif": saved(RAMP, "TIFF", compression="jpeg"),
    "fax.tif": saved(RAMP[..., 0] > 99, "TIFF", compression="group4"),
    "pages.tif": tiff(np.stack([RAMP, RAMP]), photometric="rgb"),
}


@pytest.mark.parametrize("name", SEEDS)
def test_a_truncated_file_is_refused(name):
    data = SEEDS[name]
    # Where the directory comes first, a file without its last byte lacks a pixel.
    for end in (len(data) // 4, len(data) // 2, 3 * len(data) // 4):
        if name == "pages.tif" and end >= len(data) // 2:
            continue  # by then the first page is whole
        with pytest.raises(DecodeError):
            decode(data[:end], name)


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutation_raises_anything_else(data):
    name = data.draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(SEEDS[name])
    # Half of the edits go to the head of the file, where the sizes and types are.
    place = st.integers(0, len(content) - 1) | st.integers(0, min(300, len(content) - 1))
    for at, value in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=6)):
        content[at] = value
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    for read in (decode, decode_mask):
        try:
            result = read(bytes(content[:end]), name)
        except DecodeError as error:
            assert str(error).startswith(name)
            continue
        if read is decode_mask:
            assert result.dtype == bool and result.ndim == 2
            continue
        assert result.pixels.dtype == np.uint8 and result.pixels.shape[2] == 3
        if name == "x.png":  # its checksums let nothing pass unseen
            np.testing.assert_array_equal(result.pixels, RAMP)


@given(st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"BM", b"RIFF"]), st.binary())
@settings(max_examples=100, deadline=None)
def test_noise_behind_a_known_start(start, noise):
    try:
        decode(start + noise, "noise")
    except DecodeError:
        return


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


DEFLATED_ZEROS = zlib.compress(bytes(20_000_000), 9)

BOMBS = {
    "wide.png": (bare_png(7000, 7000), "megapixels"),
    "vast.png": (bare_png(100_000, 100_000), "far more pixels"),
    "thin.png": (bare_png(20_000, 1), "side"),
    "flat.tif": (bare_tiff(bytes(64), _256=8000, _257=8000, _278=8000), "megapixels"),
    "deep.tif": (bare_tiff(bytes(64), _277=60_000_000), "MB unpacked"),
    "none.tif": (bare_tiff(bytes(64), _256=0), "without pixels"),
    "volume.tif": (bare_tiff(bytes(64), _32997=5000), "volume"),
    "tile.tif": (
        bare_tiff(bytes(64), _322=60_000, _323=60_000, _324=8, _325=64),
        "MB unpacked",
    ),
    "zeros.tif": (bare_tiff(DEFLATED_ZEROS, _259=8), "damaged"),
    "strips.tif": (bare_tiff(bytes(64), _278=1), "damaged"),
    "pages.tif": (tiff(np.zeros((1001, 2, 2), np.uint8)), "1,000 pages"),
    "wide.jpg": (
        patched(
            saved(RAMP, "JPEG"),
            struct.pack(">HBHH", 17, 8, 16, 24),
            struct.pack(">HBHH", 17, 8, 9000, 9000),
        ),
        "megapixels",
    ),
    "wide.bmp": (
        patched(saved(RAMP, "BMP"), struct.pack("<ii", 24, 16), struct.pack("<ii", 9000, 9000)),
        "megapixels",
    ),
    "wide.webp": (
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16_382).to_bytes(3, "little") * 2,
        "megapixels",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_what_it_announces(name):
    data, what = BOMBS[name]
    with pytest.raises(DecodeError, match=what):
        decode(data, name)


def test_a_directory_that_leads_back_to_itself_ends():
    strip = bytes(range(64))
    each = decode(bare_tiff(strip), "x.tif")
    expected = stretched(np.frombuffer(strip, np.uint8).reshape(8, 8))
    np.testing.assert_array_equal(each.pixels[..., 0], expected)
    try:
        decode(bare_tiff(strip, next_page=8 + 64), "circle.tif")
    except DecodeError as error:
        assert "circle.tif" in str(error)


def test_a_list_where_a_number_belongs_is_not_multiplied():
    # Samples per pixel as 200,000 numbers: times 8 x 8 pixels that would be a list of 100 MB.
    data = bare_tiff(bytes(1_000_000))
    damaged = patched(
        data, struct.pack("<HHII", 277, 4, 1, 1), struct.pack("<HHII", 277, 4, 200_000, 8)
    )
    with pytest.raises(DecodeError, match="damaged"):
        decode(damaged, "x.tif")


def test_a_file_over_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 1_000)
    with pytest.raises(DecodeError, match="big.png has"):
        decode(SEEDS["plain.tif"], "big.png")


def test_a_missing_strip_is_not_filled_with_black():
    # tifffile takes an offset of 0 for a strip without data and fills it in.
    strips = tiff(RAMP, photometric="rgb", compression="zlib", rowsperstrip=8)
    with pytest.raises(DecodeError, match="damaged"):
        decode(bare_tiff(bytes(64), _273=0), "x.tif")
    with pytest.raises(DecodeError, match="damaged"):
        decode(bare_tiff(bytes(64), _279=63), "x.tif")
    assert decode(strips, "x.tif").notes == ()


def test_what_a_damaged_tag_says_reaches_no_log(caplog):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, RAMP, software="Doe, Jane")
    data = buffer.getvalue().replace(b"Doe, Jane", b"D\x81e, Jane")
    assert decode(data, "slice.tif").pixels.shape == RAMP.shape and not caplog.records
    caplog.set_level(logging.WARNING, "tifffile")
    decode(data, "slice.tif")
    assert "Jane" in caplog.text, "otherwise the first look proves nothing"
