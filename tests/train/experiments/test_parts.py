"""Parts of the experiments on small made-up truths."""

import json
from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy import stats

from btmodels import paths, registry, weights
from btmodels.networks.ensemble import MEMBERS
from btmodels.networks.unet import build_unet
from btmodels.networks.vgg import ENCODER_LAYERS, build_vgg16
from train.experiments import scores
from train.experiments.associate import analyze, holm, kruskal
from train.experiments.common import Budget, run_name
from train.experiments.gradients import kernel_gradients
from train.experiments.leak import divide, nearest
from train.experiments.slices import Dataset
from train.experiments.transfer import CELLS, reached
from train.experiments.transfer_cells import Cell, build, encoder_layers, patients_of
from train.fit.subset import Subset


def dataset(patients: int = 20, each: int = 10) -> Dataset:
    rng = np.random.default_rng(0)
    names = tuple(f"TCGA_{'AA' if p % 4 else 'BB'}_{p:04}_20000101" for p in range(patients))
    pixels = rng.integers(0, 255, (patients * each, 16, 16, 3), np.uint8)
    slices = Subset(
        pixels,
        np.zeros(pixels.shape[:3], np.uint8),
        tuple(name for name in names for _ in range(each)),
        tuple(range(1, each + 1)) * patients,
    )
    split = {"train": list(names[:16]), "validation": list(names[16:18]), "test": list(names[18:])}
    return Dataset(slices, split, [], None, False, "")


def test_shares_of_patients_are_nested_and_reach_every_institution():
    shares = [set(patients_of(dataset(), share)) for share in (0.25, 0.5, 1.0)]
    assert [len(each) for each in shares] == [4, 8, 16]
    assert shares[0] < shares[1] < shares[2] == set(dataset().split["train"])
    assert all({name[5:7] for name in each} == {"AA", "BB"} for each in shares)
    assert len(patients_of(dataset(), 0.001)) == 1


def test_both_splits_of_the_leak_test_the_same_slices_and_differ_in_whom_they_know():
    everything, tested = dataset().slices, []
    for each in divide(everything, seed=0, draws=3):
        assert len(each.slices.pixels) == len(each.patients.pixels)
        keys = [
            set(zip(part.patients, part.numbers, strict=True))
            for part in (each.slices, each.patients, each.validation, each.test)
        ]
        assert not (keys[0] | keys[1] | keys[2]) & keys[3] and not (keys[0] | keys[1]) & keys[2]
        testers = set(each.test.patients)
        assert testers <= set(each.slices.patients) and not testers & set(each.patients.patients)
        assert not set(each.validation.patients) & (testers | set(each.slices.patients))
        tested += sorted(testers)
    assert sorted(tested) == sorted(set(everything.patients)), "each patient tests once"


def test_the_nearest_training_slice_is_found():
    everything = dataset(4, 5).slices
    training = everything.take(np.arange(15))
    test = Subset(training.pixels[7:8], training.masks[7:8], ("else",), (99,))
    found = nearest(training, test, np.zeros((1, 16, 16), bool))
    (row,) = found["slices"]
    assert row["distance"] == 0 and row["nearest_number"] == training.numbers[7]
    assert row["nearest_patient"] == training.patients[7]
    assert found["neighbor_distance"] > 0.5, "noise has no like"


def test_a_target_is_reached_at_the_first_point_that_comes_up_to_it():
    curve = [
        {"slices": 10, "score": 0.2, "cpu_seconds": 1.0},
        {"slices": 20, "score": 0.5, "cpu_seconds": 2.5},
        {"slices": 30, "score": 0.4, "cpu_seconds": 4.0},
    ]
    rows = reached(curve, (0.1, 0.4, 0.9))
    assert [(row["slices"], row["cpu_seconds"]) for row in rows] == [
        (10, 1.0),
        (20, 2.5),
        (None, None),
    ]


def test_every_cell_has_a_key_of_its_own_and_givers_come_first():
    keys = [cell.key for cell in CELLS]
    assert len(set(keys)) == len(keys)
    assert keys.index("vgg16-classify-staged-100") < keys.index("vgg16-segment-handed-100")
    assert keys.index("vgg16-segment-handed-100") < keys.index("vgg16-classify-handed-100")


@pytest.mark.parametrize(("task", "layers"), [("segment", 13), ("classify", 13)])
def test_the_encoder_is_told_from_the_rest(task, layers):
    model = build(Cell("vgg16", task, "scratch"), 32)
    named = [layer.name for layer in encoder_layers(model) if layer.weights]
    assert tuple(named) == ENCODER_LAYERS and len(named) == layers


def test_vgg16_classifies():
    assert build_vgg16((32, 32, 3)).output_shape == (None, 1)


def test_one_step_of_descent_measures_the_gradient():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 4, 1))
    layer = keras.layers.Conv2D(1, 1, use_bias=False, name="only")
    model = keras.Model(inputs, layer(inputs))
    layer.kernel.assign(np.full((1, 1, 1, 1), 2.0, np.float32))
    batch = np.full((1, 4, 4, 1), 3.0, np.float32), np.zeros((1, 4, 4, 1), np.float32)
    found = kernel_gradients(model, batch, lambda truth, out: keras.ops.mean(out))
    # d mean(3 w) / dw = 3, over |w| = 2
    assert found == {"only": pytest.approx(1.5)}
    assert float(layer.kernel.numpy().item()) == 2.0, "the weights are as before"


def test_holm_corrects_for_the_number_of_tests():
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, 0.06, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_kruskal_is_scipys_and_undefined_without_groups():
    found = kruskal([[1, 2, 3], [4, 5, 6]])
    assert found["h"] == pytest.approx(stats.kruskal([1, 2, 3], [4, 5, 6]).statistic, abs=1e-4)
    assert kruskal([[1, 2]]) == kruskal([[1, 1], [1, 1]]) == {"h": None, "p": None}


def test_findings_are_compared_on_the_same_patients():
    rng = np.random.default_rng(0)
    values = {}
    for index in range(40):
        group = index % 2
        real = [group + rng.normal(0, 0.1), rng.normal(), rng.normal()]
        other = [rng.normal(), rng.normal(), None if index == 0 else rng.normal()]
        values[f"p{index}"] = {
            "truth": real,
            "predicted": other,
            "clusters": [str(group), None, None, None, None, None, None],
        }
    values["unknown"] = {"truth": [1, 1, 1], "predicted": [1, 1, 1], "clusters": [None] * 7}
    found = analyze(values)
    assert found["patients"] == 40, "one has no cluster"
    first, third = found["tests"][0], found["tests"][14]
    assert first["truth"]["p_holm"] < 0.001 < 0.05 < first["predicted"]["p"]
    assert (first["patients"], third["patients"]) == (40, 39)
    kept = first["truth"]["values"]
    assert {code: len(each) for code, each in kept.items()} == {"0": 20, "1": 20}
    assert kept["0"] == sorted(kept["0"]) and "p1" not in str(found), "nobody's row is copied"
    assert found["same"] == {"both": 0, "truth_only": 1, "predicted_only": 0, "neither": 20}


def test_scores_of_a_segmenter_are_means_of_patients():
    masks = np.zeros((3, 4, 4), np.uint8)
    masks[0, :2], masks[1, 0] = 255, 255
    slices = Subset(np.zeros((3, 4, 4, 3), np.uint8), masks, ("a", "b", "b"))
    probability = np.zeros((3, 4, 4))
    probability[0, 0] = probability[1, 0] = probability[2, 3, 3] = 0.7
    found = scores.score_segmenter(probability, slices)
    assert found["patients"] == {"a": pytest.approx(2 / 3), "b": pytest.approx(8 / 9)}
    assert found["mean_dice"] == pytest.approx(7 / 9)
    assert found["tumor_slice_dice"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["false_alarm_rate"] == 1.0 and found["recall"] == pytest.approx(8 / 12)


def test_a_budget_is_spent_in_whole_batches():
    config = Budget(size=32, slices=100, parts=3, batch_size=8).config()
    assert (config.epochs, config.num_slices, config.validate_every) == (3, 32, 1)


def test_a_run_is_named_by_all_that_its_results_depend_on():
    budget = Budget(size=32, slices=100, parts=3)
    changes = (
        {"policy": "mixed_bfloat16"},
        {"learning_rate": 1e-3},
        {"fade": 0.3},
        {"parts": 4},
        {"ema": 0.99},
        {"augmentation": {"paste": 0.4}},
    )
    own = dataset()
    others = (replace(own, sha256="other"), replace(own, split_sha256="other"))
    names = [
        run_name(budget, own),
        *(run_name(replace(budget, **each), own) for each in changes),
        *(run_name(budget, each) for each in others),
    ]
    assert len(set(names)) == len(names)
    assert run_name(replace(budget), replace(own)) == names[0]
    assert names[0].startswith("32px-100-by-8-seed-0-")


TRAINED = (
    *(f"crossval_{member}" for member in MEMBERS),
    "crossval_resnet50",
    "leak",
    "leak_synthetic",
    "losses",
    "skips",
    "stacks",
    "transfer",
)


@pytest.mark.parametrize("name", TRAINED)
def test_every_committed_run_was_given_its_whole_budget(name):
    path = paths.ASSETS / "metrics" / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    budget = found["budget"]
    ends = list(ends_of_curves(found))
    lost = budget["parts"] * budget["batch_size"]  # each part is of whole batches
    assert ends and all(budget["slices"] - lost < end <= budget["slices"] for end in ends)


def ends_of_curves(found) -> Iterator[int]:
    """Yield the slices at the end of each curve, however deep it lies."""
    if isinstance(found, dict):
        curve = found.get("curve")
        if curve and "slices" in curve[-1]:
            yield curve[-1]["slices"]
    for each in found.values() if isinstance(found, dict) else found:
        if isinstance(each, (dict, list)):
            yield from ends_of_curves(each)


def test_the_committed_networks_with_and_without_skips_are_those_of_their_file():
    path = paths.ASSETS / "metrics" / "skips.json"
    for entry in json.loads(path.read_text(encoding="utf-8"))["networks"]:
        file = path.parent / "networks" / entry["file"]
        model = build_unet(tuple(entry["input_shape"]), entry["filters"], skips=entry["skips"])
        weights.load_into(model, file)
        assert registry._sha256_of(file, 0, 0) == entry["sha256"]
