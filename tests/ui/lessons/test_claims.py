"""Sentences of lessons that state a result, each held to the file that the result is in.

If a file changes so that its sentence becomes false, the test of that sentence fails.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import ndimage

from btmodels import registry
from btmodels.inference import gradcam, worker
from btmodels.metrics.bootstrap import paired_difference
from btmodels.paths import ASSETS
from btmodels.slices import FLAIR
from btmodels.teaching.first_kernels import first_kernels
from btmodels.training.losses import LOSSES
from btmodels.transforms.postprocess import head_mask
from btmodels.transforms.preprocess import standardize
from tests.ui.lessons.bundled import lesion_slices, words
from tests.ui.node import run
from ui.lessons import page, questions
from ui.lessons.encoder_decoder import skips
from ui.lessons.transfer import kernels
from ui.lessons.two_steps import two_steps
from ui.results import scores
from ui.results import transfer_figures as figures


def measured(name: str) -> dict:
    return json.loads((ASSETS / "metrics" / f"{name}.json").read_text(encoding="utf-8"))


def cell(task: str, encoder: str, arm: str, patients: int = 70) -> dict:
    (found,) = [
        each
        for each in measured("transfer")["cells"]
        if (each["task"], each["encoder"], each["arm"], each["training_patients"])
        == (task, encoder, arm, patients)
    ]
    return found


def test_the_clear_case_of_transfer_is_the_first_one_told():
    frozen, scratch = cell("segment", "resnet50", "frozen"), cell("segment", "resnet50", "scratch")
    ours, base = figures.score_of(frozen), figures.score_of(scratch)
    mean, (low, high) = figures.gain(frozen, scratch)
    told = (
        f"it reaches a mean Dice of {ours:.2f}, from scratch {base:.2f}. Patient by patient that is "
        f"{mean:+.2f}, with an interval of {low:+.2f} to {high:+.2f}."
    )
    assert told in words("transfer") and low > 0
    assert f"{scratch['training_slices']:,} slices are few" in words("transfer")


def test_all_encoders_point_the_same_way_as_told():
    assert (
        "each of the three encoders scores higher than from scratch, frozen as well as unfrozen"
        in (words("transfer"))
    )
    assert set(figures.ENCODERS) == {each["encoder"] for each in measured("transfer")["cells"]}
    for encoder in figures.ENCODERS:
        base = figures.score_of(cell("segment", encoder, "scratch"))
        assert all(
            figures.score_of(cell("segment", encoder, arm)) > base for arm in ("frozen", "staged")
        )


def test_the_gain_with_few_patients_is_told_as_measured():
    gains = {
        patients: figures.gain(
            cell("segment", "vgg16", "staged", patients),
            cell("segment", "vgg16", "scratch", patients),
        )
        for patients in (7, 18, 35, 70)
    }
    certain = [f"{gains[patients][0]:+.2f}" for patients in (18, 35, 70)]
    assert (
        f"With 18, 35 and 70 patients the difference is {certain[0]}, {certain[1]} and {certain[2]}, "
        "each with an interval above 0."
    ) in words("transfer")
    assert all(gains[patients][1][0] > 0 for patients in (18, 35, 70))
    assert f"With 7 patients it is {gains[7][0]:+.2f}, and its interval reaches below 0" in words(
        "transfer"
    )
    assert gains[7][1][0] < 0 < gains[7][1][1]


def test_rule_check_and_first_chart_of_transfer_agree():
    # The check says that the gain with the fewest patients was the least certain one.
    assert "the gain with the fewest patients was the least certain one" in words("transfer")
    assert "VGG16 frozen scored lower than from scratch for *is there one?*" in words("transfer")
    frozen, scratch = cell("classify", "vgg16", "frozen"), cell("classify", "vgg16", "scratch")
    assert figures.score_of(frozen) < figures.score_of(scratch)


def test_what_was_trained_once_is_said_to_be():
    assert "Each start was trained once, so the luck of one training is" in words("transfer")
    assert "In these trainings, one of each kind, the rule of thumb" in words("transfer")
    keys = [
        tuple(each[key] for key in ("task", "encoder", "arm", "share"))
        for each in measured("transfer")["cells"]
    ]
    assert len(keys) == len(set(keys))
    assert "five times, once with each loss" in words("measuring")
    assert sorted(arm["key"] for arm in measured("losses")["arms"]) == sorted(LOSSES)


def test_the_leak_is_measured_as_told():
    told, arms = words("test-set"), {arm["key"]: arm for arm in measured("leak")["arms"]}
    assert "twice in each of three draws, on equally many slices and with the same budget" in told
    assert "the very same slices. Over the three draws each patient is tested once." in told
    leaking, honest = arms["slices"], arms["patients"]
    assert len(leaking["draws"]) == len(honest["draws"]) == 3
    assert [each["sizes"] for each in leaking["draws"]] == [
        each["sizes"] for each in honest["draws"]
    ]
    assert leaking["score"]["patients"].keys() == honest["score"]["patients"].keys()
    assert leaking["test_patients"] == measured("leak")["data"]["patients"]
    assert not honest["shared_patients"]
    near, other = leaking["nearest"], honest["nearest"]["median_distance"]
    assert f"for {100 * near['same_patient']:.0f}% of the test slices the nearest" in told
    _, (low, high) = paired_difference(leaking["score"]["patients"], honest["score"]["patients"])
    assert "In the score it is small here, and its interval contains 0." in told
    assert low < 0 < high < 0.1
    apart = near["neighbor_distance"]
    assert (
        f"neighbors in one head are {apart:.2f} apart, nearly two thirds of the {other:.2f}" in told
    )
    assert 0.6 < apart / other < 2 / 3
    assert "On the synthetic patients, with four or five heads to learn from, it is large" in told
    made_up = {arm["key"]: arm["score"]["patients"] for arm in measured("leak_synthetic")["arms"]}
    mean, (low, _) = paired_difference(made_up["slices"], made_up["patients"])
    assert mean > 0.3 and low > 0


def test_networks_with_and_without_skips_differ_as_told():
    told, pairs = words("encoder-decoder"), measured("skips")["pairs"]
    assert (
        len(pairs) == 3
        and "In each of the three pairs the network with skips has the higher" in told
    )
    for pair in pairs:
        ours, theirs = (pair[key]["score"] for key in ("joined", "absent"))
        assert 0 < ours["mean_dice"] - theirs["mean_dice"] < 0.1
        assert ours["false_alarm_rate"] > theirs["false_alarm_rate"]
    assert "At the border it is not clearly ahead" in told
    _, (low, high) = paired_difference(
        *(skips.over_pairs(pairs, key, "borders") for key in ("joined", "absent"))
    )
    assert low < 0 < high


def test_the_deep_stacks_learned_as_told():
    told = words("encoder-decoder")
    arms: dict[str, dict[int, dict]] = {}
    for arm in measured("stacks")["arms"]:
        arms.setdefault(arm["key"], {})[arm["seed"]] = arm
    assert {len(seeds) for seeds in arms.values()} == {3}

    def scores_of(key: str) -> list[float]:
        return sorted(arm["score"]["mean_dice"] or 0 for arm in arms[key].values())

    def late(key: str) -> int:
        """How many had learned next to nothing when half of the training was done."""
        return sum(
            arm["curve"][len(arm["curve"]) // 2 - 1]["loss"] > 0.9 for arm in arms[key].values()
        )

    assert "learned late, and from one of its three starts it never learned anything" in told
    assert scores_of("plain_glorot")[0] < 0.01 < 0.1 < scores_of("plain_glorot")[1]
    assert late("plain_glorot") >= 2
    assert "With He initialization all three learned" in told and scores_of("plain_he")[0] > 0.4
    assert "With normalization alone two of the three learned late." in told
    assert (late("normalized"), late("residual"), late("plain_he")) == (2, 0, 0)
    assert "the lowest of all four after a tenth of the training, from each start" in told
    for seed, residual in arms["residual"].items():
        assert len(residual["curve"]) == 10
        begun = {key: seeds[seed]["curve"][0]["loss"] for key, seeds in arms.items()}
        assert min(begun, key=begun.get) == "residual"
    assert "the three ended close together" in told
    spread = {key: scores_of(key)[-1] - scores_of(key)[0] for key in arms}
    assert min(spread, key=spread.get) == "residual" and spread["residual"] < 0.05
    assert "not a higher score" in told
    assert sum(scores_of("residual")) < sum(scores_of("plain_he"))


def first(key: str, when: str = "start", file: str = "stacks") -> float:
    (found,) = [g for g in measured(file)["gradients"] if (g["key"], g["when"]) == (key, when)]
    return found["layers"][0]["norm"]


def layer(key: str, when: str, name: str) -> float:
    (found,) = [g for g in measured("skips")["gradients"] if (g["key"], g["when"]) == (key, when)]
    return next(each["norm"] for each in found["layers"] if each["name"] == name)


def test_what_is_said_of_gradients_is_what_was_measured():
    told = words("encoder-decoder")
    assert "Stacks of 24 convolutions" in told and measured("stacks")["depth"] == 24
    assert (
        "Before any training the plain stack whose numbers start too small has next to nothing"
        in told
    )
    assert first("plain_glorot") < 1e-5 < first("plain_he")
    assert "Most of the rescue comes from normalization; the residual blocks add to it." in told
    rescued = math.log(first("normalized") / first("plain_glorot"))
    assert rescued > math.log(first("residual") / first("normalized")) > 0


@pytest.mark.parametrize("when", ["start", "trained"])
def test_skips_of_the_unet_change_little_at_its_first_layer(when):
    assert "where the gradient is about as large without them" in words("encoder-decoder")
    joined, absent = (first(f"unet_{key}", when, "skips") for key in ("joined", "absent"))
    assert 0.5 < joined / absent < 2
    assert "At the bottom it is several times smaller with skips" in words("encoder-decoder")
    joined, absent = (
        layer(f"unet_{key}", when, "bottleneck_conv1") for key in ("joined", "absent")
    )
    assert joined < absent / 3


def test_resunet_and_unet_are_not_told_apart_by_their_test_patients():
    assert "the interval of the difference in Dice, patient by patient, contains 0" in words(
        "encoder-decoder"
    )
    ours, theirs = (
        {name: patient["dice"] for name, patient in measured(model)["test"]["patients"].items()}
        for model in ("resunet_small", "unet")
    )
    assert ours.keys() == theirs.keys()
    _, (low, high) = paired_difference(ours, theirs)
    assert low < 0 < high


def test_the_gradient_of_the_drawn_blocks_is_computed_as_told():
    kept, gone = run(
        ("lessons/encoder_decoder/operations/residual_block.js",),
        "[gradients(8, 0.5, true)[0], gradients(8, 0.5, false)[0]]",
    )
    assert gone == pytest.approx(0.5**16) and "1 / 65,536" in words("encoder-decoder")
    assert round(1 / gone) == 65536 and kept > 1


def test_formulas_of_losses_are_those_that_were_trained_with():
    arms = {arm["key"]: arm["formula"] for arm in measured("losses")["arms"]}
    assert arms["tversky"] == "1 - TP / (TP + 0.7 FN + 0.3 FP) of probabilities"
    assert "with α = 0.3 and β = 0.7 here" in words("measuring")
    assert arms["focal"].endswith(
        "-a (1 - p)^2 log(p) over what is so; a = 0.25 on tumor, 0.75 elsewhere"
    )
    assert "γ = 2, and a is 0.25 on tumor and 0.75 elsewhere" in words("measuring")


def test_both_steps_in_the_browser_come_to_what_the_library_recorded():
    head, slices = two_steps.recorded_slices()
    classifier = scores.read(two_steps.CLASSIFIER)[0]["test"]
    segmenter = scores.read(two_steps.SEGMENTER)[0]["test"]
    made, alone, points = run(
        ("lessons/two_steps/cascade.js",),
        "[outcome(given.slices, given.at), outcome(given.slices, 0), rocPoints(given.slices)]",
        slices=slices,
        at=head["stored"],
    )
    counts = classifier["confusion"]
    assert [made[key] for key in ("found", "alarms", "missed", "left")] == [
        counts[key] for key in ("tp", "fp", "fn", "tn")
    ]
    assert alone["dice"] == pytest.approx(segmenter["mean_dice"])
    assert alone["false"] / counts_of_empty(made) == pytest.approx(segmenter["false_alarm_rate"])
    cascade = segmenter["cascade"]
    assert made["dice"] == pytest.approx(cascade["mean_dice"])
    assert made["false"] / counts_of_empty(made) == pytest.approx(cascade["false_alarm_rate"])
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(points, points[1:], strict=False))
    assert area == pytest.approx(classifier["auc"], abs=1e-4)  # probabilities are rounded
    # What the lesson says of it in words.
    told = words("classify-then-segment")
    assert "hardly anything" in told and abs(made["dice"] - alone["dice"]) < 0.01
    assert "most slices have no tumor and need no second step" in told
    assert made["segmented"] < len(slices) / 2
    assert "marks something in few slices without a tumor" in told
    assert alone["false"] < 0.05 * counts_of_empty(made)
    assert "here the classifier says *yes* to all of these, too" in told
    assert made["false"] == alone["false"]
    missed = [row for row in slices if row[2] + row[4] and row[1] < head["stored"]]
    small = sorted(row[2] + row[4] for row in slices if row[2] + row[4])
    assert "mostly show very little of the tumor" in told
    assert sorted(row[2] + row[4] for row in missed)[len(missed) // 2] < small[len(small) // 4]


def counts_of_empty(made: dict) -> int:
    return made["alarms"] + made["left"]


def test_heat_lies_beside_the_tumor_although_the_verdict_is_right():
    told = words("classify-then-segment")
    assert "In none of the bundled patients is the hottest place inside the tumor" in told
    assert "the classifier's answer is right on these slices" in told
    name = registry.get(two_steps.CLASSIFIER).name
    found = worker.get_predictor(name, ASSETS).classify([each.pixels for each in lesion_slices()])
    assert (found > registry.load_record(name).threshold).all()
    for each in lesion_slices():
        heat = gradcam.compute_gradcam(each.pixels, name, ASSETS)
        assert heat.grid == (4, 4) and "it has 4 × 4 squares" in told
        assert heat.heatmap[each.truth].max() < heat.heatmap.max()


def test_the_kernel_that_a_task_shows_brings_out_the_tumor_by_flair():
    (shown,) = [
        task.show[1]["kernel"]
        for task in questions.tasks(page.text_of("transfer"), "kernels")
        if task.show[1]["set"] == "site"
    ]
    weights = first_kernels(kernels.NETWORK)[..., shown]
    assert np.abs(weights).sum((0, 1)).argmax() == FLAIR
    for each in lesion_slices():
        values = standardize(each.pixels).astype(float)
        made = sum(ndimage.correlate(values[..., c], weights[..., c]) for c in range(3))
        elsewhere = made[head_mask(each.pixels) & ~each.truth]
        assert made[each.truth].mean() > elsewhere.mean() + 0.5 * elsewhere.std()


def test_the_segmenter_alone_finds_more_slices_with_tumor_than_the_classifier():
    told = "the second network can indeed do it alone, and it finds more"
    assert told in words("classify-then-segment")
    alone = {row["by"]: row for row in measured("detection")["rows"] if not row["neighbors"]}
    found = alone["segmenter"]["sensitivity_interval"][0]
    assert found > alone["classifier"]["sensitivity_interval"][1]
