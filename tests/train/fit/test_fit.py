"""Fit and evaluate from one end to the other, on a made-up data folder and a tiny network."""

import json

import keras
import numpy as np
import pytest

from btmodels import registry
from btmodels.dataset.cohort import split_sha256
from btmodels.training.fitting import FitConfig, fit, read_weights
from tests.train.tiny import SEGMENTER, SIZE, SPLIT, make_assets, make_data
from train.__main__ import main
from train.fit import fit as fitting_command
from train.fit import publish, recipes
from train.fit.augment import fade_lesion
from train.fit.data import Epoch
from train.fit.publish import out_of_fold
from train.fit.recipes import RECIPES
from train.fit.subset import Subset, load_subset


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.SPECS, "unet", SEGMENTER)
    yield make_data(tmp_path / "data"), make_assets(tmp_path / "assets"), tmp_path / "runs"
    keras.config.set_dtype_policy("float32")


def fit_words(places, *more):
    data, assets, runs = map(str, places)
    words = ["fit", "unet", "--data", data, "--assets", assets, "--runs", runs]
    return [*words, "--num-slices", "64", "--policy", "float32", *more]


def test_fit_then_evaluate(places, capsys):
    data, assets, runs = places
    assert main(fit_words(places, "--epochs", "12", "--learning-rate", "0.02")) == 0
    record = registry.verify_weights("unet", assets)
    assert record.complete and record.extra["epochs"] == 12
    assert record.command.startswith("python -m train fit unet --data data ")

    out = assets.parent / "scores.json"
    words = ["evaluate", "--data", str(data), "--assets", str(assets), "--model", "unet"]
    assert main([*words, "--subset", "test", "--out", str(out)]) == 0
    scores = json.loads(out.read_text())
    assert set(scores["patients"]) == set(SPLIT["test"])
    patient = scores["patients"][SPLIT["test"][0]]
    assert patient["slices"] == 16 and patient["empty_slices"] == 8
    assert patient["dice"] == scores["mean_dice"] > 0.7, "a bright square is easily learned"
    assert scores["weights_sha256"] == record.sha256
    assert registry.load_record("unet", assets).extra["test_evaluations"] == 1
    capsys.readouterr()

    assert main([*words, "--subset", "validation"]) == 0
    kept = json.loads(registry.metrics_path("unet", assets).read_text())
    assert set(kept) == {"model", "validation"}


@pytest.mark.usefixtures("eager")
def test_a_cross_validation_of_this_split_is_heard_when_the_threshold_is_chosen(places):
    _, assets, _ = places
    assert out_of_fold("unet", assets) is None
    cuts = {"patients": 4, "rows": [{"probability": 0.3, "mean_dice": 0.9}]}
    found = {"complete": True, "split_sha256": split_sha256(assets), "cuts": cuts}
    path = assets / "metrics" / "crossval_unet.json"
    path.parent.mkdir(exist_ok=True)
    for changed, expected in (
        ({}, cuts),
        ({"complete": False}, None),
        ({"split_sha256": "another"}, None),
    ):
        path.write_text(json.dumps(found | changed))
        assert (out_of_fold("unet", assets) or {}).get("cuts") == expected
    path.write_text(json.dumps(found))
    assert main(fit_words(places, "--epochs", "1")) == 0
    record = registry.load_record("unet", assets)
    assert record.extra["fold_patients"] == 4 and record.training_subsets == ("train",)


@pytest.mark.usefixtures("eager")
def test_a_recipe_chosen_in_folds_trains_on_the_validation_patients_too(
    places, monkeypatch, capsys
):
    data, assets, _ = places
    for module in (fitting_command, publish, recipes):
        monkeypatch.setattr(module, "CHOSEN_IN_FOLDS", ("unet",))
    settings = {"threshold": 0.41, "temperature": 1.5, "flips": True, "min_component_pixels": 20}
    found = {"complete": True, "split_sha256": split_sha256(assets), "settings": settings}
    path = assets / "metrics" / "crossval_unet.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found))
    assert main(fit_words(places, "--epochs", "1")) == 0
    record = registry.load_record("unet", assets)
    assert record.training_subsets == ("train", "validation")
    assert (record.threshold, record.temperature) == (0.41, 1.5)
    assert [row["score"] for row in record.extra["history"]] == [None]
    trained = len(SPLIT["train"]) + len(SPLIT["validation"])
    assert f"{trained} patients" in capsys.readouterr().out
    words = ["evaluate", "--data", str(data), "--assets", str(assets), "--model", "unet"]
    assert main([*words, "--subset", "validation"]) == 1
    assert "was trained on the validation patients, too" in capsys.readouterr().out


@pytest.mark.usefixtures("eager")
def test_unfinished_weights_say_so_and_a_run_goes_on_from_them(places, monkeypatch):
    _, assets, runs = places

    begin = Epoch.of

    def stopped(subset, config, epoch, **more):
        if epoch == 1:
            raise KeyboardInterrupt
        return begin(subset, config, epoch, **more)

    monkeypatch.setattr(Epoch, "of", stopped)
    with pytest.raises(KeyboardInterrupt):
        main(fit_words(places, "--epochs", "2"))
    assert main(fit_words(places, "--epochs", "2", "--publish-now")) == 0
    assert registry.load_record("unet", assets).complete is False
    start = str(registry.weights_path("unet", assets))
    other = [*places[:2], runs / "more"]
    unfinished = registry.load_record("unet", assets)
    assert main(fit_words(other, "--epochs", "1", "--from", start)) == 0
    record = registry.load_record("unet", assets)
    assert record.complete is True
    # The start was the very file that the run wrote over in the end.
    assert record.extra["started_from_sha256"] == unfinished.sha256 != record.sha256
    assert [run["sha256"] for run in record.extra["earlier_runs"]] == [unfinished.sha256]
    assert record.extra["earlier_runs"][0]["command"] == unfinished.command


@pytest.mark.usefixtures("eager")
def test_weights_and_record_change_places_together(places, monkeypatch):
    _, assets, _ = places
    assert main(fit_words(places, "--epochs", "1")) == 0
    before = registry.verify_weights("unet", assets)

    def killed(*more):
        # Minutes of choosing: meanwhile the site must find what fits together.
        assert registry.verify_weights("unet", assets).sha256 == before.sha256
        raise KeyboardInterrupt

    monkeypatch.setattr("train.fit.publish.choose_for_segmenter", killed)
    with pytest.raises(KeyboardInterrupt):
        main(fit_words(places, "--epochs", "1", "--seed", "5"))
    assert registry.verify_weights("unet", assets).sha256 == before.sha256
    assert {file.name for file in registry.weights_path("unet", assets).parent.iterdir()} == {
        "unet.json",
        "unet.weights.h5",
    }


@pytest.mark.usefixtures("eager")
def test_a_run_of_other_data_or_another_policy_is_not_taken_for_this_one(places, tmp_path):
    data, assets, runs = places
    words = ("--epochs", "1")
    assert main(fit_words(places, *words)) == 0
    first = registry.load_record("unet", assets).sha256
    assert main(fit_words(places, *words)) == 0
    assert registry.load_record("unet", assets).sha256 == first, "the same run, found again"
    assert len(list(runs.iterdir())) == 1

    other = make_data(tmp_path / "other", num_slices=20)
    assert main(fit_words((other, assets, runs), *words)) == 0
    assert registry.load_record("unet", assets).sha256 != first
    assert main(fit_words(places, *words, "--patients", "1")) == 0
    assert main([*fit_words(places, *words)[:-3], "mixed_bfloat16", *words]) == 0
    assert main(fit_words(places, *words, "--fade", "0.5")) == 0, "and no run in the way"
    assert len(list(runs.iterdir())) == 5


@pytest.mark.usefixtures("eager")
def test_a_recipe_of_stages_is_one_command_and_says_all_of_them(places, monkeypatch):
    _, assets, runs = places
    stages = tuple(FitConfig(epochs=n, num_slices=64, seed=n, validate_every=1) for n in (1, 2))
    monkeypatch.setitem(RECIPES, "unet", stages)
    begun = []

    def train(model, loss, epoch_data, validate, config, folder, **more):
        begun.append((config.seed, folder.name, model.get_weights()[0].copy()))
        return fit(model, loss, epoch_data, validate, config, folder, **more)

    monkeypatch.setattr("train.fit.fit.fit", train)
    assert main(fit_words(places)) == 0
    assert [each[:2] for each in begun] == [(1, "stage-1"), (2, "stage-2")]
    (run,) = runs.iterdir()
    assert (begun[1][2] == read_weights(run / "stage-1" / "best.npz")[0]).all()
    record = registry.load_record("unet", assets)
    assert record.complete and record.extra["config"]["seed"] == 2
    (earlier,) = record.extra["earlier_runs"]
    assert earlier["config"]["seed"] == 1 and earlier["epochs"] == 1
    assert earlier["training_seconds"] >= 0


def test_a_run_that_never_began_cannot_be_published(places, capsys):
    assert main(fit_words(places, "--publish-now")) == 1
    assert "nothing trained" in capsys.readouterr().out


@pytest.mark.usefixtures("eager")
def test_training_never_opens_test_or_reference_patients(places):
    data, assets, _ = places
    for subset in ("test", "reference", "samples"):
        with pytest.raises(ValueError, match="Training reads only"):
            load_subset(data, subset, SIZE, assets)
    # The reference patient's files are garbage and the test patient's are made so: fit still runs.
    for file in (data / "kaggle_3m" / SPLIT["test"][0]).iterdir():
        file.write_bytes(b"not to be opened")
    assert main(fit_words(places, "--epochs", "1")) == 0


def test_evaluating_absent_patients_is_an_error_not_a_score(places, capsys):
    data, assets, _ = places
    words = ["evaluate", "--data", str(data), "--assets", str(assets), "--model", "unet"]
    assert main([*words, "--subset", "test"]) == 1
    assert "no weights" in capsys.readouterr().out
    assert main(["evaluate", "--subset", "test", "--assets", str(assets)]) == 2


def two_slices() -> Subset:
    masks = np.zeros((4, SIZE, SIZE), np.uint8)
    masks[0, 8:20, 8:20] = 255
    pixels = np.full((4, SIZE, SIZE, 3), 100, np.uint8)
    return Subset(pixels, masks, ("a", "a", "b", "b"))


def test_an_epoch_is_a_function_of_seed_epoch_and_step():
    one, again = (Epoch(two_slices(), 7, 3, 2, 4)[1] for _ in range(2))
    other = Epoch(two_slices(), 7, 4, 2, 4)[1]
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert (one[0] != other[0]).any()


def test_slices_with_tumor_are_drawn_twice():
    drawn = Epoch(two_slices(), 0, 0, 5, 5).order
    assert sorted(drawn) == [0, 0, 1, 2, 3]


def test_slices_are_drawn_again_where_there_are_fewer():
    drawn = Epoch(two_slices(), 0, 0, 5, 13).order
    assert len(drawn) == 10  # two whole batches
    once, twice = sorted(drawn[:5]), sorted(drawn[5:])
    assert once == twice == [0, 0, 1, 2, 3] and list(drawn[:5]) != list(drawn[5:])
    assert list(Epoch(two_slices(), 0, 0, 5, 5).order) == list(drawn[:5])


def test_the_classifiers_targets_agree_with_the_mask():
    pixels, targets = Epoch(two_slices(), 1, 0, 5, 5, verdict=True)[0]
    assert pixels.shape == (5, SIZE, SIZE, 3) and targets["where"].shape == (5, 8, 8, 1)
    assert targets["verdict"].shape == (5, 1)
    assert (targets["verdict"][:, 0] == (targets["where"].max(axis=(1, 2, 3)) > 0)).all()
    assert targets["verdict"].sum() == 2


def test_a_lesion_is_faded_but_the_rest_of_the_slice_is_not():
    values = np.full((64, 64, 3), 100, np.float32)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 255
    values[20:40, 20:40] = 200
    faded = fade_lesion(values.copy(), mask, np.random.default_rng(3))
    keep = np.random.default_rng(3).uniform(0.4, 1.3, 3)
    assert np.allclose(faded[30, 30], np.clip(100 + 100 * keep, 0, 255), atol=1)
    assert (faded[:10] == 100).all() and (faded[50:] == 100).all()
    empty = np.zeros_like(mask)
    assert (fade_lesion(values.copy(), empty, np.random.default_rng(3)) == values).all()
