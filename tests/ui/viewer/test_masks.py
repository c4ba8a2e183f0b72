"""The viewer's JavaScript agrees with the library: masks.js against measure, metrics, packing."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import playwright
import pytest

from btmodels.measurement.study import percent
from btmodels.metrics import overlap
from btmodels.transforms import postprocess
from tests.ui.node import run
from ui.session.view_state import CHANNELS, LAYERS, USUAL, View, read_link
from ui.viewer.packing import pack_maps, pack_pixels

UI = Path(__file__).resolve().parents[3] / "ui"
RUN = """
import * as masks from "./masks.mjs";
import { readFileSync } from "node:fs";
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const text = (array) => Buffer.from(array).toString("base64");
const answers = [];
for (const { probability_map, truth, rows, cols, threshold, minPixels } of JSON.parse(readFileSync(0))) {
  const mask = masks.binarize(bytes(probability_map), rows, cols, threshold, minPixels);
  const counts = masks.count(mask, bytes(truth));
  answers.push({
    mask: text(mask), counts, dice: masks.dice(counts), pixels: masks.pixels(mask),
    within: masks.pixels(mask, bytes(truth)), outline: masks.outline(mask, rows, cols),
  });
}
console.log(JSON.stringify(answers));
"""
UNPACK = """
import * as masks from "./masks.mjs";
import { readFileSync } from "node:fs";
const { packed, planes, rows, cols } = JSON.parse(readFileSync(0));
const found = await masks.unpack(Buffer.from(packed, "base64"), planes, rows, cols);
console.log(JSON.stringify(found.map((plane) => Buffer.from(plane).toString("base64"))));
"""

LINKS = """
import * as masks from "./masks.mjs";
import { readFileSync } from "node:fs";
const { link, views } = JSON.parse(readFileSync(0));
console.log(JSON.stringify(views.map((view) => ({
  query: masks.linkQuery(link, view, 7), sides: masks.sides(view, link.channels),
}))));
"""
COLORS = """
import * as masks from "./masks.mjs";
console.log(JSON.stringify([0, 1, 51, 128, 255].map(masks.mapColor)));
"""


def text_of(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array, np.uint8).tobytes()).decode()


@pytest.fixture
def javascript(tmp_path):
    """Run a module beside masks.js in Node (Playwright carries one); JSON in, JSON out."""
    name = "node.exe" if shutil.which("cmd") else "node"
    node = shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / name)
    shutil.copy(UI / "viewer/masks.js", tmp_path / "masks.mjs")

    def run(module: str, data):
        (tmp_path / "run.mjs").write_text(module, encoding="utf-8")
        done = subprocess.run(
            [node, "run.mjs"],
            cwd=tmp_path,
            input=json.dumps(data),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def cases() -> list[tuple[np.ndarray, np.ndarray, float, int]]:
    generator = np.random.default_rng(3)
    found = []
    for rows, cols in ((1, 1), (1, 9), (7, 1), (13, 17), (32, 24)):
        for threshold in (0.0, 1 / 255, 0.1, 0.37, 0.5, 128 / 255, 0.999, 1.0):
            for smallest in (0, 1, 2, 5, 20):
                probability_map = generator.integers(0, 256, (rows, cols), np.uint8)
                probability_map[generator.random((rows, cols)) < 0.5] = 0
                truth = generator.random((rows, cols)) < 0.3
                found.append((probability_map, truth, threshold, smallest))
    blank = np.zeros((4, 5), np.uint8)
    found.append((blank, blank.astype(bool), 0.5, 0))
    found.append((blank + 255, blank.astype(bool), 1.0, 21))
    return found


def outlined_pixels(path: str) -> float:
    """Area within an SVG path of closed loops, holes counted as negative."""
    area = 0.0
    for loop in path.split("Z")[:-1]:
        points = [tuple(map(int, p.split())) for p in loop.replace("M", "").split("L")]
        for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
            assert x1 == x2 or y1 == y2, "an outline runs along the edges of pixels"
            area += (x1 * y2 - x2 * y1) / 2
    return area


def test_masks_counts_and_dice_are_those_of_the_library(javascript):
    asked = [
        {
            "probability_map": text_of(probability_map),
            "truth": text_of(truth),
            "rows": probability_map.shape[0],
            "cols": probability_map.shape[1],
            "threshold": threshold,
            "minPixels": smallest,
        }
        for probability_map, truth, threshold, smallest in cases()
    ]
    answers = javascript(RUN, asked)
    for (probability_map, truth, threshold, smallest), answer in zip(cases(), answers, strict=True):
        mask = postprocess.binarize(probability_map, threshold, smallest)
        assert answer["mask"] == text_of(mask), (probability_map.shape, threshold, smallest)
        counts = overlap.count(mask, truth)
        assert overlap.Counts(**answer["counts"]) == counts
        assert answer["dice"] == overlap.dice(counts)
        assert answer["pixels"] == mask.sum()
        assert answer["within"] == (mask & truth).sum()
        assert outlined_pixels(answer["outline"]) == mask.sum()


def test_planes_arrive_as_they_were_sent(javascript):
    generator = np.random.default_rng(5)
    pixels = generator.integers(0, 256, (11, 6, 3), np.uint8)
    request = {"packed": base64.b64encode(pack_pixels(pixels)).decode()}
    found = javascript(UNPACK, request | {"planes": 3, "rows": 11, "cols": 6})
    assert found == [text_of(pixels[..., channel]) for channel in range(3)]


def test_maps_that_are_missing_are_zeros(javascript):
    probability_map = np.arange(12, dtype=np.uint8).reshape(3, 4)
    request = {
        "packed": base64.b64encode(pack_maps(probability_map, None, probability_map > 5)).decode()
    }
    found = javascript(UNPACK, request | {"planes": 3, "rows": 3, "cols": 4})
    assert found == [
        text_of(probability_map),
        text_of(probability_map * 0),
        text_of(probability_map > 5),
    ]
    request["packed"] = base64.b64encode(
        pack_maps(probability_map, None, None, heat=probability_map + 1)
    ).decode()
    found = javascript(UNPACK, request | {"planes": 4, "rows": 3, "cols": 4})
    assert found[3] == text_of(probability_map + 1)
    assert pack_maps(None, None, None) is None


def test_large_slices_are_thinned_evenly(javascript):
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    request = {"packed": base64.b64encode(pack_pixels(pixels, step=2)).decode()}
    found = javascript(UNPACK, request | {"planes": 3, "rows": 3, "cols": 4})
    assert found == [text_of(pixels[::2, ::2, channel]) for channel in range(3)]


def test_a_copied_link_is_read_as_the_view_it_was_copied_from(javascript):
    patient = "SYNT_AA_0001_20260101"
    views = [
        View(3, 0.37),
        View(3, 1.0, 0, prediction=False, truth=False),
        View(3, 0.5, "composite", probability=True, head=True, style="outline", wipe="plain"),
        View(3, 0.5, gradcam=True),
    ]
    query = {"patient": patient, "model": "resunet"}
    link = {"query": query, "channels": CHANNELS, "layers": LAYERS, "usual": USUAL}
    for view, answer in zip(
        views,
        javascript(LINKS, {"link": link, "views": [asdict(view) for view in views]}),
        strict=True,
    ):
        text = {key: str(value) for key, value in answer["query"].items()}
        found, problems = read_link(text, [patient], ["resunet"])
        assert problems == [] and (found.patient, found.number) == (patient, 7)
        assert found.view(3, 0.9) == view


def test_the_divider_parts_what_it_says(javascript):
    names = ("prediction", "truth", "probability", "head")
    asked = [View(wipe=wipe, head=True) for wipe in ("", "plain", "truth", "pre")]
    link = {"query": {}, "channels": CHANNELS, "layers": LAYERS, "usual": USUAL}
    answers = javascript(LINKS, {"link": link, "views": [asdict(view) for view in asked]})
    shown = [
        [side and (side["channel"], *(name for name in names if side[name])) for side in a["sides"]]
        for a in answers
    ]
    every = (1, "prediction", "truth", "head")
    assert shown[0] == [every, None]
    assert shown[1] == [every, (1,)]
    assert shown[2] == [(1, "prediction", "head"), (1, "truth")]
    assert shown[3] == [every, (0, *every[1:])]


def test_colors_of_the_map_grow_brighter(javascript):
    colors = javascript(COLORS, None)
    # Relative luminance with the weights of ITU-R BT.709.
    luminance = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in colors]
    assert luminance == sorted(luminance) and luminance[-1] > 5 * luminance[0]
    assert [alpha for *_, alpha in colors] == [0, 10, 255, 255, 255]
    assert colors[0][:3] == [68, 1, 84] and colors[-1][:3] == [253, 231, 37]


def test_a_probability_reads_as_it_does_in_python():
    probabilities = [0, 0.0004, 0.0005, 0.123, 0.9994, 0.9996, 1]
    found = run(("viewer/masks.js",), "given.ps.map(percent)", ps=probabilities)
    assert found == [percent(each) for each in probabilities]
    assert found[0] == "< 0.1%" and found[-1] == "> 99.9%"
