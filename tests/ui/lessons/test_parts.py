"""The lesson on encoder and decoder sends the library's results to the browser."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np

from btmodels import weights
from btmodels.slices import FLAIR, Slice
from btmodels.teaching.receptive_field import Architecture, mirrored
from btmodels.visualize.window import apply_window
from tests.ui.node import UI, run
from ui.lessons.encoder_decoder import anatomy, architecture_builder, residual, skips
from ui.lessons.encoder_decoder.operations import pooling
from ui.lessons.shared import panels, parts


def read(message: bytes) -> dict:
    length = int.from_bytes(message[:4], "little")
    return json.loads(message[4 : 4 + length])


def test_the_u_on_paper_is_the_one_that_is_shipped():
    model = weights.build(anatomy.MODEL)
    assert anatomy.PAPER.parameters == model.count_params()
    for stage in anatomy.blocks():
        shape = tuple(model.get_layer(anatomy.layer_of(stage)).output.shape[1:])
        assert shape == (stage.size, stage.size, stage.channels)


def test_the_bench_sends_every_network_as_the_library_counts_it():
    designs = json.loads(zlib.decompress(architecture_builder.designs()))
    assert len(designs) == 2 * 6 * 4 * 3 * 3
    usual = Architecture("u", (16, 32, 64, 128, 256))
    assert [stage[-2] for stage in designs["u-5-16-3-2"]] == [s.multiply_adds for s in usual.stages]
    chain = Architecture("chain", mirrored(8, 3), convs=1, kernel=5, size=architecture_builder.SIZE)
    assert sum(stage[4] for stage in designs["chain-3-8-5-1"]) == chain.parameters


def test_the_grid_ends_where_the_library_ends():
    sent = json.loads(zlib.decompress(pooling.walks()))
    flat = sent["steps"]["stamp32"]["flat"]
    assert len(flat) == 16 and flat[0]["output"][-1][-1] is None
    assert flat[-1]["output"][2] == [2, 2, 4, 2, 4, 2, 4, 2, 2], "the checkerboard"
    assert sent["steps"]["pool"]["numbers"][-1]["output"] == [[6, 2], [5, 8]]


def test_each_mask_is_sent_with_its_score():
    truth = np.zeros((4, 4), bool)
    truth[:2] = True
    half = truth & (np.arange(4) < 2)
    each = Slice("a.tif", np.zeros((4, 4, 3), np.uint8), truth)
    shown = [panels.Panel("both", "", [truth, half]), panels.Panel("none", "", [~truth & truth])]
    meta = read(panels.pack_panels(each, shown, switches=["one"]))
    assert meta["planes"] == 4 and meta["switches"] == ["one"]
    scores = [[answer["dice"] for answer in panel["answers"]] for panel in meta["panels"]]
    assert scores == [[1.0, 2 / 3], [0.0]]
    borders = [[answer["border"] for answer in panel["answers"]] for panel in meta["panels"]]
    # Two columns of the outline are missing; an empty mask has none.
    assert borders == [[0.0, 2.0], [None]]
    assert [panel["answers"][0]["plane"] for panel in meta["panels"]] == [1, 3]
    assert panels.settings(2) == [(True, True), (True, False), (False, True), (False, False)]


def pair(dice: float, border: float) -> dict:
    """A network's score of ten made-up patients."""
    names = [str(number) for number in range(10)]
    return {
        "score": {
            "patients": {name: place / 20 + dice for place, name in enumerate(names)},
            "borders": {name: place + border for place, name in enumerate(names)},
            "mean_dice": dice,
            "hausdorff95": border,
        }
    }


def test_networks_are_compared_patient_by_patient_over_all_pairs():
    # Every patient is 0.1 better, however far patients are apart, and the border 2 px nearer.
    pairs = [{"joined": pair(0.1, 3.0), "absent": pair(0.0, 5.0)}] * 2
    dice, border = skips.comparison(pairs).split("\n\n")
    assert "+0.10 (+0.10 to +0.10). The networks with skips are ahead." in dice
    assert "-2.0 px (-2.0 to -2.0). The networks with skips are ahead." in border
    alike = [{"joined": pair(0.1, 3.0), "absent": pair(0.1, 3.0)}]
    assert skips.comparison(alike).count("stays open") == 2
    alike[0]["joined"]["score"]["patients"]["3"] = None
    assert "3" not in skips.over_pairs(alike, "joined", "patients")
    assert [row["Border, without skips"] for row in skips.rows(pairs)] == [5.0, 5.0]


def test_a_large_slice_is_thinned_and_its_scores_are_not():
    truth = np.zeros((600, 1100), bool)
    truth[1] = True
    each = Slice("a.tif", np.zeros((600, 1100, 3), np.uint8), truth)
    meta = read(panels.pack_panels(each, [panels.Panel("all", "", [truth])]))
    assert (meta["rows"], meta["cols"]) == (200, 367)
    assert meta["panels"][0]["answers"] == [
        {"plane": 1, "dice": 1.0, "border": 0.0, "marked": 1100}
    ]


def test_gradients_are_drawn_with_and_without_a_way_past():
    layers = [{"name": "conv1", "norm": 1e-3}, {"name": "conv2", "norm": 1.0}]
    keys = ("plain_glorot", "plain_he", "normalized", "residual")
    entries = [{"key": key, "title": key, "when": "start", "layers": layers} for key in keys]
    lines = residual.gradients(entries).data
    assert [list(line.y) for line in lines] == [[1e-3, 1.0]] * 4
    colors = [line.line.color for line in lines]
    assert colors[0] == colors[1] == colors[2] != colors[3]
    # A stack has one style in both charts.
    curve = [{"slices": 1, "loss": 0.5}]
    arms = [{"key": key, "title": key, "curve": curve} for key in keys for _ in range(3)]
    dashes = [line.line.dash for line in residual.losses(arms).data[::3]]
    assert dashes == [line.line.dash for line in lines] and len(set(dashes)) == 4
    # U-Nets before and after training differ in dashes, with and without skips in color.
    pairs = [(f"unet_{key}", when) for key in ("joined", "absent") for when in ("start", "trained")]
    entries = [{"key": key, "title": key, "when": when, "layers": layers} for key, when in pairs]
    drawn = [(line.line.color, line.line.dash) for line in residual.gradients(entries).data]
    assert len(set(drawn)) == 4 and len({color for color, _ in drawn}) == 2


def test_the_builder_opens_on_a_network_that_does_not_see_the_whole_slice():
    usual = architecture_builder.USUAL
    widths = tuple(usual["filters"] * 2**level for level in range(usual["levels"]))
    paper = Architecture(
        usual["kind"], widths, usual["convs"], usual["kernel"], architecture_builder.SIZE
    )
    assert paper.stages[-1].sees < architecture_builder.SIZE / 2


def test_pictures_of_lessons_are_shown_in_the_automatic_window():
    rows, cols = np.mgrid[:64, :64]
    head = (rows - 32) ** 2 + (cols - 32) ** 2 < 900
    pixels = np.where(head[..., None], 20 + (rows + cols)[..., None] // 2, 0).astype(np.uint8)
    each = Slice("a.tif", np.repeat(pixels, 3, -1), None)
    window = parts.window_of(each)
    assert 0 < window[0] < window[1] < 100  # or nothing would be stretched
    assert read(panels.pack_panels(each, []))["window"] == list(window)
    flair = each.pixels[..., FLAIR]
    shown = run(
        ("viewer/masks.js",),
        "Array.from(windowTable(0, 100, given.window))",
        window=window,
    )
    assert (np.array(shown)[flair] == apply_window(flair, window)).all()
    # Each picture is given one: none falls back to the full range.
    scripts = [path.read_text() for path in (UI / "lessons").rglob("*.js")]
    calls = [
        call
        for text in scripts
        for call in re.findall(r"\.set\((?:rows|meta\.rows|size|this\.size)[^;]*;", text)
    ]
    assert len(calls) == 11 and all("window" in call for call in calls), calls
