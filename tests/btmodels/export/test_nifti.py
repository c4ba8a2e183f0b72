"""What is taken along, read back with the libraries that others read it with."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from dataclasses import replace

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.dataset import Dataset

from btmodels.errors import ExportError
from btmodels.export import files as export
from btmodels.export import nifti as export_volume
from btmodels.export.dicom_seg import dicom_seg, seg_name, why_no_seg
from btmodels.export.files import COLUMNS, own_mask, table_csv, zip_of
from btmodels.export.nifti import nifti_mask, of_volume
from btmodels.io.nifti import read_nifti
from btmodels.slices import Analysis, Prediction, Slice, Turn, Verdict
from btmodels.transforms.orientation import turn_slice
from tests.btmodels.files import stretched
from tests.btmodels.reading import read
from tests.btmodels.scanner import SAGITTAL, dicom, nifti, series

AS_IT_IS = Turn()
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
VOLUME = np.random.default_rng(3).integers(0, 256, (4, 6, 8), np.uint8)


def analysis_of(each: Slice, mask: np.ndarray | None = None) -> Analysis:
    """An analysis that marks what is bright in FLAIR, or ``mask``."""
    mask = each.pixels[..., 1] > 128 if mask is None else mask
    return Analysis(
        slice=each,
        prediction=Prediction(0.75, np.zeros(mask.shape, np.uint8)),
        model="unet",
        verdict=Verdict("resnet50", 0.75, 0.5),
        second_opinion=None,
        weights_sha256="ab" * 32,
        threshold=0.5,
        mask=mask,
        head=np.ones(mask.shape, bool),
        marked_pixels=int(mask.sum()),
        slice_share=float(mask.mean()),
        head_share=None,
        dice=None,
        warnings=each.notes,
    )


def analyses_of(files: dict[str, bytes], turn: Turn = AS_IT_IS) -> list[Analysis]:
    slices = [each for study in read(files).studies for each in study.slices]
    return [analysis_of(turn_slice(each, turn)) for each in slices]


def loaded(data: bytes) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(data))


OBLIQUE = np.array(
    [[-0.9, 0.1, 0.2, 10], [0.05, 0.1, 3.0, -20], [0.1, -1.2, 0.3, 30], [0, 0, 0, 1]], float
)


@pytest.mark.parametrize("turn", [Turn(), Turn(1), Turn(2, True)])
@pytest.mark.parametrize("two", [False, True])
def test_a_nifti_mask_lies_on_its_volume(two, turn):
    data = nifti(VOLUME, OBLIQUE, two=two)
    found = nifti_mask(analyses_of({"x.nii": data}, turn))
    kind = nibabel.Nifti2Image if two else nibabel.Nifti1Image
    image, source = kind.from_bytes(gzip.decompress(found)), kind.from_bytes(data)
    np.testing.assert_array_equal(np.asarray(image.dataobj), VOLUME > 128)
    np.testing.assert_array_equal(image.affine, source.affine)
    assert image.header["sform_code"] == source.header["sform_code"]
    assert image.header["qform_code"] == source.header["qform_code"]
    assert image.header.get_xyzt_units() == source.header.get_xyzt_units()
    assert image.get_data_dtype() == np.uint8 and image.header.get_zooms() == pytest.approx(
        source.header.get_zooms()
    )


def test_what_knows_no_coordinates_claims_none():
    pictures = {f"x_{i}.tif": tiff(plane) for i, plane in enumerate(VOLUME)}
    for files in ({"x.nii": nifti(VOLUME)}, pictures):
        found = nifti_mask(analyses_of(files))
        header = loaded(found).header
        assert (header["sform_code"], header["qform_code"]) == (0, 0)
        assert header.get_zooms() == (1, 1, 1) and header.get_xyzt_units()[0] == "unknown"
        (scan,) = read_nifti(gzip.decompress(found), "again.nii")
        assert scan.grid.spacing is None
    # Our own reader shows pictures as they were, each stretched for itself.
    shown = np.stack([stretched(plane) for plane in VOLUME])
    np.testing.assert_array_equal(scan.values > 0, shown > 128)


def tiff(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values)
    return buffer.getvalue()


def test_volumes_of_equal_names_have_files_of_their_own():
    files = {f"{folder}/flair.nii": nifti(VOLUME, OBLIQUE) for folder in "AB"}
    stems = export_volume.volume_stems(analyses_of(files))
    assert sorted(stems.values()) == ["flair", "flair-2"] and len(stems) == 2


def test_masks_of_a_series_with_a_gap_lie_where_its_slices_do():
    files = series(VOLUME, step=4.0)
    del files["IM0001.dcm"]
    analyses = analyses_of(files)
    image = loaded(nifti_mask(analyses))
    assert image.shape == (8, 6, 4) and image.header.get_zooms() == pytest.approx((0.5, 0.5, 4))
    expected = (VOLUME > 128).astype(np.uint8)
    expected[1] = 0
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected.transpose(2, 1, 0))
    found = highdicom.seg.segread(io.BytesIO(dicom_seg(analyses)))
    uids = [f"1.2.3.4.{index}" for index in (1, 3, 4)]
    masks = found.get_pixels_by_source_instance(uids)[..., 0]
    np.testing.assert_array_equal(masks > 0, VOLUME[[0, 2, 3]] > 128)


def test_the_mask_of_tilted_slices_keeps_their_shear():
    tilted = {
        f"{index}.dcm": dicom(
            values,
            SOPInstanceUID=f"1.2.3.4.{index + 1}",
            InstanceNumber=index,
            ImagePositionPatient=[0, 1.5 * index, 4.0 * index],
        )
        for index, values in enumerate(VOLUME)
    }
    image = loaded(nifti_mask(analyses_of(tilted)))
    # Column 7, row 5, frame 3, to the right, front and top.
    np.testing.assert_allclose((image.affine @ [7, 5, 3, 1])[:3], [-3.5, -2.5 - 4.5, 12])
    assert image.header["qform_code"] == 0 and image.header["sform_code"] == 1


def test_the_nifti_of_a_dicom_series_lies_where_the_series_does():
    image = loaded(nifti_mask(analyses_of(series(VOLUME, step=4.0))))
    assert image.header.get_zooms() == pytest.approx((0.5, 0.5, 4))
    # Column 7, row 5, frame 3 of a series that starts 10 mm to the right and 20 mm to the front.
    place = image.affine @ [7, 5, 3, 1]
    np.testing.assert_allclose(place[:3], [10 - 3.5, 20 - 2.5, 30 + 12])
    assert np.asarray(image.dataobj)[7, 5, 3] == (VOLUME[3, 5, 7] > 128)
    (scan,) = read_nifti(image.to_bytes(), "again.nii")
    np.testing.assert_array_equal(scan.values > 0, VOLUME > 128)


def test_slices_that_were_left_out_are_empty():
    found = nifti_mask(analyses_of(series(VOLUME))[::2])
    marked = np.asarray(loaded(found).dataobj).any(axis=(0, 1))
    assert marked.tolist() == [True, False, True, False]


def test_a_volume_is_told_from_others():
    mixed = {"a.nii": nifti(VOLUME, np.eye(4)), "p.tif": tiff(VOLUME[0]), **series(VOLUME)}
    analyses = analyses_of(mixed)
    sizes = {len(of_volume(analyses, each.slice)) for each in analyses}
    assert sizes == {8, 4, 1} and len(analyses) == 13


@pytest.mark.parametrize(
    "turned", [{}, {"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]}], ids=["usual", "turned"]
)
def test_a_dicom_seg_refers_to_its_series(turned):
    data = dicom_seg(analyses_of(series(VOLUME, **turned)))
    assert pydicom.dcmread(io.BytesIO(data)).Modality == "SEG"
    found = highdicom.seg.segread(io.BytesIO(data))
    uids = [f"1.2.3.4.{index + 1}" for index in range(len(VOLUME))]
    masks = found.get_pixels_by_source_instance(uids)[..., 0]
    np.testing.assert_array_equal(masks > 0, VOLUME > 128)
    assert found.FrameOfReferenceUID == "1.2.3.9" and found.StudyInstanceUID == "1.2.3"
    segment = found.get_segment_description(1)
    assert segment.algorithm_type.value == "AUTOMATIC"
    assert found.PatientID == "0"


def test_a_dicom_seg_of_sagittal_slices_and_of_an_empty_mask():
    deep = np.concatenate(
        [VOLUME] * 4
    )  # axial slices are cut out of so many, and not of a localizer's few
    frames = {
        f"{index}.dcm": dicom(
            values,
            SOPInstanceUID=f"1.2.3.4.{index + 1}",
            ImageOrientationPatient=list(SAGITTAL),
            ImagePositionPatient=[2.0 * index, 0, 0],
        )
        for index, values in enumerate(deep)
    }
    found = highdicom.seg.segread(io.BytesIO(dicom_seg(analyses_of(frames))))
    uids = [f"1.2.3.4.{index + 1}" for index in range(len(deep))]
    masks = found.get_pixels_by_source_instance(uids)[..., 0]
    np.testing.assert_array_equal(masks > 0, deep > 128)
    empty = [analysis_of(a.slice, np.zeros_like(a.mask)) for a in analyses_of(series(VOLUME))]
    found = highdicom.seg.segread(io.BytesIO(dicom_seg(empty)))
    assert not found.pixel_array.any()


def test_no_dicom_seg_without_a_series_or_what_it_needs():
    (picture,) = analyses_of({"p.tif": tiff(VOLUME[0])})
    assert "are not DICOM" in why_no_seg(picture.slice)
    (bare,) = analyses_of({"x.dcm": dicom(VOLUME[0], FrameOfReferenceUID=None)})
    assert "FrameOfReferenceUID" in why_no_seg(bare.slice)
    (frames, *_) = analyses_of({"x.dcm": dicom(VOLUME)})
    assert "FunctionalGroups" in why_no_seg(frames.slice)
    with pytest.raises(ExportError, match="FrameOfReferenceUID"):
        dicom_seg([bare])
    (thin,) = analyses_of({"x.dcm": dicom(VOLUME[0])})
    assert "SliceThickness" in why_no_seg(thin.slice)
    (good,) = analyses_of({"x.dcm": dicom(VOLUME[0], SliceThickness=4)})
    assert why_no_seg(good.slice) == ""


def test_the_scanners_own_files_give_a_dicom_seg():
    for name in ("MR_small.dcm", "MR_small_implicit.dcm", "examples_overlay.dcm"):
        with open(pydicom.data.get_testdata_file(name, download=False), "rb") as file:
            analyses = analyses_of({name: file.read()})
        assert why_no_seg(analyses[0].slice) == ""
        found = highdicom.seg.segread(io.BytesIO(dicom_seg(analyses)))
        own = own_mask(analyses[0])
        expected = analyses[0].slice.position.grid.own(own[None])[0]
        np.testing.assert_array_equal(np.squeeze(found.pixel_array) > 0, expected)


def enhanced() -> bytes:
    """A DICOM file of four frames, each with its own place, as newer scanners write them."""
    source = pydicom.dcmread(io.BytesIO(dicom(VOLUME, SOPClassUID=ENHANCED_MR)))
    for key in ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"):
        del source[key]
    source.SharedFunctionalGroupsSequence = [Dataset()]
    source.PerFrameFunctionalGroupsSequence = [Dataset() for _ in VOLUME]
    for index, group in enumerate(source.PerFrameFunctionalGroupsSequence):
        place, lie, size = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, -3.0 * index]  # from the head down
        lie.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        size.PixelSpacing, size.SliceThickness = [0.5, 0.5], 3
        group.PlanePositionSequence, group.PlaneOrientationSequence = [place], [lie]
        group.PixelMeasuresSequence = [size]
    buffer = io.BytesIO()
    source.save_as(buffer)
    return buffer.getvalue()


def test_a_dicom_seg_of_one_file_with_many_frames():
    analyses = analyses_of({"x.dcm": enhanced()})
    np.testing.assert_array_equal(
        np.stack([a.slice.pixels[..., 1] for a in analyses]), VOLUME[::-1]
    )
    assert analyses[0].slice.position.grid.spacing == (3.0, 0.5, 0.5)
    found = highdicom.seg.segread(io.BytesIO(dicom_seg(analyses)))
    masks = found.get_pixels_by_source_frame("1.2.3.4", [1, 2, 3, 4])[..., 0]
    np.testing.assert_array_equal(masks > 0, VOLUME > 128)


def test_the_table_has_a_row_a_slice():
    analyses = analyses_of(series(VOLUME), Turn(1, True))
    rows = list(csv.DictReader(io.StringIO(table_csv(analyses).decode(), newline="")))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == 4
    first, marked = rows[0], int((VOLUME[0] > 128).sum())
    assert first["slice"] == "IM0000.dcm" and first["number"] == "1"
    assert int(first["marked_pixels"]) == marked
    assert float(first["square_mm"]) == pytest.approx(marked * 0.25)
    assert (first["turned_degrees"], first["mirrored"], first["dice"]) == ("90", "yes", "")
    assert float(first["tumor_probability"]) == 0.75
    assert (first["verdict_by"], first["neighbors"]) == ("resnet50", "no")
    beside = replace(analyses[0], verdict=Verdict("resunet", 0.6, 0.5, True))
    row = next(csv.DictReader(io.StringIO(table_csv([beside]).decode(), newline="")))
    assert (row["verdict_by"], row["neighbors"]) == ("resunet", "yes")


def test_a_zip_of_all_has_masks_in_the_files_own_rows_and_columns():
    pictures = {f"{folder}/x.tif": tiff(VOLUME[i]) for i, folder in enumerate("ab")}
    analyses = analyses_of(pictures, Turn(1))
    data = zip_of(analyses, {"x_mask.nii.gz": nifti_mask(analyses)}, "Not a medical device.")
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert sorted(file.namelist()) == [
            "README.txt",
            "masks/x-2_mask.tif",
            "masks/x_mask.tif",
            "overlays/x-2_overlay.png",
            "overlays/x_overlay.png",
            "slices.csv",
            "x_mask.nii.gz",
        ]
        for index, name in enumerate(("x", "x-2")):
            mask = tifffile.imread(io.BytesIO(file.read(f"masks/{name}_mask.tif")))
            np.testing.assert_array_equal(mask > 0, VOLUME[index] > 128)
            assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
            picture = Image.open(io.BytesIO(file.read(f"overlays/{name}_overlay.png")))
            width, height = picture.size
            assert 8 * width == 6 * height  # as it was looked at: turned
    assert data == zip_of(
        analyses, {"x_mask.nii.gz": nifti_mask(analyses)}, "Not a medical device."
    )


def test_a_mask_as_png_is_0_and_255():
    image = Image.open(io.BytesIO(export.mask_png(VOLUME[0] > 128)))
    np.testing.assert_array_equal(np.asarray(image), np.where(VOLUME[0] > 128, 255, 0))


def test_files_are_named_by_their_volume():
    (first, *_) = analyses_of({"case_flair.nii": nifti(VOLUME, np.eye(4))})
    assert export_volume.nifti_name(first.slice) == "case_flair_mask.nii.gz"
    (first, *_) = analyses_of(series(VOLUME, SeriesDescription="AX FLAIR"))
    assert seg_name(first.slice) == "AX_FLAIR_seg.dcm"
