"""The first lesson's computations in the browser, against SciPy and the library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.draw import polygon2mask

from btmodels.metrics import overlap
from tests.ui.node import UI, decoded, encoded, run
from ui.viewer.message import message

DRAW = (
    "viewer/masks.js",
    "viewer/message.js",
    "lessons/shared/picture.js",
    "lessons/segmentation/draw.js",
)
STEPS = (
    "viewer/masks.js",
    "viewer/message.js",
    "lessons/shared/picture.js",
    "lessons/segmentation/task_types.js",
)
ROWS, COLS = 24, 31


@pytest.fixture
def gray() -> np.ndarray:
    """Smooth noise, so that regions of a like brightness are of all sizes."""
    noise = np.random.default_rng(5).random((ROWS, COLS))
    smooth = ndimage.gaussian_filter(noise, 2)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


@pytest.fixture
def truth(gray) -> np.ndarray:
    return (gray > 150) & (np.arange(COLS) > 9)


def test_a_region_grows_as_scipy_labels_it(gray):
    seeds = [[0, 0], [23, 30], [11, 7], [5, 30], [23, 12]]
    asked = [[seed, tolerance] for seed in seeds for tolerance in (0, 5, 20, 60, 255)]
    grown = run(
        DRAW,
        "given.asked.map(([seed, by]) => text(grow(bytes(given.gray), given.rows, given.cols, seed, by)))",
        asked=asked,
        gray=encoded(gray),
        rows=ROWS,
        cols=COLS,
    )
    for ((row, col), tolerance), found in zip(asked, grown, strict=True):
        mean = gray[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2].mean()
        near = np.abs(gray.astype(float) - mean) <= tolerance
        near[row, col] = True
        labels, _ = ndimage.label(near)
        assert (decoded(found, gray.shape) == (labels == labels[row, col])).all()


def test_the_best_level_is_the_best_of_all(gray, truth):
    best, none, mask = run(
        DRAW,
        """[bestLevel(bytes(given.gray), bytes(given.truth)),
            bestLevel(bytes(given.gray), new Uint8Array(given.gray.length)),
            text(brighter(bytes(given.gray), 140))]""",
        gray=encoded(gray),
        truth=encoded(truth),
    )
    dice = [overlap.dice(overlap.count(gray >= level, truth)) for level in range(256)]
    assert best["dice"] == pytest.approx(max(dice)) == pytest.approx(dice[best["level"]])
    assert none is None
    assert (decoded(mask, gray.shape) == (gray >= 140)).all()


def test_a_brush_paints_discs_along_a_line_and_can_be_undone():
    masks, seconds = run(
        DRAW,
        """(() => {
            const sheet = new Sheet(given.rows, given.cols), seen = [];
            const see = () => seen.push(text(sheet.mask));
            sheet.begin(1000); sheet.draw([5, 5], [5, 5], 2, 1, 1000); see();
            sheet.begin(2000); sheet.draw([12, 3], [12, 20], 0, 1, 3500); see();
            sheet.begin(4000); sheet.draw([5, 5], [5, 5], 1, 0, 4000); see();
            sheet.undo(); see(); sheet.undo(); see(); sheet.undo(); sheet.undo(); see();
            sheet.redo(); see(); sheet.clear(5000); see(); sheet.redo(); see();
            return [seen, sheet.seconds];
        })()""",
        rows=ROWS,
        cols=COLS,
    )
    disc, line, erased, *rest = [decoded(mask, (ROWS, COLS)) for mask in masks]
    rows, cols = np.mgrid[:ROWS, :COLS]
    assert (disc == ((rows - 5) ** 2 + (cols - 5) ** 2 <= 4)).all() and disc.sum() == 13
    assert (line - disc).sum() == 18 and line[12, 3:21].all()
    assert (line - erased).sum() == 5  # a radius of 1 is the pixel and its four neighbors
    for found, expected in zip(rest, (line, disc, 0 * disc, disc, 0 * disc, 0 * disc), strict=True):
        assert (found == expected).all()
    assert seconds == 4.0


def test_what_label_box_and_mask_amount_to():
    truth = np.zeros((6, 8), bool)
    truth[2, 3] = truth[4, 5] = True
    label, box, mask, none = run(
        STEPS,
        """["label", "box", "pixels"].map((step) => text(maskOf(step, bytes(given.truth), 6, 8)))
            .concat([text(maskOf("label", new Uint8Array(48), 6, 8))])""",
        truth=encoded(truth),
    )
    assert decoded(label, truth.shape).all() and not decoded(none, truth.shape).any()
    expected = np.zeros((6, 8), bool)
    expected[2:5, 3:6] = True
    assert (decoded(box, truth.shape) == expected).all()
    assert (decoded(mask, truth.shape) == truth).all()


def test_a_message_arrives_whole():
    packed = message({"a": "é", "b": [1]}, {"x": b"123", "gone": None, "y": b"\x00\xff"})
    meta, x, y, gone = run(
        DRAW,
        """(() => {
            const buffer = new Uint8Array([9, ...bytes(given.packed)]).subarray(1);
            const { meta, part } = readMessage(buffer);
            return [meta, text(part("x")), text(part("y")), part("gone")];
        })()""",
        packed=encoded(np.frombuffer(packed, np.uint8)),
    )
    assert meta["a"] == "é" and meta["b"] == [1] and gone is None
    assert decoded(x, (3,)).tobytes() == b"123" and decoded(y, (2,)).tolist() == [0, 255]


def test_a_border_encloses_what_scikit_image_fills():
    corners = [[3, 4], [4, 20], [15, 25], [20, 9], [9, 12]]
    # A hand moves from pixel to pixel; a fast one leaves gaps, which are joined by lines.
    found = run(DRAW, "text(enclosed(given.corners, 24, 31))", corners=corners)
    mask = decoded(found, (ROWS, COLS)).astype(bool)
    inner = polygon2mask((ROWS, COLS), np.array(corners, float))
    assert (mask | ~inner).all(), "the inside is filled"
    assert not (mask & ~ndimage.binary_dilation(inner, iterations=2)).any(), "and nothing else"


def test_a_ring_drawn_as_a_border_is_filled_and_undone_as_one():
    filled, undone = run(
        DRAW,
        """(() => {
            const sheet = new Sheet(24, 31), ring = [];
            for (let i = 0; i < 40; i++) {
                const angle = i / 40 * 2 * Math.PI;
                ring.push([Math.round(12 + 8 * Math.sin(angle)), Math.round(15 + 8 * Math.cos(angle))]);
            }
            sheet.begin(0);
            sheet.fill(ring, 1);
            const filled = text(sheet.mask);
            sheet.undo();
            return [filled, text(sheet.mask)];
        })()""",
    )
    rows, cols = np.mgrid[:ROWS, :COLS]
    disc = (rows - 12) ** 2 + (cols - 15) ** 2 <= 64
    mask = decoded(filled, (ROWS, COLS)).astype(bool)
    # The border itself belongs to it.
    assert overlap.dice(overlap.count(mask, disc)) > 0.9 and mask[disc].all()
    assert not decoded(undone, (ROWS, COLS)).any()


def test_only_what_follows_the_finger_stops_a_page_from_scrolling():
    for style in (UI / "lessons").rglob("*.css"):
        if "touch-action: none" in style.read_text():
            assert "Pointing" in style.with_suffix(".js").read_text(), style.name
