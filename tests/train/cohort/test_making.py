"""Making synthetic patients, on a ball of a brain that needs no template."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="making a cohort needs requirements-train.txt")

import train.cohort  # noqa: E402
from btmodels.dataset.cohort import read_cohort, read_slice  # noqa: E402
from btmodels.slices import FLAIR  # noqa: E402
from train.cohort import anatomy, patients  # noqa: E402
from train.cohort.fields import Grid, Noise, rise  # noqa: E402
from train.cohort.figures import Reference  # noqa: E402
from train.cohort.lesions import Lesion, Plan  # noqa: E402
from train.cohort.physics import (  # noqa: E402
    CODES,
    TISSUES,
    Scanner,
    Sequence,
    Tissue,
    acquire,
    signal,
)
from train.cohort.render import render  # noqa: E402

WIDE_OPEN = Reference(((0.0,) * 9,) * 3, ((255.0,) * 9,) * 3, 71, 0.16)
PATIENT = patients.SyntheticPatient(
    "tiny", 5, (Plan((-25, 20, 25), 20, push=0.1, reach=26),), stand_ins=(2,)
)


@pytest.fixture(scope="module")
def ball() -> anatomy.Template:
    """A brain in the shape of a ball: white inside, gray outside, a small ventricle."""
    origin, step = (-120.0, -120.0, -120.0), 4.0
    axis = np.arange(61) * step - 120
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + (z - 10) ** 2).astype(np.float32)

    def grid(values) -> Grid:
        return Grid(np.asarray(values, np.float32), origin, step)

    return anatomy.Template(
        t1=grid(radius < 70),
        white=grid(rise(radius, 66, 60)),
        gray=grid(rise(radius, 60, 66)),
        from_white=grid(np.maximum(radius - 63, 0)),
        ridge=grid(np.zeros_like(radius)),
        sulci=grid(np.zeros_like(radius)),
        from_ventricle=grid(radius - 12),
        from_brain=grid(radius - 70),
        from_hull=grid(radius - 70),
    )


@pytest.fixture(scope="module")
def rendered(ball):
    return render(PATIENT, ball, WIDE_OPEN, np.random.default_rng(3), size=64, oversample=1)


def test_slices_hold_a_head_and_its_lesion(rendered):
    assert rendered.pixels.shape == (5, 64, 64, 3) and rendered.pixels.dtype == np.uint8
    assert rendered.masks.shape == (5, 64, 64) and rendered.masks.dtype == bool
    mask = rendered.masks[2]
    assert mask.sum() >= 10
    flair = rendered.pixels[2, ..., FLAIR].astype(float)
    middle = np.zeros_like(mask)
    middle[20:44, 20:44] = True
    assert np.median(flair[mask]) > 1.2 * np.median(flair[middle & ~mask])


def test_patients_left_is_at_the_pictures_right(rendered):
    assert np.nonzero(rendered.masks[2])[1].mean() > 32


def test_flair_stands_in_for_what_is_missing(rendered):
    np.testing.assert_array_equal(rendered.pixels[..., 2], rendered.pixels[..., FLAIR])
    assert not np.array_equal(rendered.pixels[..., 0], rendered.pixels[..., FLAIR])


def test_same_seed_same_slices(ball, rendered):
    again = render(PATIENT, ball, WIDE_OPEN, np.random.default_rng(3), size=64, oversample=1)
    np.testing.assert_array_equal(again.pixels, rendered.pixels)
    other = render(PATIENT, ball, WIDE_OPEN, np.random.default_rng(4), size=64, oversample=1)
    assert not np.array_equal(other.pixels, rendered.pixels)


def test_no_lesion_no_mask(ball):
    person = replace(PATIENT, plans=())
    rng = np.random.default_rng(3)
    assert not render(person, ball, WIDE_OPEN, rng, size=64, oversample=1).masks.any()


def test_impossible_range_is_refused(ball):
    narrow = replace(WIDE_OPEN, low=((90.0,) * 9,) * 3, high=((92.0,) * 9,) * 3)
    with pytest.raises(ValueError, match="No gain"):
        render(PATIENT, ball, narrow, np.random.default_rng(3), size=64, oversample=1)


def test_run_writes_the_data_sets_layout(ball, tmp_path, monkeypatch):
    monkeypatch.setattr(anatomy, "load_template", lambda: ball)
    monkeypatch.setattr(patients, "PATIENTS", (PATIENT, replace(PATIENT, plans=(), stand_ins=())))
    monkeypatch.setattr("train.cohort.figures.load_reference", lambda path: WIDE_OPEN)
    content = train.cohort.run(tmp_path, seed=1, size=64, oversample=1)
    first, second = read_cohort(tmp_path)
    assert first.folder == "SYNT_AA_0001_20260101" and not first.problems
    assert first.files[0].image.name == "SYNT_AA_0001_20260101_1.tif"
    assert first.files[0].mask.name == "SYNT_AA_0001_20260101_1_mask.tif"
    assert len(second.files) == 5
    slice = read_slice(first, first.files[2])
    assert slice.pixels.shape == (64, 64, 3) and slice.truth.any()
    assert content["patients"][second.folder]["slices_with_lesion"] == 0
    assert (tmp_path / "cohort.json").is_file() and (tmp_path / "kaggle_3m/data.csv").is_file()


def test_run_refuses_unknown_patients(tmp_path):
    with pytest.raises(ValueError, match="numbered 1 to"):
        train.cohort.run(tmp_path, patients=[99])


def test_lesion_has_its_volume_and_spares_the_ventricle(ball):
    plan = Plan((-25, 20, 25), 20, reach=26)
    lesion = Lesion(ball, plan, np.random.default_rng(0))
    assert np.count_nonzero(lesion.border.values < 0) == pytest.approx(20_000, rel=0.25)
    points = np.zeros((3, 1), np.float32)
    points[2] = 10  # the ventricle's middle
    over = lesion.overlay(points, np.array([CODES["fluid"]], np.uint8))
    assert not over.inside.any()


def test_spin_echo_and_inversion_recovery_follow_their_equations():
    tissue = Tissue(1000, 100, 0.8)
    assert signal(tissue, Sequence(500, 10)) == pytest.approx(
        0.8 * (1 - np.exp(-0.5)) * np.exp(-0.1)
    )
    nulled = Sequence(1e9, 100, 4200 * np.log(2))
    assert signal(TISSUES["fluid"], nulled) == pytest.approx(0, abs=1e-9)
    enhanced = Tissue(1000, 100, 0.8, agent=1.0)
    assert signal(enhanced, Sequence(500, 10, injected=True)) > signal(enhanced, Sequence(500, 10))


def test_lesions_are_brighter_than_white_matter_on_flair_and_darker_on_t1():
    flair, plain = Sequence(9000, 120, 2400), Sequence(500, 12)
    assert signal(TISSUES["infiltrated"], flair) > 1.4 * signal(TISSUES["white"], flair)
    assert signal(TISSUES["infiltrated"], plain) < signal(TISSUES["white"], plain)


def test_noise_in_air_is_rician():
    quiet = acquire(
        np.zeros((64, 64)), Scanner((1.0, 1.0), 0.05, 0.0), 1.0, np.random.default_rng(0)
    )
    # Without signal Rician is Rayleigh, whose mean is sigma sqrt(pi / 2).
    assert quiet.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.15)


def test_noise_field_has_unit_variance():
    points = np.random.default_rng(1).uniform(-90, 90, (3, 20_000)).astype(np.float32)
    values = Noise(np.random.default_rng(0), 8)(points)
    assert abs(values.mean()) < 0.1 and values.std() == pytest.approx(1, abs=0.25)
