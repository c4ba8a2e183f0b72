"""Masks as files, and what names of files say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from btmodels.errors import DecodeError
from btmodels.filenames import parse_slice_name, plain_name, plain_path
from btmodels.io.image import decode_mask, is_mask_name, pair_masks, stem_of
from tests.btmodels.files import saved, tiff

MASK = np.zeros((32, 40), bool)
MASK[8:20, 10:30] = True


def palette(color) -> Image.Image:
    image = Image.fromarray(MASK.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, *color])
    return image


FILES = {
    "m.tif": tiff(MASK * np.uint8(255), photometric="minisblack"),
    "m.png": saved(MASK * np.uint8(255), "PNG"),
    "ones.png": saved(MASK.astype(np.uint8), "PNG"),
    "bits.png": saved(MASK, "PNG"),
    "bool.tif": tiff(MASK),
    "deep.tif": tiff(MASK.astype(np.uint16) * 65535),
    "float.tif": tiff(MASK.astype(np.float32)),
    "rgb.png": saved(np.repeat(MASK[..., None] * np.uint8(255), 3, axis=2), "PNG"),
    "alpha.png": saved(np.dstack([MASK * np.uint8(255)] * 4), "PNG"),
    "colored.png": saved(palette((128, 0, 0)), "PNG"),
    "m.jpg": saved(MASK * np.uint8(255), "JPEG", quality=60),
    "m.bmp": saved(MASK * np.uint8(255), "BMP"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_mask_is_the_same_in_every_container(name):
    mask = decode_mask(FILES[name], name)
    assert mask.dtype == bool
    wrong = np.count_nonzero(mask != MASK)
    assert wrong == 0 if not name.endswith("jpg") else wrong <= 4


def test_an_empty_and_a_full_mask():
    assert not decode_mask(saved(np.zeros((4, 5), np.uint8), "PNG"), "e.png").any()
    assert decode_mask(saved(np.full((4, 5), 255, np.uint8), "PNG"), "f.png").all()


def test_what_is_no_mask_is_refused():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    labels = np.array([[0, 1], [2, 0]], np.uint8)
    two_colors = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 0], [0, 0, 0]]], np.uint8)
    for data in (saved(ramp, "PNG"), saved(labels, "PNG"), saved(two_colors, "PNG")):
        with pytest.raises(DecodeError, match="x.png is not a mask: .*two values"):
            decode_mask(data, "x.png")
    with pytest.raises(DecodeError, match="shades"):
        decode_mask(saved(ramp, "JPEG"), "x.jpg")


@pytest.mark.parametrize(
    ("name", "stem", "is_mask", "parsed"),
    [
        ("x.tif", "x", False, (None, None)),
        ("x_mask.tif", "x_mask", True, (None, None)),
        ("X_MASK.PNG", "X_MASK", True, (None, None)),
        ("mask.tif", "mask", False, (None, None)),
        ("a/b\\c.d.png", "c.d", False, (None, None)),
        ("TCGA_HT_A61B_19991127_7.tif", "TCGA_HT_A61B_19991127_7", False, ("TCGA_HT_A61B_19991127", 7)),
        ("SYNT_AA_0001_20260101_60.png", "SYNT_AA_0001_20260101_60", False, ("SYNT_AA_0001_20260101", 60)),
        ("TCGA_HT_A61B_19991127_7_mask.tif", "TCGA_HT_A61B_19991127_7_mask", True, (None, None)),
    ],
)  # fmt: skip
def test_names(name, stem, is_mask, parsed):
    assert (stem_of(name), is_mask_name(name), parse_slice_name(name)) == (stem, is_mask, parsed)


def test_a_name_is_shown_without_folders_and_control_characters():
    assert plain_name("../../etc/x\n\x1b[31m.tif") == "x\ufffd\ufffd[31m.tif"
    # A right-to-left override would show gpj.exe.tif as tif.exe.jpg.
    assert plain_name("\u202egpj.exe.tif") == "\ufffdgpj.exe.tif"
    assert plain_name("\u2067x\u2069.tif") == "\ufffdx\ufffd.tif"
    assert plain_name("x\ud800.tif") == "x\ufffd.tif"
    assert plain_name("Screenshot at 3.15\u202fPM.png") == "Screenshot at 3.15 PM.png"
    # Persian and emoji names hold characters that join others: no trick, and nothing to show.
    assert plain_name("\u0645\u06cc\u200c\u062e.tif") == "\u0645\u06cc\u062e.tif"
    assert plain_name("") == "The file"
    assert len(plain_name("a" * 5000)) <= 120


def test_a_path_is_shown_part_by_part():
    assert plain_path("/a\x1b/../\u202eb\\c.tif") == "a\ufffd/\ufffdb/c.tif"
    assert plain_path("x.tif") == "x.tif" and plain_path("") == plain_path("..") == "The file"


def test_pairs():
    names = ["b_mask.png", "a.tif", "b.tif", "b_mask.tif", "c.png", "A_Mask.PNG", "c_mask_mask.tif"]
    assert pair_masks(names) == {"a.tif": "A_Mask.PNG", "b.tif": "b_mask.tif", "c.png": None}
    assert pair_masks(["one/x.tif", "two/x_mask.tif"]) == {"one/x.tif": None}


def test_a_folder_of_masks_lies_beside_or_below():
    names = ["p/images/1.png", "p/masks/1.png", "p/masks/9.png", "q/2.tif", "q/labels/2_mask.png"]
    assert pair_masks(names) == {
        "p/images/1.png": "p/masks/1.png",
        "q/2.tif": "q/labels/2_mask.png",
        "p/masks/9.png": None,
    }
