"""Each form of file that a visitor may bring: its pixels, or a sentence that refuses it."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from btmodels.errors import DecodeError
from btmodels.io.image import decode
from btmodels.io.tiff import read_tiff
from tests.btmodels.files import deep_png, saved, stretched, tiff

RNG = np.random.default_rng(7)


def has_note(notes: tuple[str, ...], *words: str) -> bool:
    return any(all(word in note for word in words) for note in notes)


# Three channels, 8 bits, without loss: whatever the container, the pixels are the same and there is
# nothing to say of them.
SAME = {
    "x.tif": lambda p: tiff(p, photometric="rgb"),
    "big-endian.tif": lambda p: tiff(p, photometric="rgb", byteorder=">"),
    "bigtiff.tiff": lambda p: tiff(p, photometric="rgb", bigtiff=True),
    "planar.tif": lambda p: tiff(np.moveaxis(p, 2, 0), photometric="rgb", planarconfig="separate"),
    "deflate.tif": lambda p: tiff(p, photometric="rgb", compression="zlib", rowsperstrip=4),
    "predictor.tif": lambda p: tiff(p, photometric="rgb", compression="zlib", predictor=2),
    "strips.tif": lambda p: tiff(p, photometric="rgb", rowsperstrip=4),
    "tiles.tif": lambda p: tiff(p, photometric="rgb", tile=(16, 16)),
    "no-color.tif": lambda p: tiff(p, photometric="minisblack", planarconfig="contig"),
    "lzw.tif": lambda p: saved(p, "TIFF", compression="tiff_lzw"),
    "packbits.tif": lambda p: saved(p, "TIFF", compression="packbits"),
    "lzma.tif": lambda p: saved(p, "TIFF", compression="lzma"),
    "x.png": lambda p: saved(p, "PNG"),
    "x.webp": lambda p: saved(p, "WEBP", lossless=True),
    "X.BMP": lambda p: saved(p, "BMP"),
    "no ending": lambda p: saved(p, "PNG"),
}


@pytest.mark.parametrize("name", SAME)
def test_lossless_containers_give_the_same_pixels(pixels, name):
    each = decode(SAME[name](pixels), name)
    assert each.pixels.dtype == np.uint8
    np.testing.assert_array_equal(each.pixels, pixels)
    assert (each.name, each.notes, each.truth, each.spacing) == (name, (), None, None)


@pytest.mark.parametrize(
    ("name", "pack"),
    {
        "x.jpg": lambda p: saved(p, "JPEG", quality=100, subsampling=0),
        "x.webp": lambda p: saved(p, "WEBP", quality=100),
        "jpeg.tif": lambda p: saved(p, "TIFF", compression="jpeg", quality=100),
    }.items(),
)
def test_lossy_containers_give_nearly_the_same_pixels(name, pack):
    ramp = np.linspace(20, 220, 32).astype(np.uint8)
    gray = np.repeat(np.add.outer(ramp // 2, ramp // 2)[..., None], 3, axis=2)
    gray[..., 1] += 20
    each = decode(pack(gray), name)
    assert np.abs(each.pixels.astype(int) - gray).max() <= 6
    assert each.notes == ()


def test_the_name_gives_patient_and_number(pixels):
    each = decode(saved(pixels, "PNG"), "folder/TCGA_CS_4941_19960909_12.png")
    assert (each.name, each.patient, each.number) == (
        "TCGA_CS_4941_19960909_12.png",
        "TCGA_CS_4941_19960909",
        12,
    )
    assert decode(saved(pixels, "PNG"), "scan_12.png").patient is None


def test_a_mislabeled_file_is_read_as_what_it_is(pixels):
    each = decode(saved(pixels, "PNG"), "x.tif")
    np.testing.assert_array_equal(each.pixels, pixels)
    assert has_note(each.notes, "x.tif is a PNG")


ONE = {
    "L.png": lambda g: saved(g, "PNG"),
    "L.jpg": lambda g: saved(np.full_like(g, 90), "JPEG"),
    "gray.tif": lambda g: tiff(g, photometric="minisblack"),
    "white.tif": lambda g: tiff(255 - g, photometric="miniswhite"),
    "white-lzw.tif": lambda g: saved(g, "TIFF", compression="tiff_lzw", tiffinfo={262: 0}),
    "alpha.tif": lambda g: tiff(
        np.dstack([g, 255 - g]), photometric="minisblack", extrasamples=["unassalpha"]
    ),
    "LA.png": lambda g: saved(np.dstack([g, 255 - g]), "PNG"),
}


@pytest.mark.parametrize("name", ONE)
def test_one_channel_stands_in_for_all_three(pixels, name):
    gray = pixels[..., 0]
    each = decode(ONE[name](gray), name)
    expected = np.full_like(gray, 90) if name.endswith("jpg") else stretched(gray)
    np.testing.assert_array_equal(each.pixels, np.repeat(expected[..., None], 3, axis=2))
    assert not has_note(each.notes, "FLAIR")  # that is for the input check to say
    assert has_note(each.notes, "alpha") == ("alpha" in name or "LA" in name)


@pytest.mark.parametrize("form", ["PNG", "BMP", "JPEG"])
def test_a_gray_slice_saved_in_color_is_read_as_the_gray_one(pixels, form):
    gray = pixels[..., 0] // 2
    in_color = decode(saved(np.repeat(gray[..., None], 3, axis=2), form), "x")
    np.testing.assert_array_equal(in_color.pixels, decode(saved(gray, form), "x").pixels)
    assert in_color.pixels.max() == 255
    # The data set has FLAIR in all three channels of a TIFF where the others are missing.
    kept = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode(tiff(kept, photometric="rgb"), "x.tif").pixels, kept)


def test_two_channels_are_pre_contrast_and_flair(pixels):
    data = tiff(pixels[..., :2].copy(), photometric="minisblack", planarconfig="contig")
    each = decode(data, "two.tif")
    np.testing.assert_array_equal(each.pixels, pixels[..., [0, 1, 1]])
    assert has_note(each.notes, "two channels")


def test_channels_without_a_meaning_are_refused(pixels):
    data = tiff(np.dstack([pixels, pixels]), photometric="minisblack", planarconfig="contig")
    with pytest.raises(DecodeError, match="6 channels"):
        decode(data, "six.tif")
    data = tiff(
        np.dstack([pixels, pixels[..., 0]]), photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(DecodeError, match="4 channels"):
        decode(data, "four.tif")


@pytest.mark.parametrize(
    ("name", "pack"),
    {
        "a.png": lambda p: saved(p, "PNG"),
        "a.webp": lambda p: saved(p, "WEBP", lossless=True, exact=True),
        "a.tif": lambda p: tiff(p, photometric="rgb", extrasamples=["unassalpha"]),
        "a-lzw.tif": lambda p: saved(p, "TIFF", compression="tiff_lzw"),
    }.items(),
)
def test_alpha_is_dropped_and_said(pixels, name, pack):
    alpha = RNG.integers(0, 256, pixels.shape[:2], np.uint8)
    alpha[:2] = 0
    each = decode(pack(np.dstack([pixels, alpha])), name)
    # What nobody sees is air.
    np.testing.assert_array_equal(each.pixels, np.where(alpha[..., None] == 0, 0, pixels))
    assert has_note(each.notes, "alpha", "transparent became black")


def test_a_transparent_color_is_said(pixels):
    each = decode(saved(pixels, "PNG", transparency=(0, 1, 2)), "key.png")
    expected = np.where((pixels == (0, 1, 2)).all(axis=2)[..., None], 0, pixels)
    np.testing.assert_array_equal(each.pixels, expected)
    assert has_note(each.notes, "alpha")


def test_a_palette_is_looked_up(pixels):
    image = Image.fromarray(pixels[..., 0] % 3, "P")
    image.putpalette([0, 0, 0, 10, 20, 30, 250, 240, 230])
    expected = np.array([[0, 0, 0], [10, 20, 30], [250, 240, 230]])[pixels[..., 0] % 3]
    for kind in ("PNG", "BMP", "TIFF"):
        each = decode(saved(image, kind), f"p.{kind.lower()}")
        np.testing.assert_array_equal(each.pixels, expected)
        assert has_note(each.notes, "palette")


def test_cmyk_is_converted_and_said(pixels):
    inks = np.zeros((6, 8, 4), np.uint8)
    inks[..., :3] = pixels
    for kind in ("TIFF", "JPEG"):
        flat = inks if kind == "TIFF" else np.full_like(inks, [100, 50, 200, 0])
        each = decode(saved(Image.fromarray(flat, "CMYK"), kind, quality=100), f"c.{kind.lower()}")
        assert np.abs(each.pixels.astype(int) - (255 - flat[..., :3].astype(int))).max() <= 2
        assert has_note(each.notes, "CMYK")


SIXTEEN = {
    "rgb.tif": lambda v: tiff(v, photometric="rgb"),
    "rgb-big-endian.tif": lambda v: tiff(v, photometric="rgb", byteorder=">"),
    "rgb-deflate.tif": lambda v: tiff(v, photometric="rgb", compression="zlib", predictor=2),
    "rgb.png": deep_png,
    "gray.tif": lambda v: tiff(v[..., 0], photometric="minisblack"),
    "gray.png": lambda v: saved(v[..., 0], "PNG"),
    "gray-lzw.tif": lambda v: saved(v[..., 0], "TIFF", compression="tiff_lzw"),
    "white.tif": lambda v: tiff(65535 - v[..., 0], photometric="miniswhite"),
}


@pytest.mark.parametrize("name", SIXTEEN)
def test_16_bit_is_rescaled_by_its_range(pixels, name):
    # 100 to 1243 in steps of 8; one lower byte lost would show.
    values = pixels.astype(np.uint16) * 8 + 100
    values[0, 0] = 100
    values[-1, -1] = 1243
    each = decode(SIXTEEN[name](values), name)
    expected = np.rint((values.astype(float) - 100) * 255 / 1143).astype(np.uint8)
    if not name.startswith("rgb"):
        expected = np.repeat(expected[..., :1], 3, axis=2)
    np.testing.assert_array_equal(each.pixels, expected)
    assert has_note(each.notes, "16-bit", "100 to 1243", "rescaled")


def test_8_and_16_bits_of_one_slice_are_one_slice():
    # The darker of two copies is no other slice, either: the networks tell head from air by a value.
    gray = np.random.default_rng(3).integers(0, 155, (20, 30)).astype(np.uint8)
    gray[0, :2] = 0, 154
    expected = np.repeat(stretched(gray)[..., None], 3, axis=2)
    for factor, dtype in ((1, np.uint8), (1, np.uint16), (8, np.uint16), (257, np.uint16)):
        values = gray.astype(dtype) * dtype(factor)
        each = decode(tiff(values, photometric="minisblack"), "flair.tif")
        np.testing.assert_array_equal(each.pixels, expected)
        assert has_note(each.notes, f"0 to {154 * factor}", "rescaled to 0 to 255")
    # A few levels are labels or noise; three channels are a slice as the data set has it.
    for kept in (gray // 8, np.dstack([gray, gray, 154 - gray])):
        each = decode(saved(kept, "PNG"), "x.png")
        np.testing.assert_array_equal(each.pixels[..., 0], np.atleast_3d(kept)[..., 0])


def test_16_bit_with_alpha(pixels):
    values = pixels.astype(np.uint16) * 257
    each = decode(deep_png(np.dstack([values, values[..., 0]])), "a.png")
    expected = np.rint(pixels * (255 / 143)).astype(np.uint8)
    expected[0, 0] = 0  # the one pixel whose alpha is 0
    np.testing.assert_array_equal(each.pixels, expected)
    assert has_note(each.notes, "alpha")


def test_16_bit_colors_that_would_lose_their_lower_bits_are_refused(pixels):
    values = tiff(pixels.astype(np.uint16) * 257, photometric="rgb")
    # Tag 259 says how it is packed: 32773 is PackBits.
    packed = values.replace(
        struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 32773)
    )
    assert packed != values
    with pytest.raises(DecodeError, match="deep.tif holds 3 x 16-bit RGB values \\(PACKBITS\\)"):
        decode(packed, "deep.tif")


@pytest.mark.parametrize("rows", [3, 1000])
def test_16_bit_colors_with_lzw_keep_all_bits(rows):
    values = np.random.default_rng(5).integers(0, 65536, (20, 30, 3), np.uint16)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_ROWSPERSTRIP, rows]
    data = cv2.imencode(".tif", values[..., ::-1], options)[1].tobytes()
    assert tifffile.TiffFile(io.BytesIO(data)).pages[0].compression == 5
    np.testing.assert_array_equal(read_tiff(data, "deep.tif").values, values)
    damaged = data[:100] + bytes(byte ^ 90 for byte in data[100:300]) + data[300:]
    for bad in (data[: len(data) // 2], damaged):
        with pytest.raises(DecodeError):
            decode(bad, "deep.tif")


def test_wide_types_that_hold_8_bits_are_kept(pixels):
    for dtype in (np.uint16, np.int32, np.float32):
        each = decode(tiff(pixels.astype(dtype), photometric="rgb"), "wide.tif")
        np.testing.assert_array_equal(each.pixels, pixels)
        assert has_note(each.notes, "kept as they are")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_signed_integers_are_rescaled(dtype):
    values = np.array([[-100, -50, 0], [25, 50, 100]], dtype)
    each = decode(tiff(values, photometric="minisblack"), "ct.tif")
    np.testing.assert_array_equal(each.pixels[..., 1], [[0, 64, 128], [159, 191, 255]])
    assert has_note(each.notes, "signed", "-100 to 100")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_with_nan(dtype):
    values = np.array([[0, 0.25, 0.5], [1, np.nan, np.inf]], dtype)
    each = decode(tiff(values, photometric="minisblack"), "f.tif")
    np.testing.assert_array_equal(each.pixels[..., 1], [[0, 64, 128], [255, 0, 0]])
    assert has_note(each.notes, "floating-point", "0 to 1")
    assert has_note(each.notes, "2 values of f.tif are NaN or infinite; they became 0")
    values[1, 2] = 1
    one = decode(tiff(values, photometric="minisblack"), "f.tif")
    assert has_note(one.notes, "1 value of f.tif is NaN or infinite; it became 0")
    with pytest.raises(DecodeError, match="no number"):
        decode(tiff(np.full((3, 3), np.nan, dtype)), "nan.tif")


def test_float_with_the_lzw_of_pillow():
    values = np.array([[-1, 0], [0.5, 1]], np.float32)
    each = decode(saved(values, "TIFF", compression="tiff_lzw"), "f.tif")
    np.testing.assert_array_equal(each.pixels[..., 0], [[0, 128], [191, 255]])


def test_complex_numbers_are_refused():
    with pytest.raises(DecodeError):
        decode(tiff(np.ones((4, 4), np.complex64)), "kspace.tif")


def test_one_bit():
    bits = np.array([[0, 1, 1], [1, 0, 0]], bool)
    files = {
        "b.png": saved(bits, "PNG"),
        "b.tif": tiff(bits),
        "black.tif": tiff(bits, photometric="minisblack"),
        "fax.tif": saved(bits, "TIFF", compression="group4", tiffinfo={262: 0}),
        "b4.tif": saved(bits, "TIFF", compression="group4"),
        "b.bmp": saved(bits, "BMP"),
    }
    for name, data in files.items():
        each = decode(data, name)
        np.testing.assert_array_equal(each.pixels[..., 0], bits * 255)
        assert has_note(each.notes, "looks like a mask")


def test_a_mask_uploaded_as_an_image_is_said():
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 3:6] = 255
    each = decode(saved(mask, "PNG"), "x_mask.png")
    np.testing.assert_array_equal(each.pixels[..., 1], mask)
    assert has_note(each.notes, "looks like a mask")
    mask[0, 0] = 30
    assert not has_note(decode(saved(mask, "PNG"), "x.png").notes, "mask")


def test_of_several_pages_the_first_is_read(pixels):
    pages = np.stack([pixels, 255 - pixels, pixels])
    for name, data in {
        "pages.tif": tiff(pages, photometric="rgb"),
        "pages-lzw.tif": saved(
            Image.fromarray(pixels),
            "TIFF",
            compression="tiff_lzw",
            save_all=True,
            append_images=[Image.fromarray(page) for page in pages[1:]],
        ),
        "moving.webp": saved(
            Image.fromarray(pixels),
            "WEBP",
            lossless=True,
            save_all=True,
            append_images=[Image.fromarray(255 - pixels), Image.fromarray(pixels)],
        ),
        "moving.png": saved(
            Image.fromarray(pixels),
            "PNG",
            save_all=True,
            append_images=[Image.fromarray(255 - pixels), Image.fromarray(pixels)],
        ),
    }.items():
        each = decode(data, name)
        np.testing.assert_array_equal(each.pixels, pixels, err_msg=name)
        assert has_note(each.notes, "3 pages", "first"), name


# What each orientation tag asks for, by EXIF 2.3: how rows and columns of the file come to lie.
UPRIGHT = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_an_orientation_tag_is_followed(pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = np.kron(pixels[:2, :3, 0] * 5, np.ones((8, 8), np.uint8))
    for name, data, file in (
        ("e.png", saved(pixels, "PNG", exif=exif), pixels),
        ("e.webp", saved(pixels, "WEBP", lossless=True, exif=exif.tobytes()), pixels),
        ("e.tif", tiff(pixels, photometric="rgb", extratags=[(274, 3, 1, orientation)]), pixels),
        (
            "lzw.tif",
            saved(pixels, "TIFF", compression="tiff_lzw", tiffinfo={274: orientation}),
            pixels,
        ),
        ("e.jpg", saved(blocks, "JPEG", exif=exif, quality=100), stretched(blocks)),
    ):
        each = decode(data, name)
        expected = UPRIGHT[orientation](np.atleast_3d(file))
        assert each.pixels.shape[:2] == expected.shape[:2], name
        assert np.abs(each.pixels.astype(int) - expected).max() <= 3 * (name == "e.jpg"), name
        assert has_note(each.notes, "orientation tag"), name


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (37, 512), (600, 5)])
def test_any_size_is_read(shape):
    gray = RNG.integers(0, 256, shape, np.uint8)
    for name, data in (
        ("x.tif", tiff(gray, photometric="minisblack")),
        ("x.png", saved(gray, "PNG")),
    ):
        np.testing.assert_array_equal(decode(data, name).pixels[..., 2], gray)
