"""Sentences of lessons about what a visitor sees on the bundled slices, each held to those slices."""

from __future__ import annotations

import json

import numpy as np

from btmodels import registry
from btmodels.inference import worker
from btmodels.metrics import overlap
from btmodels.paths import ASSETS
from btmodels.slices import FLAIR, Slice
from btmodels.teaching import training_slices
from btmodels.teaching.receptive_field import Architecture, mirrored
from btmodels.transforms.postprocess import binarize, head_mask
from tests.ui.lessons.bundled import lesion_slices, nearest_slices, training_patients, words
from tests.ui.node import encoded, run
from ui.lessons.encoder_decoder import architecture_builder
from ui.lessons.measuring import losses
from ui.lessons.training import training

PRE_CONTRAST = 0


def flair(each: Slice) -> np.ndarray:
    return each.pixels[..., FLAIR].astype(int)


def beyond(each: Slice, channel: int) -> float:
    """By how many levels the tumor is brighter than the rest of the head."""
    values, rest = each.pixels[..., channel].astype(int), head_mask(each.pixels) & ~each.truth
    return values[each.truth].mean() - values[rest].mean()


def test_the_tumor_is_brighter_and_on_one_side_only():
    assert "brighter than the brain around it, and on one side only" in words("segmentation")
    for each in lesion_slices():
        assert beyond(each, FLAIR) > 10
        head = np.nonzero(head_mask(each.pixels).any(0))[0]
        right = np.nonzero(each.truth)[1] > head.mean()
        assert right.mean() in (0, 1)


def test_pre_contrast_does_not_show_the_tumor_as_flair_does():
    assert "In most patients the tumor is no brighter there than the rest" in words("transfer")
    assert np.median([beyond(each, PRE_CONTRAST) for each in lesion_slices()]) < 0


def test_every_threshold_that_keeps_the_tumor_marks_the_scalp_too():
    told = words("segmentation")
    assert "every level that keeps the tumor keeps some of them too" in told
    assert "it marks part of the scalp, loses part of the tumor, or both" in told
    for each in lesion_slices():
        keeping = max(
            level for level in range(256) if (flair(each) >= level)[each.truth].mean() > 0.9
        )
        assert ((flair(each) >= keeping) & ~each.truth).sum() > each.truth.sum()
        scores = [
            overlap.dice(overlap.count(flair(each) >= level, each.truth)) for level in range(256)
        ]
        assert max(scores) < 0.6


def test_a_region_fills_the_tumor_then_leaks():
    assert "it fills the tumor, then leaks" in words("segmentation")
    given = []
    for each in lesion_slices():
        given.append([encoded(each.pixels[..., FLAIR]), encoded(each.truth)])
    grown = run(
        ("lessons/segmentation/draw.js",),
        """given.slices.map((packed) => [10, 15, 20, 25, 30, 40, 80].map((tolerance) => {
          const [gray, so] = packed.map(bytes);
          const mask = grow(gray, 256, 256, typical(gray, so, 256, 256), tolerance);
          const sum = (values) => values.reduce((a, b) => a + b, 0);
          return 2 * sum(mask.map((set, i) => set * so[i])) / (sum(mask) + sum(so));
        }))""",
        slices=given,
    )
    for dice in grown:
        assert max(dice) > 0.75 and dice[-1] < 0.3


def test_the_label_jumps_where_the_brightness_hardly_changes():
    assert "while the brightness hardly changes" in words("segmentation")
    for each in lesion_slices():
        border = each.truth[:, 1:] != each.truth[:, :-1]
        assert np.median(np.abs(np.diff(flair(each), axis=1))[border]) < 0.05 * 255


def test_a_threshold_trades_recall_for_precision_as_told():
    told = words("measuring")
    assert "recall falls, precision mostly rises" in told
    assert "Dice is highest in between, and changes little over a wide range." in told
    record = registry.load_record(registry.get("default").name)
    maps = worker.get_predictor(record.name, ASSETS).segment(
        [each.pixels for each in lesion_slices()]
    )
    for each, probabilities in zip(lesion_slices(), maps, strict=True):
        masks = [
            binarize(probabilities, threshold, record.min_component_pixels)
            for threshold in np.linspace(0.05, 0.95, 10)
        ]
        counts = [overlap.count(mask, each.truth) for mask in masks]
        recall, precision, dice = (
            [score(count) for count in counts]
            for score in (overlap.recall, overlap.precision, overlap.dice)
        )
        assert recall == sorted(recall, reverse=True)
        assert np.mean(np.diff(precision) >= 0) > 0.7
        assert max(dice) > dice[-1] and max(dice) - min(dice[:6]) < 0.06


def test_an_empty_mask_is_nearly_always_right():
    assert "An empty mask is right on nearly every pixel" in words("measuring")
    for each in lesion_slices():
        assert overlap.pixel_accuracy(overlap.count(np.zeros_like(each.truth), each.truth)) > 0.9


def test_the_builder_shows_what_its_tasks_tell():
    told = words("encoder-decoder")
    assert "Slices are 128 × 128 pixels here" in told and architecture_builder.SIZE == 128
    assert "a quarter of the pixels of the original" in told and 4 * 128**2 == 256**2
    across = Architecture("chain", mirrored(16, 5), 2, 3, 128)
    down = [
        Architecture("u", tuple(16 * 2**i for i in range(levels)), 2, 3, 128)
        for levels in range(1, 6)
    ]
    assert (
        "take many times the multiply-adds and the memory, and still a pixel sees far less" in told
    )
    assert across.multiply_adds > 10 * down[-1].multiply_adds
    memory = [sum(stage.values for stage in each.stages) for each in (across, down[-1])]
    assert memory[0] > 5 * memory[1]
    sees = [each.stages[-1].sees for each in down]
    assert across.stages[-1].sees < sees[-1] / 4
    assert "it more than doubles with each level" in told
    assert all(after > 2 * before for before, after in zip(sees, sees[1:], strict=False))
    # "A second one on top of it sees 5, a third one 7"
    assert [Architecture("chain", (4,), convs).stages[0].sees for convs in (1, 2, 3)] == [3, 5, 7]


def test_cross_entropy_shoots_up_where_dice_falls_evenly():
    assert "Cross-entropy is flat and then shoots up" in words("measuring")
    costs = losses.pixel_costs([0.01, 0.25, 0.5, 0.75, 0.99])
    steepest = {
        key: np.max(-np.diff(costs[key])) / np.mean(-np.diff(costs[key])) for key in ("bce", "dice")
    }
    assert steepest["bce"] > 2.5 > 2 > steepest["dice"]


def test_whose_slice_is_nearest_in_either_split():
    told = words("test-set")
    assert "mostly the same patient's" in told and "the nearest slice is of another head" in told
    assert "Look at the distance: it is larger now" in told
    for seed in (1, 2):
        mixed, apart = (nearest_slices(by, seed) for by in ("slices", "patients"))
        assert mixed["same"] > 0.6 and apart["same"] == 0
        assert apart["median"] > mixed["median"]


def test_the_networks_of_the_lesson_learn_from_what_is_told():
    told, patients = words("train"), training_patients()
    learned = [each for each in patients if not each.held_out]
    assert "two more patients that were set aside" in told and len(patients) - len(learned) == 2
    assert "up to six synthetic patients" in told and len(learned) == 6
    share = np.concatenate([each.truth for each in learned]).mean() / 255
    assert "hardly one pixel in a hundred is tumor" in told and share < 0.01
    assert "a map has 12 × 12 numbers" in told
    assert training_slices.SIZE // 2 ** training.USUAL["depth"] == 12
    assert "most of them for half an hour or more" in told
    seconds = [
        json.loads(path.read_text(encoding="utf-8"))["training_seconds"]
        for path in (ASSETS / "weights").glob("*.json")
    ]
    assert sum(each >= 1800 for each in seconds) > len(seconds) / 2
