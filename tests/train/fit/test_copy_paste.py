"""A pasted lesion lies in the head, brings its contrast and its mask, and leaves its sources alone."""

import numpy as np
import pytest

from train.fit.copy_paste import paste_lesion

SIZE = 96


def head(level: int, lesion: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A gray square on black air, with a brighter square to the left of the middle."""
    pixels, mask = np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    pixels[8:-8, 8:-8] = level
    pixels[8:-8:2, 8:-8] += 10  # some texture, for a deviation
    if lesion:
        mask[40:56, 28:40] = 255
        pixels[mask > 0] = lesion
    return pixels, mask


@pytest.mark.parametrize("seed", range(8))
def test_the_mask_moves_with_the_lesion(seed):
    pixels, mask = paste_lesion(*head(60), *head(60, lesion=200), rng=np.random.default_rng(seed))
    assert pixels.dtype == mask.dtype == np.uint8
    assert pixels.shape == (SIZE, SIZE, 3) and mask.shape == (SIZE, SIZE)
    bright, marked = pixels[..., 1] > 132, mask > 127
    assert 0.4 * 192 < marked.sum() < 2 * 192, "scaled by 0.7 to 1.3 each way"
    assert 2 * (bright & marked).sum() / (bright.sum() + marked.sum()) > 0.85


def test_a_lesion_brings_its_contrast_and_not_its_brightness():
    pixels, mask = paste_lesion(*head(60), *head(120, lesion=180), rng=np.random.default_rng(0))
    # 55 above the mean of 125 there, so 55 above the mean of 65 here.
    assert np.percentile(pixels[mask > 127], 90) == pytest.approx(120, abs=4)


def test_sources_are_left_alone_and_a_seed_repeats():
    sources = [*head(60), *head(90, lesion=200)]
    before = [each.copy() for each in sources]
    one, again, other = (paste_lesion(*sources, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(sources, before, strict=True))
    assert (one[0] == again[0]).all() and (one[1] == again[1]).all()
    assert (one[1] != other[1]).any()


def test_a_lesion_that_would_lie_in_the_air_is_not_pasted():
    pixels, mask = head(60)
    pixels[:, : SIZE // 4], pixels[:, -SIZE // 4 :] = 0, 0
    pixels[: SIZE // 2] = 0
    result, marked = paste_lesion(pixels, mask, *head(60, lesion=200), rng=np.random.default_rng(0))
    assert result is pixels and marked is mask


def test_an_own_lesion_keeps_its_mask_and_is_not_pasted_over():
    pixels, mask = head(60, lesion=150)
    small, large = mask.copy(), np.full_like(mask, 255)
    small[44:] = 0
    for own in (small, large):
        marked = paste_lesion(pixels, own, *head(60, lesion=200), rng=np.random.default_rng(1))[1]
        assert (marked >= own).all()
    assert marked is large
