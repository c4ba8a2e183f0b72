import keras
import numpy as np
import pytest

from btmodels.training import losses

BIG = 40.0  # a logit whose sigmoid is 0 or 1 in float32


def tensor(*values):
    return np.array(values, np.float32).reshape(1, 2, 2, 1)


@pytest.mark.parametrize("key", losses.LOSSES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_arrays_come_to_what_tensors_come_to(key, seed):
    generator = np.random.default_rng(seed)
    truth = generator.random((2, 8, 9, 1)) < (0.0, 0.1, 0.6)[seed]
    logits = generator.normal(0, 6, truth.shape)
    loss = losses.LOSSES[key]
    trained = loss(
        *(keras.ops.convert_to_tensor(each.astype("float32")) for each in (truth, logits))
    )
    assert trained.dtype == "float32"
    found = loss(truth, logits)
    assert isinstance(found, np.float64) and found == pytest.approx(
        float(trained), rel=1e-4, abs=1e-6
    )


@pytest.mark.parametrize("key", losses.LOSSES)
def test_a_pixel_may_stand_for_many(key):
    loss = losses.LOSSES[key]
    truth, logits, weights = np.array([1, 1, 0, 0]), np.array([2.0, -3, -4, 0.5]), (3, 1, 50, 2)
    assert loss(truth, logits, weights) == pytest.approx(
        loss(np.repeat(truth, weights), np.repeat(logits, weights))
    )


def test_one_pixel_by_hand():
    assert losses.bce(1, 0) == pytest.approx(np.log(2))
    assert losses.soft_dice(1, 0) == pytest.approx(1 - 2 / 2.5)
    assert losses.tversky(1, 0) == pytest.approx(1 - 1.5 / (0.5 + 0.35 + 1))
    assert losses.focal(1, 0) == pytest.approx(0.25 * 0.25 * np.log(2))
    assert losses.bce(0, 800) == 800 and losses.bce(1, 800) == 0


TRUTH = tensor(1, 0, 1, 1)
MASK = tensor(BIG, BIG, -BIG, BIG)  # tp 2, fp 1, fn 1


def test_soft_dice_of_a_hard_mask():
    # 1 - (2 * 2 + 1) / (3 + 3 + 1)
    assert float(losses.soft_dice(TRUTH, MASK)) == pytest.approx(2 / 7, abs=1e-6)


def test_soft_dice_of_an_empty_batch_is_zero_for_an_empty_mask():
    assert float(losses.soft_dice(TRUTH * 0, tensor(-BIG, -BIG, -BIG, -BIG))) == pytest.approx(0)


def test_dice_is_pooled_over_the_batch():
    truth = np.concatenate([TRUTH, TRUTH * 0])
    logits = np.concatenate([MASK, tensor(-BIG, -BIG, -BIG, -BIG)])
    assert float(losses.soft_dice(truth, logits)) == pytest.approx(2 / 7, abs=1e-6)


def test_bce_of_undecided_logits_is_log_two():
    assert float(losses.bce(TRUTH, TRUTH * 0)) == pytest.approx(np.log(2), abs=1e-6)


def test_bce_stays_finite_for_large_logits():
    # two of four pixels wrong by a logit of 1000
    found = float(losses.bce(TRUTH, MASK / BIG * 1000))
    assert found == pytest.approx(500, rel=1e-6)


def test_the_sum():
    found = float(losses.bce_dice(TRUTH, MASK))
    parts = float(losses.bce(TRUTH, MASK)) + float(losses.soft_dice(TRUTH, MASK))
    assert found == pytest.approx(parts)


def test_tversky_weighs_missed_pixels_more():
    # tp 2, fp 1, fn 1: 1 - (2 + 1) / (2 + 0.7 + 0.3 + 1)
    assert float(losses.tversky(TRUTH, MASK)) == pytest.approx(1 / 4, abs=1e-6)
    missed, alarm = tensor(-BIG, -BIG, BIG, BIG), tensor(BIG, BIG, BIG, BIG)
    assert float(losses.tversky(TRUTH, missed)) > float(losses.tversky(TRUTH, alarm))


def test_tversky_at_one_half_is_dice_but_for_smoothing():
    found = float(losses.tversky(TRUTH, MASK, misses=0.5, smooth=0))
    assert found == pytest.approx(float(losses.soft_dice(TRUTH, MASK, smooth=0)), abs=1e-6)


def test_focal_is_weighted_cross_entropy_at_gamma_zero():
    found = float(losses.focal(TRUTH, TRUTH * 0, gamma=0, alpha=0.25))
    assert found == pytest.approx((3 * 0.25 + 0.75) / 4 * np.log(2), abs=1e-6)


def test_focal_counts_easy_pixels_little_and_stays_finite():
    undecided = float(losses.focal(TRUTH, TRUTH * 0))
    assert undecided == pytest.approx((3 * 0.25 + 0.75) / 4 * 0.25 * np.log(2), abs=1e-6)
    right = np.where(TRUTH > 0, 3, -3).astype(np.float32)
    assert float(losses.focal(TRUTH, right)) < 0.01 * float(losses.bce(TRUTH, right))
    assert np.isfinite(float(losses.focal(TRUTH, MASK / BIG * 1000)))
