"""Pictures and files of a mask."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from btmodels.export.files import mask_name, mask_tiff, safe_stem
from btmodels.io.image import decode_mask
from btmodels.slices import Analysis, Prediction, Slice, Verdict
from btmodels.transforms.postprocess import outline
from btmodels.visualize.overlay import (
    PREDICTION_COLOR,
    TRUTH_COLOR,
    blend,
    dashed_outline,
    enlarged,
    overlay,
    overlay_png,
    slice_picture,
    tint,
)
from btmodels.visualize.window import shown_flair

MASK = np.zeros((12, 16), bool)
MASK[2:9, 3:12] = True


def test_blend_mixes_marked_pixels_and_leaves_its_input():
    pixels = np.full((1, 3, 3), 100, np.uint8)
    before = pixels.copy()
    mixed = blend(pixels, np.array([[True, False, True]]), color=(200, 0, 100), opacity=0.25)
    assert mixed.tolist() == [[[125, 75, 100], [100, 100, 100], [125, 75, 100]]]
    np.testing.assert_array_equal(pixels, before)


def test_blend_at_its_ends_and_of_gray():
    gray = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    none = blend(gray, MASK, opacity=0)
    np.testing.assert_array_equal(none, np.repeat(gray[..., None], 3, axis=2))
    assert (blend(gray, MASK, opacity=1)[MASK] == PREDICTION_COLOR).all()


def test_blend_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="mask.shape"):
        blend(np.zeros((4, 4, 3), np.uint8), MASK)
    with pytest.raises(ValueError, match="opacity=1.5"):
        blend(np.zeros((12, 16, 3), np.uint8), MASK, opacity=1.5)


def test_the_dashed_outline_has_gaps_and_stays_on_the_outline():
    full, dashed = outline(MASK), dashed_outline(MASK)
    assert not (dashed & ~full).any()
    assert 0.4 * full.sum() < dashed.sum() < 0.75 * full.sum()
    assert dashed_outline(np.eye(1, dtype=bool)).all()


def an_analysis(truth=None) -> Analysis:
    pixels = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    return Analysis(
        slice=Slice("x.tif", pixels, truth=truth),
        prediction=Prediction(0.9, MASK * np.uint8(255)),
        model="resunet",
        verdict=Verdict("resnet50", 0.9, 0.5),
        second_opinion=None,
        weights_sha256="",
        threshold=0.5,
        mask=MASK,
        head=MASK,
        marked_pixels=63,
        slice_share=63 / 192,
        head_share=1.0,
        dice=None,
    )


def test_overlay_is_windowed_flair_with_tint_and_outline():
    analysis = an_analysis()
    picture = overlay(analysis)
    assert picture.shape == (12, 16, 3) and picture.dtype == np.uint8
    shown = shown_flair(analysis.slice.pixels)
    np.testing.assert_array_equal(picture[~MASK], np.repeat(shown[~MASK][:, None], 3, axis=1))
    line = outline(MASK)
    assert (picture[line] == PREDICTION_COLOR).all()
    fill = MASK & ~line
    np.testing.assert_array_equal(picture[fill], tint(shown, MASK)[fill])


def test_overlay_draws_the_truth_dashed():
    truth = np.roll(MASK, 3, axis=1)
    drawn = (overlay(an_analysis(truth)) == TRUTH_COLOR).all(axis=2)
    np.testing.assert_array_equal(drawn, dashed_outline(truth))
    empty = replace(an_analysis(np.zeros_like(MASK)), mask=np.zeros_like(MASK))
    np.testing.assert_array_equal(overlay(empty)[..., 0], shown_flair(empty.slice.pixels))


def test_a_slice_alone_is_drawn_with_its_truth_and_nothing_else():
    truth = np.roll(MASK, 3, axis=1)
    each = an_analysis(truth).slice
    picture, line = slice_picture(each), dashed_outline(truth)
    assert (picture[line] == TRUTH_COLOR).all()
    assert (picture[~line] == shown_flair(each.pixels)[~line][:, None]).all()


def test_overlay_png_is_large_enough_for_a_slide_and_its_line_grows_with_it():
    truth = np.roll(MASK, 3, axis=1)
    picture = np.asarray(Image.open(io.BytesIO(overlay_png(an_analysis(truth)))))
    assert picture.shape == (768, 1024, 3)  # 64 times 12 x 16
    line = (picture == PREDICTION_COLOR).all(axis=2)
    edge = enlarged(outline(MASK), 64)
    assert (
        line.any()
        and not line[~cv2.dilate(edge.astype(np.uint8), np.ones((9, 9))).astype(bool)].any()
    )
    middle = line[picture.shape[0] // 2]
    runs = np.flatnonzero(np.diff(np.r_[0, middle.astype(int), 0]))
    assert max(runs[1::2] - runs[::2]) >= 3, "three pixels or more"
    assert (picture == TRUTH_COLOR).all(axis=2).any()


def test_a_tint_keeps_the_order_of_brightness_and_the_hue_of_its_color():
    gray = np.arange(256, dtype=np.uint8)[None]
    red, green, blue = tint(gray, np.ones_like(gray, bool))[0].astype(int).T
    for channel in (red, green, blue):
        assert (np.diff(channel) >= 0).all() and channel[-1] - channel[0] > 90, (
            "texture stays visible"
        )
    assert (red >= green).all() and (green > blue).all()
    assert (tint(gray, np.zeros_like(gray, bool))[0] == gray.T).all()


def test_the_viewer_draws_in_the_same_colors():
    css = Path("ui/viewer/viewer.css")
    if not css.exists():
        pytest.skip("there is no viewer")
    text = css.read_text(encoding="utf-8").lower()
    for color in (PREDICTION_COLOR, TRUTH_COLOR):
        assert f"#{bytes(color).hex()}" in text


@pytest.mark.parametrize("shape", [(12, 16), (1, 5), (5, 1), (300, 257)])
def test_a_mask_file_holds_0_and_255_in_its_own_size(shape):
    mask = np.random.default_rng(3).random(shape) > 0.5
    data = mask_tiff(mask)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert (len(file.pages), page.dtype, page.shape) == (1, np.uint8, shape)
        assert page.photometric == tifffile.PHOTOMETRIC.MINISBLACK
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), mask * np.uint8(255))
    np.testing.assert_array_equal(decode_mask(data, "x_mask.tif"), mask)
    assert mask_tiff(mask) == data


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TCGA_CS_4941_19960909_12.tif", "TCGA_CS_4941_19960909_12_mask.tif"),
        ("a/b/scan 1.png", "scan_1_mask.tif"),
        ("..\\..\\x.tif", "x_mask.tif"),
        ("<b>\"x'|.tif", "b_x_mask.tif"),
        ("größe.png", "größe_mask.tif"),
        ("...", "slice_mask.tif"),
        ("", "The_file_mask.tif"),
    ],
)
def test_mask_names(name, expected):
    assert mask_name(name) == expected


def test_names_that_windows_reserves():
    assert safe_stem("con.tif") == "_con" and safe_stem("console.tif") == "console"
    assert safe_stem("COM¹.tif") == "_COM¹" and safe_stem("aux.1.tif") == "_aux.1"
