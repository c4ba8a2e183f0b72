"""More faults of the kinds of `test_cases`: each input is made from a stack whose truth is known."""

from __future__ import annotations

import io
import struct

import nibabel
import numpy as np
import pytest

from btmodels.io.study import Study
from tests.btmodels.case_files import (
    AFFINE,
    FLAIR,
    POST,
    PRE,
    Files,
    case,
    deep,
    flipped,
    patient,
    series,
    tiff,
    truth,
    volume,
    zipped,
)
from tests.btmodels.reading import pixels, read, texts

SEQUENCES = (PRE, FLAIR, POST)


def shows(found: Study, number: int = 0, post: int = POST) -> bool:
    """Whether a study holds the three sequences of one patient, untouched."""
    expected = [patient(number)[channel] for channel in (PRE, FLAIR, post)]
    return np.array_equal(pixels(found), np.stack(expected, axis=-1))


def marked(found: Study) -> np.ndarray | None:
    if any(each.truth is None for each in found.slices):
        return None
    return np.stack([each.truth for each in found.slices])


def slice_of(number: int) -> np.ndarray:
    return np.ascontiguousarray(patient(number)[:, 4].transpose(1, 2, 0))


def levels(files: Files) -> np.ndarray:
    (found,) = read(files, bulk=True).studies
    return pixels(found)[..., FLAIR]


# Who belongs together.


def test_zips_of_two_patients_are_folders():
    packed = [zipped(case("")), zipped(case("", post="", seg="", number=1))]
    first, second = read([("P1.zip", packed[0]), ("P2.zip", packed[1])]).studies
    assert shows(first) and shows(second, 1, FLAIR)
    np.testing.assert_array_equal(marked(first), truth())
    assert marked(second) is None and (first.folder, second.folder) == ("P1", "P2")


def test_a_mask_beside_two_volumes_of_one_name_is_nobodys():
    files = [("flair.nii", volume(patient(n)[FLAIR])) for n in (0, 1)]
    batch = read([*files, ("seg.nii", volume(truth()))])
    assert [marked(found) for found in batch.studies] == [None, None]
    assert "seg.nii is a mask, and no volume of its patient" in texts(batch)


def _derivatives() -> Files:
    files: Files = {}
    for number in (0, 1):
        place, stem = f"sub-{number}/ses-1/anat/", f"sub-{number}_ses-1_"
        for channel, word in zip(SEQUENCES, ("T1w", "FLAIR", "ce-gd_T1w"), strict=True):
            files[f"{place}{stem}{word}.nii"] = volume(patient(number)[channel])
        mask = volume(patient(number)[FLAIR] > 150)
        files[f"derivatives/hd-glio/{place}{stem}space-T1w_label-lesion_mask.nii"] = mask
    return files


def _nnunet() -> Files:
    files: Files = {}
    for number in (0, 1):
        files[f"imagesTr/BRATS_00{number}_0000.nii"] = volume(patient(number)[FLAIR])
        files[f"labelsTr/BRATS_00{number}.nii"] = volume(patient(number)[FLAIR] > 150)
    return files


@pytest.mark.parametrize("files", [_derivatives, _nnunet])
def test_masks_in_trees_of_their_own_are_the_truth_of_their_patient(files):
    batch = read(files(), bulk=True)
    for number, found in enumerate(batch.studies):
        np.testing.assert_array_equal(marked(found), patient(number)[FLAIR] > 150)
    assert len(batch.studies) == 2 and not batch.notes


@pytest.mark.parametrize("word", ["lesion", "Tum" + "our", "OT", "maske", "dseg", "whole_tumor"])
def test_labels_are_known_by_what_they_hold(word):
    files = case("p1_", seg="") | {f"p1_{word}.nii": volume(truth().astype(np.uint8) * 4)}
    (found,) = read(files, bulk=True).studies
    np.testing.assert_array_equal(marked(found), truth())


@pytest.mark.parametrize("number", [0, 1])
def test_a_mask_that_covers_the_head_is_none_of_a_tumor(number):
    files = case("p_", seg="", number=number)
    files["p_flair_mask.nii"] = volume(patient(number)[FLAIR] > 20)
    batch = read(files, bulk=True)
    assert marked(batch.studies[0]) is None and "of the head, as masks of a brain do" in texts(
        batch
    )


@pytest.mark.parametrize("soft", [0.999, 1.0])
def test_a_mask_is_the_same_as_labels_and_as_resampled_numbers(soft):
    noise = np.random.default_rng(0).normal(0, 1e-6, truth().shape)
    values = truth().astype(np.float32) * np.float32(soft) + noise.astype(np.float32)
    for mask in (values, truth() * np.int16(1000), np.where(truth(), 1, -1).astype(np.int16)):
        (found,) = read(case("p_", seg="") | {"p_seg.nii": volume(mask)}, bulk=True).studies
        np.testing.assert_array_equal(marked(found), truth())


def test_a_mask_of_several_volumes_or_colors_is_not_shown_as_a_scan():
    own = np.ascontiguousarray(truth()[:, ::-1].transpose(2, 1, 0)).astype(np.uint8)
    colors = np.zeros(own.shape, [(name, "u1") for name in "RGB"])
    colors["R"] = own * 255
    for mask, what in ((np.stack([own] * 3, axis=-1), "3 volumes"), (colors, "colors")):
        packed = nibabel.Nifti1Image(mask, flipped(AFFINE)).to_bytes()
        batch = read(case("p_", seg="") | {"p_seg.nii": packed}, bulk=True)
        assert len(batch.studies) == 1 and f"named as a mask and holds {what}" in texts(batch)


@pytest.mark.parametrize("other", [{}, {"q_flair.tif": 1}, {"p.tif": 1}], ids=str)
def test_a_mask_of_pictures_by_sequence_is_the_truth_of_their_case(other):
    files = {
        f"p_{word}.tif": tiff(patient()[channel][4].copy())
        for word, channel in (("flair", FLAIR), ("t1", PRE), ("t1ce", POST))
    }
    files["p_mask.tif"] = tiff(np.where(truth()[4], 255, 0).astype(np.uint8))
    files |= {name: tiff(patient(n)[FLAIR][4].copy()) for name, n in other.items()}
    found = {study.title: study.slices[0].truth for study in read(files, bulk=True).studies}
    own = "p.tif" if "p.tif" in other else "p_flair.tif"  # by its own name, whoever else is there
    np.testing.assert_array_equal(found.pop(own), truth()[4])
    assert len(found) == len(other) and not any(each is not None for each in found.values())


def test_voxels_do_not_begin_within_the_header():
    packed = volume(patient()[FLAIR], at_108=struct.pack("<f", 0))
    np.testing.assert_array_equal(levels({"x.nii": packed}), patient()[FLAIR])


# Space.


def _both(matrix=None, code: int = 1) -> bytes:
    """FLAIR with a rotation that is right and a matrix that is not."""
    own = np.ascontiguousarray(patient()[FLAIR][:, ::-1].transpose(2, 1, 0))
    image = nibabel.Nifti1Image(own, flipped(AFFINE))
    image.set_qform(flipped(AFFINE), 1)
    image.header.set_xyzt_units("mm")
    data = bytearray(image.to_bytes())
    data[254:256] = struct.pack("<h", code)
    data[280:328] = np.asarray(matrix, "<f4")[:3].tobytes()
    return bytes(data)


@pytest.mark.parametrize(
    "matrix", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(4)], ids=["zeros", "nan", "unit"]
)
def test_a_rotation_stands_in_for_a_matrix_that_cannot_be_one(matrix):
    (found,) = read({"x_flair.nii": _both(matrix)}).studies
    np.testing.assert_array_equal(pixels(found)[..., 1], patient()[FLAIR])
    # Slice 2, row 10, column 20, to the right, front and top.
    place = found.slices[0].position.grid.shown_affine @ [2, 10, 20, 1]
    np.testing.assert_allclose(place[:3], [57 - 36, 57 - 18, -28], atol=1e-3)


def test_a_size_without_a_place_is_kept_as_stated():
    data = volume(patient()[FLAIR], None, at_80=struct.pack("<3f", 1.8, 1.8, 6.0))
    batch = read({"x_flair.nii": data[:123] + b"\2" + data[124:]})
    assert batch.studies[0].slices[0].spacing == pytest.approx((1.8, 1.8))
    assert "does not say how it lies" in texts(batch)
    odd = volume(patient()[FLAIR], None, at_80=struct.pack("<3f", 0.0018, 0.0018, 0.006))
    batch = read({"x_flair.nii": odd})
    assert batch.studies[0].slices[0].spacing is None
    assert "names voxels of 0.0018 x 0.0018 x 0.006 mm, which no scan" in texts(batch)


VALUES = deep(patient()[FLAIR])
IRREGULAR = {
    "directions": lambda n: {"ImageOrientationPatient": None} if n == 3 else {},
    "first size": lambda n: {"PixelSpacing": None} if n == 0 else {},
    "both": lambda n: {"ImageOrientationPatient": None, "PixelSpacing": None} if n == 7 else {},
}


@pytest.mark.parametrize("name", IRREGULAR)
def test_what_one_slice_leaves_out_its_series_says(name):
    batch = read(series(VALUES, each=IRREGULAR[name]), bulk=True)
    (found,) = batch.studies
    np.testing.assert_array_equal(pixels(found)[..., 1], levels(series(VALUES)))
    assert found.slices[0].position.grid.spacing == (6.0, 1.8, 1.8)
    assert "what the rest of its series says was taken" in texts(batch)


@pytest.mark.parametrize("order", ["number", "location"])
def test_slices_without_a_place_go_by_location_or_number(order):
    count = len(VALUES)
    fields = {
        "number": lambda n: {"ImagePositionPatient": [0, 0, 0], "InstanceNumber": n + 1},
        "location": lambda n: {
            "ImagePositionPatient": None,
            "SliceLocation": 6.0 * n,
            "InstanceNumber": count - n,
        },
    }
    batch = read(series(VALUES, each=fields[order]), bulk=True)
    (found,) = batch.studies
    np.testing.assert_array_equal(pixels(found)[..., 1], levels(series(VALUES)))
    assert f"put in the order of their {order}s" in texts(batch)
    assert found.slices[0].position.grid.spacing is None


def test_a_copy_under_another_number_is_a_copy_and_named_by_its_folder():
    again = series(VALUES, each=lambda n: {"SOPInstanceUID": f"1.9.{n}"})
    files = {f"A/{name}": data for name, data in series(VALUES).items()}
    batch = read(files | {"B/03.dcm": again["03.dcm"]}, bulk=True)
    assert [len(found.slices) for found in batch.studies] == [8]
    (note,) = batch.notes
    assert note.text == "B/03.dcm is a copy of A/03.dcm and was left out."
    assert note.source.endswith("B/03.dcm")


def test_equal_coordinates_that_count_from_other_points_are_told():
    files = series(VALUES, "f", 1)
    files |= series(VALUES, "t", 2, SeriesDescription="AX T1", FrameOfReferenceUID="1.5.5")
    batch = read(files, bulk=True)
    assert len(batch.studies) == 1 and "name two frames of reference" in texts(batch)


# Values.


def test_few_dark_or_bright_voxels_set_neither_black_nor_white():
    rng = np.random.default_rng(0)
    values = deep(patient()[FLAIR], np.int16)
    expected = levels({"x_flair.nii": volume(values)})
    for far, count in ((-120, 1), (-500, 30), (20_000, 30)):
        spoiled = values.copy()
        where = rng.integers(0, values.size, count)
        spoiled.reshape(-1)[where] = far
        found = levels({"x_flair.nii": volume(spoiled)})
        same = np.ones(values.size, bool)
        same[where] = False
        away = np.abs(found.reshape(-1)[same].astype(int) - expected.reshape(-1)[same])
        assert away.max() <= 2, far


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5])
def test_a_window_that_makes_a_tumor_white_is_set_aside(share):
    top = share * VALUES.max()
    batch = read(series(VALUES, WindowCenter=top / 2, WindowWidth=top), bulk=True)
    np.testing.assert_array_equal(pixels(batch.studies[0])[..., 1], levels(series(VALUES)))
    assert "makes much of what is bright white, so it was left out" in texts(batch)


def test_inverted_values_keep_what_is_bright():
    # Of white as the smallest value the bright end is the lower one: no tumor is cut off.
    files = series(1020 - VALUES, PhotometricInterpretation="MONOCHROME1")
    assert np.abs(levels(files).astype(int) - levels(series(VALUES))).max() <= 1


@pytest.mark.parametrize(
    "lacking", ["PhotometricInterpretation", "SamplesPerPixel", "PixelRepresentation", "HighBit"]
)
def test_what_a_file_leaves_out_of_its_pixels_is_usual(lacking):
    np.testing.assert_array_equal(levels(series(VALUES, **{lacking: None})), levels(series(VALUES)))


# Files.


def test_a_smaller_page_of_the_same_shape_is_a_thumbnail_though_it_does_not_say_so():
    import io

    import tifffile

    picture = np.kron(patient()[:, 4].transpose(1, 2, 0), np.ones((4, 4, 1), np.uint8))
    for pages in ((picture[::4, ::4], picture), (picture, picture[::2, ::2])):
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            for page in pages:
                writer.write(np.ascontiguousarray(page), photometric="rgb")
        (found,) = read({"x.tif": buffer.getvalue()}).studies
        np.testing.assert_array_equal(pixels(found)[0], picture)


def test_a_path_that_a_zip_holds_twice_is_the_last_one():
    import io
    import warnings
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in (0, 1):
            file.writestr("x.tif", tiff(slice_of(number)))
    (found,) = read({"x.zip": buffer.getvalue()}).studies
    np.testing.assert_array_equal(pixels(found)[0], slice_of(1))


NAMED = {
    "x.jxl": (b"\xff\x0a" + bytes(40), "JPEG XL"),
    "x.pgm": (b"P5\n64 64\n255\n" + bytes(40), "Netpbm"),
    "x.psd": (b"8BPS\0\1" + bytes(40), "Photoshop"),
    "x.tar": (bytes(257) + b"ustar" + bytes(250), "tar archive"),
    "x.nii.zst": (b"\x28\xb5\x2f\xfd" + bytes(40), "Zstandard"),
    "x.npy": (b"\x93NUMPY\1\0" + bytes(40), "NumPy"),
    "x.dcm": (series(VALUES)["04.dcm"][:400], "may be cut off"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_read_is_called_by_its_name(name):
    data, what = NAMED[name]
    (error,) = read({name: data}).errors
    assert what in error.text and error.text.startswith(name)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair, nibabel.AnalyzeImage])
def test_a_volume_in_two_files_is_named_in_a_folder_too(kind):
    pair = kind(VALUES.transpose(2, 1, 0).astype(np.int16), np.eye(4))
    buffers = pair.make_file_map({"header": io.BytesIO(), "image": io.BytesIO()})
    pair.to_file_map(buffers)
    files = {f"a.{end}": buffers[part].fileobj.getvalue() for end, part in HALVES.items()}
    (error,) = read(files, bulk=True).errors
    assert error.text.startswith("a.hdr") and "in two files" in error.text


HALVES = {"hdr": "header", "img": "image"}
