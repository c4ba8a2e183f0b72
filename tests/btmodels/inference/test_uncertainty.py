"""Agreement counted manually; real views and networks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from btmodels import paths, registry
from btmodels.inference import uncertainty
from btmodels.inference.predict import Predictor
from tests import fakes


def test_agreement_is_what_all_mark_over_what_any_marks():
    probability_maps = np.array(
        [[[255, 200, 0, 0]], [[255, 0, 255, 0]], [[255, 200, 255, 0]]], np.uint8
    )
    # Threshold 0.42 is level 108; parts below 3.5 of the row's own pixels are dropped.
    records = [
        registry.Record(**(vars(fakes.record("unet")) | {"min_component_pixels": 14_000}))
    ] * 3
    assert uncertainty.apply_thresholds("abc", probability_maps, records).agreed is None
    records = [registry.Record(**(vars(fakes.record("unet")) | {"min_component_pixels": 0}))] * 3
    found = uncertainty.apply_thresholds("abc", probability_maps, records)
    assert found.votes.tolist() == [[3, 2, 2, 0]]
    assert found.agreed == pytest.approx(1 / 3)
    # 200, 0, 200 of 255: mean 400 / 3, deviation sqrt(2) / 3 * 200.
    assert found.spread[0, 1] == pytest.approx(np.sqrt(2) / 3 * 200 / 255)
    assert found.spread[0, 0] == 0


def test_what_all_mark_and_what_some_mark_have_colors_of_their_own():
    pixels = np.zeros((1, 4, 3), np.uint8)
    png = uncertainty.votes_png(pixels, np.array([[0, 1, 2, 3]], np.uint8), 3)
    nothing, one, two, every = np.array(Image.open(io.BytesIO(png)))[0].astype(int)
    assert nothing.tolist() == [0, 0, 0]
    assert every[0] > every[2] and one[2] > one[1] and (two > one).all()


@pytest.mark.usefixtures("eager")
def test_the_mean_of_the_views_is_what_the_network_answers():
    name = "unet"
    predictor = Predictor(name)
    image = np.random.default_rng(3).integers(0, 256, (100, 128, 3), dtype=np.uint8)
    views = uncertainty.mirrored_views(image, name, paths.ASSETS)
    assert views.probability_maps.shape == (2, 100, 128)
    assert predictor.record.flips
    (both,) = predictor.segment([image])
    assert np.abs(views.probability_maps.mean(axis=0) - both).max() <= 1.5


@pytest.mark.usefixtures("eager")
def test_time_and_size_are_those_of_the_call():
    image = np.zeros((64, 64, 3), np.uint8)
    found = uncertainty.timed_prediction(image, "unet", 0.25, paths.ASSETS)
    assert found.prediction.tumor_probability == 0.25
    assert found.prediction.probability_map.shape == (64, 64)
    assert found.milliseconds > 0
    assert found.parameters == Predictor("unet").model.count_params()
