"""Figures of cross-validated maps, on small constructed maps."""

import json

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.dataset import cohort
from btmodels.dataset.split import load_split
from btmodels.measurement.verdict import VerdictRule
from btmodels.metrics.overlap import Counts
from train.experiments.fold_counts import (
    HALF,
    THRESHOLDS,
    FoldCounts,
    Maps,
    by_threshold,
    choose_settings,
    count_fold,
    fit_verdicts,
    keep_counts,
    read_counts,
)
from train.experiments.folds import (
    draw_maps,
    figures_of,
    keep_maps,
    keep_masks,
    read_maps,
    read_masks,
)
from train.fit.subset import Subset


def maps_of(folder: str, *slices: tuple[float, int]) -> Maps:
    """A patient whose slices have a tumor of eight pixels, drawn at a probability, and some pixels
    beside it at three quarters."""
    probability_maps, truth = (
        np.zeros((len(slices), 4, 8), np.uint8),
        np.zeros((len(slices), 4, 8), bool),
    )
    for index, (probability, beside) in enumerate(slices):
        truth[index, 0] = probability > 0
        probability_maps[index, 0] = round(255 * probability)
        probability_maps[index, 3, :beside] = round(255 * 0.75)
    return Maps(probability_maps, truth, (folder,) * len(slices), tuple(range(len(slices))))


def counts_of(maps: Maps, fold: int = 1) -> FoldCounts:
    return count_fold(maps, "run", {"fold": fold})


def count_at_cuts(maps: Maps) -> dict[str, list[list[Counts]]]:
    return counts_of(maps).by_threshold()


def test_pixels_are_counted_at_every_cut():
    counted = count_at_cuts(maps_of("a", (0.4, 2), (0, 3)))["a"]
    assert len(counted) == len(THRESHOLDS)
    assert counted[THRESHOLDS.index(0.4)] == [Counts(8, 2, 0, 22), Counts(0, 3, 0, 29)]
    assert counted[THRESHOLDS.index(0.45)] == [Counts(0, 2, 8, 22), Counts(0, 3, 0, 29)]


def test_slices_are_those_of_the_stack_however_they_lie():
    maps = maps_of("a", (0.4, 0), (0, 3))
    turned = Maps(maps.probability_maps, maps.truth, maps.patients, (7, 3))
    assert count_at_cuts(turned)["a"][0] == [Counts(0, 3, 0, 29), Counts(8, 0, 0, 24)]


def test_dice_and_false_alarms_at_a_cut_are_those_of_patients():
    counted = count_at_cuts(maps_of("a", (0.4, 0), (0, 3))) | count_at_cuts(maps_of("b", (0.9, 2)))
    low, high = (by_threshold(counted)[THRESHOLDS.index(threshold)] for threshold in (0.4, 0.5))
    # 2 * 8 / (2 * 8 + 3) and 2 * 8 / (2 * 8 + 2); one slice without tumor, and it is marked.
    assert low["mean_dice"] == pytest.approx((16 / 19 + 16 / 18) / 2, abs=1e-6)
    assert high["mean_dice"] == pytest.approx((0 + 16 / 18) / 2, abs=1e-6)
    assert low["false_alarm_rate"] == high["false_alarm_rate"] == 1.0


def test_a_fold_is_cut_where_the_others_score_best(tmp_path):
    drawn = [maps_of("a", (0.31, 0)), maps_of("b", (0.6, 0)), maps_of("c", (0.2, 0))]
    folds = [counts_of(maps, number) for number, maps in enumerate(drawn, start=1)]
    found = figures_of(folds, ["a", "c", "no slice"])
    assert found["mean_dice"] == pytest.approx(1 / 3), "at one half b alone is found"
    # All are found at every threshold up to 0.2, and of equals the lowest is taken.
    assert found["chosen_cut"]["by_fold"] == [0.05] * 3
    assert found["chosen_cut"]["mean_dice"] == 1
    assert found["cuts"]["patients"] == 2, "b may not be chosen by"
    assert [row["mean_dice"] for row in found["cuts"]["rows"]][3:7] == [1, 0.5, 0.5, 0]
    assert [fold["mean_dice"] for fold in found["folds"]] == [0, 1, 0]
    assert folds[1].by_threshold()["b"][HALF] == [Counts(8, 0, 0, 24)]
    keep_masks(drawn[1], tmp_path / "masks.npz")
    (mask,) = read_masks(tmp_path / "masks.npz")["b"].values()
    assert mask[:, :8].sum() == 8


def test_one_fold_alone_is_cut_at_one_half():
    found = figures_of([counts_of(maps_of("a", (0.31, 0)))], [])
    assert found["chosen_cut"]["by_fold"] == [0.5]
    assert found["cuts"] is None and found["settings"] is None


def test_a_speck_is_cleaned_away_across_the_patient():
    found = figures_of([counts_of(maps_of("a", (0.9, 0), (0.9, 0), (0, 1)))], ["a"])
    assert found["mean_dice"] == pytest.approx(32 / 33)
    assert found["whole_patient"]["mean_dice"] == 1
    assert (found["false_alarm_rate"], found["whole_patient"]["false_alarm_rate"]) == (1, 0)


def test_settings_are_chosen_by_the_patients_who_may_decide():
    # a: tumor at 0.6 and, on another slice, a stray pixel at 0.75.
    folds = [counts_of(maps_of("a", (0.6, 0), (0, 1))), counts_of(maps_of("b", (0.1, 8)), 2)]
    found = choose_settings(folds, ["a"])
    assert found["fold_patients"] == 1 and found["flips"]
    # The least clean-up would drop the tumor, which has eight pixels, with the stray one.
    assert found["min_component_pixels"] == 0
    assert found["fold_dice"] == pytest.approx(16 / 17, abs=1e-6)
    assert found["fold_false_alarm_rate"] == 1
    # Before the temperature the threshold is one of the cuts below 0.6.
    odds = found["temperature"] * np.log(found["threshold"] / (1 - found["threshold"]))
    assert (
        min(
            abs(1 / (1 + np.exp(-odds)) - threshold) for threshold in THRESHOLDS if threshold <= 0.6
        )
        < 1e-3
    )
    assert choose_settings(folds, []) is None


def test_the_verdict_is_fitted_to_the_patients_who_may_decide():
    # The stray pixel makes no tumor, and the slice with tumor has eight times as many such pixels.
    folds = [counts_of(maps_of("a", (0.75, 0), (0, 0), (0.75, 0), (0, 0)))]
    rule = VerdictRule(**choose_settings(folds, ["a"])["verdict"])
    low, high = (rule.slope * score + rule.intercept for score in (-6.9, np.log(3)))
    assert rule.slope > 0 and low < 0 < high
    found = choose_settings([counts_of(maps_of("a", (0.6, 0)))], ["a"])
    assert found["verdict"] is found["verdict_with_neighbors"] is None


def test_neighbors_are_those_of_the_patient_and_of_patients_who_may_decide():
    # b ends in tumor where a begins without: across patients they would be neighbors.
    drawn = [(0, 0), (0, 0), (0.75, 0), (0.75, 0)]
    alone = choose_settings([counts_of(maps_of("a", *drawn))], ["a"])
    folds = [counts_of(maps_of("b", (0.75, 0), (0.75, 0))), counts_of(maps_of("a", *drawn), 2)]
    found = choose_settings(folds, ["a"])["verdict_with_neighbors"]
    assert found == alone["verdict_with_neighbors"] and found["neighbor_weight"] == 0.25


def test_another_machine_goes_on_with_a_folds_counts(tmp_path):
    counts = counts_of(maps_of("a", (0.4, 2), (0, 3)))
    keep_counts(counts, tmp_path / "folds" / "unet-1.npz")
    again = read_counts(tmp_path / "folds" / "unet-1.npz", "run")
    assert figures_of([again], ["a"]) == figures_of([counts], ["a"])
    assert again.scores() == counts.scores() and again.facts == {"fold": 1}
    assert read_counts(tmp_path / "folds" / "unet-1.npz", "another run") is None
    assert read_counts(tmp_path / "folds" / "unet-2.npz", "run") is None


class SaysWhatIsBright:
    """A stand-in segmenter that is sure of every pixel above the mean, mirrored or not."""

    input_shape = (None, 64, 64, 3)

    def predict_on_batch(self, batch):
        return np.where(batch[..., 1:2] > 0, 9.0, -9.0).astype(np.float32)


def test_maps_are_drawn_at_the_slices_own_size_and_come_back_as_they_were_kept(tmp_path):
    patient = cohort.read_cohort(cohort.samples_root())[0]
    files = patient.files[:3]
    slices = [cohort.read_slice(patient, file) for file in files]
    pixels = np.stack([each.pixels for each in slices])
    subset = Subset(
        pixels,
        np.zeros(pixels.shape[:3], np.uint8),
        (patient.folder,) * 3,
        tuple(file.number for file in files),
    )
    drawn = draw_maps(SaysWhatIsBright(), subset, {patient.folder: patient})
    assert drawn.probability_maps.shape == pixels.shape[:3] and drawn.probability_maps.max() == 255
    assert np.array_equal(drawn.truth, np.stack([each.truth for each in slices]))
    path = tmp_path / "fold-1" / "maps.npz"
    keep_maps(drawn, path)
    again = read_maps(path)
    assert again.patients == drawn.patients and again.numbers == drawn.numbers
    assert np.array_equal(again.probability_maps, drawn.probability_maps) and np.array_equal(
        again.truth, drawn.truth
    )


def test_the_records_rules_are_those_of_the_committed_counts():
    name = registry.get("default").name
    crossval = json.loads((paths.ASSETS / "metrics" / f"crossval_{name}.json").read_text("utf-8"))
    kept = sorted((paths.ASSETS / "metrics" / "folds").glob(f"{crossval['run']}-fold-*.npz"))
    folds = [read_counts(path, crossval["run"]) for path in kept]
    choosing, settings = [*load_split()["train"], *load_split()["validation"]], crossval["settings"]
    rules = fit_verdicts(folds, choosing, settings["temperature"])
    assert {key: settings[key] for key in rules} == rules
    record = json.loads(registry.record_path(name).read_text("utf-8"))
    assert {key: record[key] for key in settings} == settings
