"""Faults of real files that once went wrong in silence: each with its right result, by its recipe."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from btmodels.io.study import Study
from tests.btmodels import case_files
from tests.btmodels.case_files import (
    CASES,
    FLAIR,
    POST,
    PRE,
    case,
    deep,
    patient,
    series,
    study,
    tiff,
    truth,
    volume,
)
from tests.btmodels.files import stretched
from tests.btmodels.reading import pixels, read, texts


def only(batch) -> Study:
    (found,) = batch.studies
    return found


def plain(values: np.ndarray) -> np.ndarray:
    """Levels of a stack of one sequence that is written without any fault."""
    return pixels(only(read(series(values), bulk=True)))[..., FLAIR]


def marked(found: Study) -> np.ndarray:
    return np.stack([each.truth for each in found.slices])


def channels(found: Study) -> list[np.ndarray]:
    return [pixels(found)[..., channel] for channel in range(3)]


def shown(channel: int, number: int = 0) -> np.ndarray:
    return patient(number)[channel]


def lies_like(levels: np.ndarray, sequence: np.ndarray) -> bool:
    """Whether levels are those of a sequence but for a straight line, and of no other."""
    return np.corrcoef(levels.ravel(), sequence.ravel())[0, 1] > 0.999


def test_01_directions_that_round_are_one_series():
    found = only(read(CASES["01_iop_jitter"](), bulk=True))
    np.testing.assert_array_equal(channels(found)[1], plain(deep(patient()[FLAIR])))
    assert found.slices[0].position.grid.spacing[0] == pytest.approx(6.0, abs=0.01)
    # 5.7 degrees of tilt are in the directions, and are no shear.
    assert "shifted against each other" not in texts(read(CASES["01_iop_jitter"]()))


def test_02_one_file_without_a_position_goes_where_its_number_is_free():
    batch = read(CASES["02_one_position_missing"](), bulk=True)
    found = only(batch)
    np.testing.assert_array_equal(channels(found)[1], plain(deep(patient()[FLAIR])))
    assert "03.dcm does not say where it lies" in texts(batch) and not batch.errors


def test_04_sagittal_slices_with_a_gap_are_cut_and_the_gap_is_said():
    batch = read(CASES["04_sagittal_3d_one_missing"](), bulk=True)
    found = only(batch)
    levels, expected = channels(found)[1], plain(deep(patient()[FLAIR]))
    there = np.arange(case_files.SIZE) != 30
    assert levels.shape == expected.shape and lies_like(levels[..., there], expected[..., there])
    assert "a slice is missing at" in texts(batch) and "sagittal" in texts(batch)
    assert found.slices[0].position.grid.missing


def test_06_slices_are_paired_by_position():
    batch = read(CASES["06_each_series_lacks_a_slice"](), bulk=True)
    found = only(batch)
    kept = [0, 2, 3, 4, 5, 6, 7]
    assert [each.name for each in found.slices] == [f"s0_{n:02d}.dcm" for n in kept]
    pre, flair, post = channels(found)
    for levels, channel in ((flair, FLAIR), (pre, PRE), (post, POST)):
        same = [at for at, n in enumerate(kept) if channel == FLAIR or n != 6]
        assert lies_like(levels[same], patient()[channel][[kept[at] for at in same]])
    np.testing.assert_array_equal(pre[5], flair[5])
    assert "s0_06.dcm: AX T1 (T1 before contrast agent) does not show this slice" in texts(batch)


@pytest.mark.parametrize("name", ["08_monochrome1_padding", "10_padding_range"])
def test_08_10_padding_is_black_and_sets_no_range(name):
    batch = read(CASES[name](), bulk=True)
    outside = np.broadcast_to(case_files._circle(), (8, 64, 64))
    expected = np.where(outside, 0, plain(deep(patient()[FLAIR])))
    found = channels(only(batch))[1]
    assert (found[outside] == 0).all()
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert "padding around its picture, which was made black" in texts(batch)


@pytest.mark.parametrize("name", ["12_t1_flair", "13_without_contrast", "15_words_before_plus_c"])
def test_12_13_15_three_sequences_by_their_descriptions(name):
    batch = read(CASES[name](), bulk=True)
    found = only(batch)
    assert len(found.slices) == 6 and not batch.notes and "missing" not in texts(batch)
    for levels, channel in zip(channels(found), (PRE, FLAIR, POST), strict=True):
        assert lies_like(levels, patient(count=6)[channel])


def test_13_a_description_is_not_cut_at_a_slash():
    batch = read(CASES["13_without_contrast"](), bulk=True)
    assert {"AX T1 W/O CONTRAST", "AX T1 W/ CONTRAST"} < {scan.name for scan in batch.scans}


def test_17_the_name_of_a_session_is_no_contrast():
    batch = read(CASES["17_bids_session_pre_post"](), bulk=True)
    assert [found.title for found in batch.studies] == [
        "sub-01_ses-post_FLAIR.nii",
        "sub-01_ses-pre_FLAIR.nii",
    ]
    for number, found in enumerate(batch.studies):
        for levels, channel in zip(channels(found), (PRE, FLAIR, POST), strict=True):
            np.testing.assert_array_equal(levels, shown(channel, number))


def test_18_of_two_t1_the_one_on_flairs_own_grid_counts():
    batch = read(CASES["18_sagittal_t1_first"](), bulk=True)
    found = only(batch)
    assert "resampled" not in texts(batch)
    assert lies_like(channels(found)[PRE], patient()[PRE])
    assert "SAG T1 is left out: AX T1 stands for" in texts(batch)
    # And it can be changed.
    sagittal = next(scan.id for scan in batch.scans if scan.name == "SAG T1")
    changed = read(CASES["18_sagittal_t1_first"](), {sagittal: "pre"}, bulk=True)
    assert "AX T1 is left out: SAG T1 stands for" in texts(changed)


def test_20_22_a_mask_of_the_brain_is_no_truth_and_glistrboost_is_one():
    for name in ("20_brain_mask_taken_for_truth", "22_glistrboost_as_scan"):
        batch = read(CASES[name](), bulk=True)
        np.testing.assert_array_equal(marked(only(batch)), truth())
        assert not batch.errors
    assert "brain_segmentation.nii is named as a mask of something other than a tumor" in texts(
        read(CASES["20_brain_mask_taken_for_truth"](), bulk=True)
    )


def test_23_patients_in_folders_share_nothing():
    first, second = read(CASES["23_two_patients_same_names"](), bulk=True).studies
    assert first.folder == "A" and all(each.truth is None for each in first.slices)
    np.testing.assert_array_equal(channels(first)[2], shown(FLAIR))
    np.testing.assert_array_equal(channels(first)[0], shown(PRE))
    for levels, channel in zip(channels(second), (PRE, FLAIR, POST), strict=True):
        np.testing.assert_array_equal(levels, shown(channel, 1))
    np.testing.assert_array_equal(marked(second), shown(FLAIR, 1) > 150)


def test_25_two_patients_series_of_one_description_have_titles_of_their_own():
    first, second = read(CASES["25_two_studies_one_nifti"](), bulk=True).studies
    assert [first.title, second.title] == ["AX FLAIR", "AX FLAIR (2)"]
    assert lies_like(channels(second)[1], shown(FLAIR, 1))


def test_26_what_has_no_coordinates_is_paired_voxel_by_voxel():
    batch = read(CASES["26_no_coordinates_beside_coordinates"](), bulk=True)
    found = only(batch)
    np.testing.assert_array_equal(channels(found)[0], shown(PRE))
    np.testing.assert_array_equal(marked(found), truth())
    assert "c_t1.nii does not say where it lies" in texts(batch)


def test_28_a_size_of_nothing_is_no_size():
    batch = read(CASES["28_pixdim_zero"]())
    assert only(batch).slices[0].spacing is None
    assert "does not say how large its voxels are" in texts(batch)


def test_30_46_far_and_negative_values_change_nothing():
    expected = channels(only(read({"x_flair.nii": volume(deep(patient()[FLAIR], np.int16))})))[1]
    far = channels(only(read(CASES["30_one_far_negative_voxel"]())))[1]
    assert (far != expected).sum() <= 1
    shifted = channels(only(read(CASES["46_rises_from_to_the_same"]())))[1]
    np.testing.assert_array_equal(shifted, expected)


def test_32_a_sequence_that_is_left_out_is_a_note_on_its_own_file():
    batch = read(CASES["32_t2_left_out_is_no_error"](), bulk=True)
    assert not batch.errors
    (note,) = batch.notes
    assert note.source.endswith("t2w.nii") and "t2w.nii is a sequence" in note.text


def test_33_35_pages_are_channels_or_thumbnails():
    for name in ("33_three_pages_are_three_channels", "35_thumbnail_first"):
        found = only(read(CASES[name]()))
        np.testing.assert_array_equal(pixels(found)[0], patient()[:, 4].transpose(1, 2, 0))


def test_37_39_a_zip_of_a_mac_and_one_with_a_damaged_member():
    assert len(read(CASES["37_mac_zip"]()).studies) == 3
    batch = read(CASES["39_one_bad_member"]())
    assert [found.title for found in batch.studies] == ["x_0.tif", "x_1.tif", "x_3.tif"]
    (error,) = batch.errors
    assert error.source.endswith("x.zip/x_2.tif") and "damaged" in error.text


def test_41_slices_that_a_sequence_does_not_cover_get_flair():
    batch = read(CASES["41_t1_covers_part"](), bulk=True)
    pre, flair, post = channels(only(batch))
    assert lies_like(pre[:5], patient()[PRE][:5]) and lies_like(post, patient()[POST])
    np.testing.assert_array_equal(pre[5:], flair[5:])
    said = texts(batch)
    assert all(f"s0_0{n}.dcm: AX T1 (T1 before" in said for n in (5, 6, 7))
    assert "s0_04.dcm: AX T1" not in said


def test_43_a_file_is_what_it_holds_whatever_its_ending():
    found = only(read(CASES["43_dicom_named_png"]()))
    assert found.slices[0].position.grid.kind == "DICOM"


@pytest.mark.filterwarnings("error")
def test_45_what_is_transparent_is_black_without_a_warning():
    batch = read(CASES["45_palette_with_transparency"]())
    assert not batch.errors and "transparency" in texts(batch)


# More of the same kinds.


@pytest.mark.parametrize("apart", [True, False], ids=["folders", "flat"])
def test_labels_of_common_data_sets_are_truths(apart):
    names = {
        "UPENN-GBM-00001_11_segm": ("UPENN-GBM-00001_11_", "FLAIR", "T1", "T1GD"),
        "BraTS20_Training_001_seg": ("BraTS20_Training_001_", "flair", "t1", "t1ce"),
        "UCSF-PDGM-0004_tumor_segmentation": ("UCSF-PDGM-0004_", "FLAIR_bias", "T1_bias", "T1c_bias"),
    }  # fmt: skip
    files = {}
    for mask, (stem, *sequences) in names.items():
        folder = f"{stem}x/" if apart else ""
        files |= {f"{folder}{n}": d for n, d in case(stem, *sequences, seg="").items()}
        files[f"{folder}{mask}.nii"] = volume(truth())
    files["UPENN-GBM-00001_11_automated_approx_segm.nii"] = volume(truth() & False)
    batch = read(files, bulk=True)
    assert len(batch.studies) == 3
    for found in batch.studies:
        np.testing.assert_array_equal(marked(found), truth())
        for levels, channel in zip(channels(found), (PRE, FLAIR, POST), strict=True):
            np.testing.assert_array_equal(levels, shown(channel))


def test_labels_in_a_folder_of_their_own_belong_by_name():
    files = {}
    for number in range(2):
        flair = patient(number)[FLAIR]
        files[f"imagesTr/case_{number}.nii"] = volume(flair)
        files[f"labelsTr/case_{number}.nii"] = volume(flair > 150)
    for number, found in enumerate(read(files, bulk=True).studies):
        np.testing.assert_array_equal(channels(found)[1], shown(FLAIR, number))
        np.testing.assert_array_equal(marked(found), shown(FLAIR, number) > 150)


def test_folders_by_sequence_are_one_patient_and_visits_named_t1_and_t2_are_two():
    values = patient()
    by_sequence = {
        f"P/{folder}/scan.nii": volume(values[channel])
        for folder, channel in (("FLAIR", FLAIR), ("T1", PRE), ("T1wCE", POST))
    }
    (found,) = read(by_sequence, bulk=True).studies
    for levels, channel in zip(channels(found), (PRE, FLAIR, POST), strict=True):
        np.testing.assert_array_equal(levels, shown(channel))
    visits = {**case("T1/", post="", seg=""), **case("T2/", number=1)}
    first, second = read(visits, bulk=True).studies
    np.testing.assert_array_equal(channels(first)[2], shown(FLAIR))
    np.testing.assert_array_equal(channels(second)[2], shown(POST, 1))


def test_files_of_one_name_in_one_place_are_never_mixed():
    files = [
        *((f"{name}.nii", volume(patient(0)[c])) for name, c in (("flair", FLAIR), ("t1", PRE))),
        *((f"{name}.nii", volume(patient(1)[c])) for name, c in (("flair", FLAIR), ("t1", PRE))),
    ]
    for found in read(files).studies:
        pre, flair, _ = channels(found)
        own = [[shown(channel, number) for channel in (PRE, FLAIR)] for number in (0, 1)]
        owners = [
            {n for n in (0, 1) if any(np.array_equal(levels, each) for each in own[n])}
            for levels in (pre, flair)
        ]
        assert owners[0] == owners[1] and len(owners[0]) == 1


def test_equal_numbers_in_two_folders_are_two_patients():
    # An anonymizer that writes the same UIDs for all: only the folders are left to tell.
    files = {}
    for number, folder in enumerate("AB"):
        for channel, text, at in ((FLAIR, "AX FLAIR", 1), (PRE, "AX T1", 2)):
            values = deep(patient(number)[channel])
            files |= series(values, f"{folder}/{at}_", at, SeriesDescription=text)
    found = read(files, bulk=True).studies
    assert len(found) == 2
    for number, each in enumerate(found):
        assert lies_like(channels(each)[1], shown(FLAIR, number))
        assert lies_like(channels(each)[0], shown(PRE, number))


def test_studies_stay_apart_though_patient_and_frame_of_reference_are_equal():
    # Whoever removes names may write one of both for all.
    files = {}
    for number in range(2):
        fields = {"StudyInstanceUID": f"1.2.{number}.7", "SeriesInstanceUID": f"1.2.{number}.1"}
        for channel, text, at in ((FLAIR, "AX FLAIR", 1), (PRE, "AX T1", 2)):
            fields |= {"SeriesInstanceUID": f"1.2.{number}.{at}", "SeriesDescription": text}
            files |= series(deep(patient(number)[channel]), f"{number}{at}_", at, **fields)
    first, second = read(files, bulk=True).studies
    assert lies_like(channels(first)[0], shown(PRE)) and lies_like(
        channels(second)[0], shown(PRE, 1)
    )


def test_masks_in_a_folder_of_their_own_are_truths_of_pictures():
    levels = patient()[FLAIR, 4]
    files = {"images/1.tif": tiff(levels), "masks/1.tif": tiff((levels > 150) * np.uint8(255))}
    (each,) = only(read(files, bulk=True)).slices
    np.testing.assert_array_equal(each.truth, levels > 150)


def test_single_slices_go_together_by_where_they_lie():
    files = study(("AX FLAIR", "AX T1", "AX T1 +C"), 8, SliceThickness=None)
    same = {name: data for name, data in files.items() if name.endswith("04.dcm")}
    assert len(read(same, bulk=True).studies) == 1
    apart = {"a": files["s0_04.dcm"], "b": files["s1_05.dcm"]}
    assert len(read(apart, bulk=True).studies) == 2


@pytest.mark.parametrize("affine", [np.eye(4), np.diag([-1.0, -1, 1, 1])], ids=["unit", "itk"])
def test_a_mask_with_made_up_coordinates_is_paired_as_stored(affine):
    import nibabel

    own = np.ascontiguousarray(truth()[:, ::-1].transpose(2, 1, 0)).astype(np.uint8)
    image = nibabel.Nifti1Image(own, affine)
    image.header.set_xyzt_units("unknown" if affine[0, 0] > 0 else "mm")
    files = case("p_", seg="") | {"p_seg.nii": image.to_bytes()}
    np.testing.assert_array_equal(marked(only(read(files, bulk=True))), truth())


@pytest.mark.parametrize("name", ["truth away", "other patient"])
def test_a_mask_of_another_place_or_patient_is_no_truth(name):
    files = case("p1_", seg="")
    if name == "truth away":
        away = case_files.AFFINE.copy()
        away[:3, 3] += 400
        files["p1_seg.nii"] = volume(truth(), away)
    else:
        files["p2_seg.nii"] = volume(truth())
    batch = read(files, bulk=True)
    assert all(each.truth is None for each in only(batch).slices)
    assert "seg.nii is a mask, and no volume of its patient" in texts(batch)


@pytest.mark.parametrize("tilt", [0.3, 1.5, -2.0])
def test_slices_that_are_shifted_make_a_sheared_affine(tilt):
    files = series(
        deep(patient()[FLAIR]),
        each=lambda n: {"ImagePositionPatient": [-57.0, -57 + tilt * n, -40 + 6.0 * n]},
    )
    batch = read(files, bulk=True)
    affine = only(batch).slices[0].position.grid.shown_affine
    # Slice 7, row 10, column 20, to the right, front and top.
    np.testing.assert_allclose(
        (affine @ [7, 10, 20, 1])[:3], [57 - 36, 57 - 7 * tilt - 18, 2], atol=1e-3
    )
    assert "shifted against each other" in texts(batch)


def test_positions_with_few_digits_are_even():
    files = series(
        deep(patient()[FLAIR]),
        each=lambda n: {"ImagePositionPatient": [-57.0, -57.0, round(-40 + 0.9375 * n, 2)]},
    )
    found = only(read(files, bulk=True))
    assert found.slices[0].position.grid.spacing[0] == pytest.approx(0.9375, abs=0.01)


def test_uneven_slices_keep_their_order_size_and_partners():
    places = [0, 6, 12.5, 20, 24, 31, 40, 44.4]
    files = {}
    for channel, text, number in ((FLAIR, "AX FLAIR", 1), (PRE, "AX T1", 2)):
        files |= series(
            deep(patient()[channel]),
            f"{number}_",
            number,
            (2,) if channel == PRE else (),
            each=lambda n: {"ImagePositionPatient": [-57.0, -57.0, places[n]]},
            SeriesDescription=text,
        )
    batch = read(files, bulk=True)
    pre, flair, _ = channels(only(batch))
    assert only(batch).slices[0].spacing == (1.8, 1.8) and "uneven distances" in texts(batch)
    assert lies_like(flair, patient()[FLAIR])
    rest = [0, 1, 3, 4, 5, 6, 7]
    assert lies_like(pre[rest], patient()[PRE][rest])
    np.testing.assert_array_equal(pre[2], flair[2])


def test_a_copy_of_a_file_is_no_new_slice():
    files = series(deep(patient()[FLAIR]))
    copied = files | {"copy of 03.dcm": files["03.dcm"]}
    batch = read(copied, bulk=True)
    np.testing.assert_array_equal(pixels(only(batch)), pixels(only(read(files, bulk=True))))
    assert "copy" in texts(batch) and "left out" in texts(batch)
    flair = volume(patient()[FLAIR])
    batch = read({"x_flair.nii": flair, "x_flair_bet.nii": flair})
    assert len(batch.studies) == 1 and "x_flair_bet.nii is a copy of x_flair.nii" in texts(batch)


def test_a_file_that_comes_twice_counts_once_and_that_is_said():
    picture, other = (tiff(patient()[FLAIR][index].copy()) for index in (2, 3))
    batch = read([("x.tif", picture), ("x.tif", picture), ("y.tif", picture)])
    assert [found.title for found in batch.studies] == ["x.tif", "y.tif"]  # alike is not the same
    (said,) = batch.notes
    assert said.text == "1 file came more than once and is read once: x.tif."
    folder = case_files.zipped({"a/1.tif": picture, "a/2.tif": other})
    batch = read([("p.zip", folder), ("p.zip", folder)])
    assert len(batch.studies) == 2
    assert "2 files came more than once and are read once: 1.tif, 2.tif." in texts(batch)
    batch = read([("x.tif", picture), ("x.tif", other)])  # one name, two slices
    assert len(batch.studies) == 2 and not batch.notes


def test_echoes_are_told_apart_by_what_they_say_though_one_lacks_a_slice():
    values = deep(patient()[FLAIR])
    files = series(values, "a_", 1, (0,), EchoTime=90)
    files |= series(
        values // 3,
        "b_",
        EchoTime=20,
        each=lambda n: {"SOPInstanceUID": f"1.9.{n}", "InstanceNumber": 20 + n},
    )
    found = {len(each.slices): each for each in read(files, bulk=True).studies}
    assert set(found) == {7, 8}
    assert {each.name[:2] for each in found[7].slices} == {"a_"}


def test_a_mask_on_other_voxels_marks_the_same_place():
    fine = np.repeat(np.repeat(truth(), 2, axis=1), 2, axis=2)
    affine = case_files.AFFINE.copy()
    affine[:3, :2] /= 2
    affine[:2, 3] += 0.45
    own = np.ascontiguousarray(fine[:, ::-1].transpose(2, 1, 0)).astype(np.uint8)
    lying = affine.copy()
    lying[:3, 3] += affine[:3, 1] * 127
    lying[:3, 1] *= -1
    import nibabel

    image = nibabel.Nifti1Image(own, lying)
    image.header.set_xyzt_units("mm")
    files = case("p_", seg="") | {"p_seg.nii": image.to_bytes()}
    np.testing.assert_array_equal(marked(only(read(files, bulk=True))), truth())


def test_elements_of_dicom_count_before_words():
    numbers = {
        "SERIES 5": dict(InversionTime=2500, EchoTime=120, RepetitionTime=9000),
        "SERIES 6": dict(InversionTime=900, EchoTime=10, RepetitionTime=2000),
        "AX FLAIR": dict(
            InversionTime=800, EchoTime=12, RepetitionTime=1900, ContrastBolusAgent="Gadavist"
        ),
    }
    files = {}
    for number, (text, fields) in enumerate(numbers.items(), start=1):
        values = deep(patient()[(FLAIR, PRE, POST)[number - 1]])
        files |= series(values, f"{number}_", number, SeriesDescription=text, **fields)
    found = channels(only(read(files, bulk=True)))
    for levels, channel in zip(found, (PRE, FLAIR, POST), strict=True):
        assert lies_like(levels, patient()[channel])


@pytest.mark.parametrize("agent", ["NONE", "no", "without"])
def test_an_agent_that_is_none_is_no_contrast(agent):
    files = study(("AX FLAIR", "AX T1", "AX T1 +C")) | series(
        deep(patient(count=6)[PRE]), "s1_", 2, SeriesDescription="AX T1", ContrastBolusAgent=agent
    )
    assert lies_like(channels(only(read(files, bulk=True)))[0], patient(count=6)[PRE])


VALUES = {
    "z-scored": lambda v: (v - v.mean()) / v.std(),
    "0 to 1": lambda v: v / v.max(),
    "negative": lambda v: v - 1000.0,
    "large": lambda v: v * 90.0,
}


@pytest.mark.parametrize("name", VALUES)
def test_values_of_any_scale_give_the_same_levels(name):
    values = deep(patient()[FLAIR]).astype(np.float32)
    expected = channels(only(read({"x.nii": volume(values)})))[1]
    changed = volume(VALUES[name](values).astype(np.float32))
    found = channels(only(read({"x.nii": changed})))[1]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_numbers_about_zero_within_a_head_leave_its_air_black():
    values = deep(patient()[FLAIR]).astype(np.float32)
    head = values > 30
    scored = np.where(head, (values - values[head].mean()) / values[head].std(), 0)
    batch = read({"x_flair.nii": volume(scored.astype(np.float32))})
    found = channels(only(batch))[1]
    assert (found[~head] == 0).all() and lies_like(found[head], values[head])
    assert "taken for air" in texts(batch)


@pytest.mark.parametrize("value", [-2000, -32768])
def test_padding_that_no_element_names_is_black(value):
    values = case_files._padded(deep(patient()[FLAIR], np.int16), value)
    found = channels(only(read(series(values), bulk=True)))[1]
    outside = np.broadcast_to(case_files._circle(), found.shape)
    expected = np.where(outside, 0, plain(deep(patient()[FLAIR])))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_padding_written_without_its_sign_is_padding():
    values = case_files._padded(deep(patient()[FLAIR], np.int16), -2000)
    import io

    import pydicom

    files = {}
    for name, data in series(values).items():
        dataset = pydicom.dcmread(io.BytesIO(data))
        dataset.add_new("PixelPaddingValue", "US", 63536)
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        files[name] = buffer.getvalue()
    batch = read(files, bulk=True)
    assert "padding around its picture" in texts(batch)
    outside = np.broadcast_to(case_files._circle(), values.shape)
    assert (channels(only(batch))[1][outside] == 0).all()


def test_a_window_that_saturates_is_set_aside_and_said():
    values = deep(patient()[FLAIR])
    for center, width in ((30, 40), (5000, 4000)):
        batch = read(series(values, WindowCenter=center, WindowWidth=width), bulk=True)
        np.testing.assert_array_equal(channels(only(batch))[1], plain(values))
        assert "so it was left out" in texts(batch)
    kept = read(series(values, WindowCenter=380, WindowWidth=760), bulk=True)
    assert "was shown with the window" in texts(kept)


def test_bits_that_lie_high_are_shifted():
    values = deep(patient()[FLAIR])
    files = series(values << 4, BitsStored=12, HighBit=15, WindowCenter=380, WindowWidth=760)
    expected = read(series(values, WindowCenter=380, WindowWidth=760), bulk=True)
    np.testing.assert_array_equal(pixels(only(read(files, bulk=True))), pixels(only(expected)))


@pytest.mark.parametrize(
    "pack",
    {
        "tifffile": lambda v: tiff(v, photometric="minisblack"),
        "ome": lambda v: tiff(v, ome=True, photometric="minisblack", metadata={"axes": "CYX"}),
        "fiji": lambda v: tiff(v, imagej=True, metadata={"axes": "CYX", "mode": "composite"}),
        "fiji stack": lambda v: tiff(
            np.stack([v, 255 - v]), imagej=True, metadata={"axes": "ZCYX"}
        ),
        "lzw": lambda v: _pages_lzw(v),
    }.items(),
    ids=lambda item: item[0],
)
def test_three_gray_pages_are_three_channels_in_their_order(pack):
    found = only(read({"x.tif": pack[1](patient()[:, 4].copy())}))
    np.testing.assert_array_equal(pixels(found)[0], patient()[:, 4].transpose(1, 2, 0))


@pytest.mark.parametrize("program", ["ome", "imagej"])
def test_channels_that_are_named_go_by_their_names(program):
    names, order = ["T1 post", "FLAIR", "T1"], [POST, FLAIR, PRE]
    named = {"ome": {"Channel": {"Name": names}}, "imagej": {"Labels": names}}[program]
    stored = patient()[order, 4].copy()
    data = tiff(stored, **{program: True}, metadata={"axes": "CYX", **named})
    batch = read({"x.tif": data})
    np.testing.assert_array_equal(pixels(only(batch))[0], patient()[:, 4].transpose(1, 2, 0))
    assert "put together by their names" in texts(batch)


def _pages_lzw(values: np.ndarray) -> bytes:
    import io

    from PIL import Image

    first, *rest = (Image.fromarray(page) for page in values)
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=rest, compression="tiff_lzw")
    return buffer.getvalue()


def test_slices_or_times_in_pages_are_no_channels_and_four_channels_are_refused():
    stack = patient()[FLAIR][:3].copy()
    batch = read({"x.tif": tiff(stack, imagej=True, metadata={"axes": "ZYX"})})
    np.testing.assert_array_equal(channels(only(batch))[1][0], stretched(stack[0]))
    assert "only the first one was read" in texts(batch)
    four = tiff(patient()[FLAIR][:4].copy(), imagej=True, metadata={"axes": "CYX"})
    (error,) = read({"x.tif": four}).errors
    assert "holds 4 channels" in error.text


UNREAD = {
    "x.nrrd": (b"NRRD0004\ntype: short", "NRRD"),
    "x.mha": (b"ObjectType = Image\nNDims = 3\n", "MetaImage"),
    "x.mhd": (b"NDims = 3\n", "MetaImage"),
    "x.par": (b"# === DATA DESCRIPTION FILE ======\n", "Philips"),
    "x.mgh": (bytes([0, 0, 0, 1]) + bytes(280) + bytes(40), "FreeSurfer"),
    "x.heic": (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
    "x.avif": (b"\0\0\0\x18ftypavif" + bytes(99), "AVIF"),
    "x.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), "JPEG 2000"),
    "x.gif": (b"GIF89a" + bytes(99), "GIF"),
    "y.mhd": (b"# a comment\nObjectType = Image\n", "MetaImage"),
    "y.heic": (b"\0\0\0\x18ftyphevx" + bytes(99), "HEIC"),
    "x.mgz": (gzip.compress(bytes([0, 0, 0, 1]) + bytes(320)), "FreeSurfer"),
    "x.hdr": ((348).to_bytes(4, "little") + bytes(340) + b"ni1\0", "one half of a NIfTI"),
}


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize("name", UNREAD)
def test_a_format_that_is_not_read_is_named(name, bulk):
    data, what = UNREAD[name]
    (error,) = read({name: data}, bulk=bulk).errors
    assert what in error.text and error.text.startswith(name)


def test_a_packed_volume_of_several_members_is_whole():
    data = volume(patient()[FLAIR])
    packed = gzip.compress(data[:1000]) + gzip.compress(data[1000:]) + bytes(16)
    np.testing.assert_array_equal(channels(only(read({"x.nii.gz": packed})))[1], shown(FLAIR))


def test_dicom_without_preamble_or_ending_is_read_anywhere():
    files = {
        name.removesuffix(".dcm"): data[132:]
        for name, data in series(deep(patient()[FLAIR])).items()
    }
    for given in (files, {"x.zip": case_files.zipped(files)}):
        batch = read(given, bulk=True)
        np.testing.assert_array_equal(channels(only(batch))[1], plain(deep(patient()[FLAIR])))
