"""NIfTI: however a file lays its axes, slices are axial with left and front where they belong."""

from __future__ import annotations

import gzip
import itertools

import nibabel
import numpy as np
import pytest

from btmodels.errors import DecodeError
from btmodels.io import nifti as nifti_module
from btmodels.io import raster
from btmodels.io.nifti import read_nifti
from btmodels.io.read import read_file
from tests.btmodels.reading import pixels, read
from tests.btmodels.scanner import nifti

RAS = np.random.default_rng(2).integers(0, 256, (4, 5, 6), np.uint8)
"""Indices grow to the right, front and top."""

SHOWN = RAS[::-1, ::-1].transpose(2, 1, 0)
"""The same as slices from the feet up, rows from the front, columns from the patient's right."""


def studies(*files: tuple[str, bytes], chosen=None):
    return read(files, chosen)


def turned(axes: tuple[int, int, int], signs: tuple[int, int, int]):
    """The volume of `RAS` with other axes, and the affine that says so."""
    values = RAS.transpose(axes)
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    sizes = np.array([1.0, 2.0, 3.0])
    for own, axis in enumerate(axes):
        affine[axis, own] = sizes[axis] * signs[own]
        if signs[own] < 0:
            affine[axis, 3] += sizes[axis] * (values.shape[own] - 1)
    steps = tuple(slice(None, None, sign) for sign in signs)
    return np.ascontiguousarray(values[steps]), affine


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_all_48_ways_to_lie_give_the_same_slices(axes, signs):
    values, affine = turned(axes, signs)
    (scan,) = read_nifti(nifti(values, affine), "x.nii")
    np.testing.assert_array_equal(scan.values, SHOWN)
    assert scan.grid.spacing == (3.0, 2.0, 1.0)
    np.testing.assert_array_equal(scan.grid.own(scan.values), values)
    np.testing.assert_allclose(
        scan.grid.shown_affine @ [0, 0, 0, 1], [3, 8, 0, 1]
    )  # the first shown voxel is right-most, front-most and lowest: of `RAS` the last, last, first


@pytest.mark.parametrize(
    ("shape", "axes", "spacing", "said"),
    [
        ((5, 40, 30), (0, 2, 1), (3.0, 0.9), "was recorded in sagittal slices"),
        ((1, 40, 30), (0, 2, 1), (3.0, 0.9), "is a sagittal slice"),
        ((40, 6, 30), (1, 2, 0), (3.0, 5.0), "was recorded in coronal slices"),
    ],
)
@pytest.mark.parametrize("stored", [(0, 1, 2), (1, 2, 0)])
def test_a_few_slices_of_another_plane_are_shown_in_it_and_said(shape, axes, spacing, said, stored):
    values = np.random.default_rng(4).integers(0, 256, shape, np.uint8)
    affine = np.diag([5.0, 0.9, 3.0, 1.0])[:, [*stored, 3]]
    own = np.ascontiguousarray(values.transpose(stored))
    (scan,) = read_nifti(nifti(own, affine), "x.nii")
    np.testing.assert_array_equal(scan.values, values[::-1, ::-1, ::-1].transpose(axes))
    np.testing.assert_array_equal(scan.grid.own(scan.values), own)
    assert scan.grid.pixel_spacing == pytest.approx(spacing)
    assert scan.notes == (f"x.nii {said}; the networks know only axial ones.",)


@pytest.mark.parametrize("two", [False, True])
def test_both_versions_and_byte_orders_and_gzip(two):
    data = nifti(RAS, np.eye(4), two=two)
    image = (nibabel.Nifti2Image if two else nibabel.Nifti1Image)(RAS, np.eye(4))
    swapped = type(image)(
        RAS.astype(">i2"), np.eye(4), header=type(image.header)(endianness=">")
    ).to_bytes()
    for each in (data, gzip.compress(data), swapped, gzip.compress(swapped)):
        ((scan),) = read_file(each, "x.nii.gz")
        np.testing.assert_array_equal(scan.values, SHOWN)
    assert scan.names[0] == "x_1"


def test_slope_and_intercept_are_applied():
    image = nibabel.Nifti1Image(RAS.astype(np.int16), np.eye(4))
    image.header.set_slope_inter(2, -10)
    # nibabel takes scaled values, so the raw ones are written manually.
    data = bytearray(image.to_bytes())
    data[352:] = RAS.astype("<i2").tobytes(order="F")
    data[112:120] = np.array([2, -10], "<f4").tobytes()
    (scan,) = read_nifti(bytes(data), "x.nii")
    values = SHOWN * 2.0 - 10
    low, high = np.percentile(values, 0.1), values.max()
    expected = np.rint((np.maximum(values, low) - low) * 255 / (high - low))
    np.testing.assert_array_equal(scan.values, expected)


def test_one_very_bright_voxel_does_not_darken_the_rest():
    values = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.float32)
    values[4, 4, 4] = np.nan
    (plain,) = read_nifti(nifti(values, np.eye(4)), "x.nii")
    values[3, 3, 3] = 1e6
    (scan,) = read_nifti(nifti(values, np.eye(4)), "x.nii")
    changed = scan.values != plain.values
    assert changed.sum() <= 1 and scan.values[3, 16, 16] == 255
    assert any("NaN" in note for note in scan.notes)


def test_no_coordinates_and_no_size_are_said_and_none_made_up():
    (scan,) = read_nifti(nifti(RAS), "x.nii")
    assert scan.grid.affine is None and scan.grid.spacing is None
    assert any("how large its voxels" in note for note in scan.notes)
    assert any("lies in space" in note for note in scan.notes)
    # The usual order: the first axis to the left, the second to the front.
    np.testing.assert_array_equal(scan.values, RAS[:, ::-1].transpose(2, 1, 0))


def test_meters_become_millimeters():
    affine = np.diag([0.001, 0.002, 0.003, 1])
    (scan,) = read_nifti(nifti(RAS, affine, "meter"), "x.nii")
    assert scan.grid.spacing == pytest.approx((3, 2, 1))


def test_three_files_are_three_channels_whatever_their_order():
    files = [
        ("case_t1ce.nii", nifti(RAS // 2, np.eye(4))),
        ("case_seg.nii.gz", gzip.compress(nifti((RAS > 200).astype(np.uint8) * 4, np.eye(4)))),
        ("case_t1.nii", nifti(255 - RAS, np.eye(4))),
        ("case_t2.nii", nifti(RAS, np.eye(4))),
        ("case_flair.nii", nifti(RAS, np.eye(4))),
    ]
    assembly = studies(*files)
    (study,) = assembly.studies
    np.testing.assert_array_equal(
        pixels(study), np.stack([255 - SHOWN, SHOWN, SHOWN // 2], axis=-1)
    )
    truth = np.stack([each.truth for each in study.slices])
    np.testing.assert_array_equal(truth, SHOWN > 200)
    assert len(assembly.notes) == 1 and "case_t2.nii" in assembly.notes[0].text


def test_flair_stands_in_for_what_is_missing():
    (study,) = studies(
        ("a_flair.nii", nifti(RAS, np.eye(4))), ("a_t1c.nii", nifti(RAS // 2, np.eye(4)))
    ).studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN, SHOWN, SHOWN // 2], axis=-1))
    assert study.slices[0].notes == ()  # the input check says it, and once is enough


def test_without_a_flair_it_is_said_that_little_can_be_expected():
    (study,) = studies(("a_t1.nii", nifti(RAS, np.eye(4)))).studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN] * 3, axis=-1))
    assert any("without FLAIR" in note for note in study.slices[0].notes)


def test_sequences_are_assigned_by_hand():
    files = [("one.nii", nifti(RAS, np.eye(4))), ("two.nii", nifti(RAS // 2, np.eye(4)))]
    alone = studies(*files)
    assert len(alone.studies) == 2
    first, second = (scan.id for scan in alone.scans)
    (study,) = studies(*files, chosen={first: "post", second: "flair"}).studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN // 2, SHOWN // 2, SHOWN], axis=-1))
    (study,) = studies(*files, chosen={first: "other"}).studies
    assert study.title == "two.nii"
    (study,) = studies(*files, chosen={second: "mask"}).studies
    np.testing.assert_array_equal(study.slices[0].truth, SHOWN[0] // 2 > 0)


def test_other_voxels_are_resampled_by_the_coordinates_in_the_files():
    fine = np.zeros((8, 10, 12), np.uint8)
    fine[2:6, 4:6, 6:8] = 200
    coarse = fine[::2, ::2, ::2]
    (study,) = studies(
        ("a_flair.nii", nifti(fine, np.eye(4))),
        ("a_t1.nii", nifti(coarse, np.diag([2.0, 2, 2, 1]))),
    ).studies
    pre = pixels(study)[..., 0]
    assert pre.shape == (12, 10, 8)
    # Where the coarse voxels lie the values are theirs.
    back = study.slices[0].position.grid.own(pre)
    np.testing.assert_array_equal(back[::2, ::2, ::2], coarse)
    assert any("resampled" in note for note in study.slices[0].notes)


def test_scans_of_other_places_stay_apart():
    away = np.eye(4)
    away[:3, 3] = 500
    assembly = studies(("a_flair.nii", nifti(RAS, np.eye(4))), ("a_t1.nii", nifti(RAS, away)))
    assert len(assembly.studies) == 2


def test_four_dimensions_give_the_first_volume_and_the_rest_by_hand():
    values = np.stack([RAS, RAS // 2, RAS // 3], axis=-1)
    data = ("many.nii", nifti(values, np.eye(4)))
    assembly = studies(data)
    (study,) = assembly.studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN] * 3, axis=-1))
    ids = [scan.id for scan in assembly.scans]
    (study,) = studies(data, chosen={ids[1]: "pre", ids[2]: "post"}).studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN // 2, SHOWN, SHOWN // 3], axis=-1))
    long = np.repeat(RAS[..., None], 9, axis=-1)
    (study,) = studies(("film.nii", nifti(long, np.eye(4)))).studies
    assert any("9 volumes; only the first" in note for note in study.slices[0].notes)


def test_colors_stay_colors():
    colors = np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colors["R"], colors["G"], colors["B"] = RAS, RAS // 2, RAS // 3
    (study,) = studies(("c.nii", nifti(colors, np.eye(4)))).studies
    np.testing.assert_array_equal(pixels(study), np.stack([SHOWN, SHOWN // 2, SHOWN // 3], axis=-1))


def announced(*sizes: int, code: int = 4) -> bytes:
    """A header that announces a volume and holds nothing of it."""
    header = nibabel.Nifti1Header()
    header.set_data_shape(sizes)
    header["datatype"] = code
    header["bitpix"] = 16
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    return header.binaryblock + bytes(8)


REFUSED = {
    "cut.nii": (nifti(RAS, np.eye(4))[:-1], "cut off"),
    "short.nii": (nifti(RAS, np.eye(4))[:350], "cut off"),
    "vast.nii": (announced(30000, 30000, 1), "megapixels"),
    "deep.nii": (announced(600, 600, 600), "MB unpacked"),
    "long.nii": (announced(20, 20, 2_000), "1,000 per side"),
    "complex.nii": (nifti(RAS.astype(np.complex64), np.eye(4)), "complex"),
    "tensor.nii": (nifti(np.zeros((3, 3, 3, 1, 6), np.float32), np.eye(4)), "5-dimensional"),
    "odd.nii": (announced(4, 4, 4, code=999), "damaged"),
    "bad.nii.gz": (gzip.compress(nifti(RAS, np.eye(4)))[:-30], "cut off"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_a_sentence(name):
    data, what = REFUSED[name]
    with pytest.raises(DecodeError, match=what) as caught:
        read_file(data, f"a/{name}")
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    for module in (nifti_module, raster):
        monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    with pytest.raises(DecodeError, match="MB unpacked"):
        read_file(gzip.compress(bytes(2_000_000)), "bomb.nii.gz")
