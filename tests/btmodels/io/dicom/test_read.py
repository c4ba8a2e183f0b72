"""DICOM: every pixel as the file means it, slices in order, a sentence for what is no picture."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
)

from btmodels.errors import DecodeError
from btmodels.io import raster
from btmodels.io.dicom import read as dicom_module
from btmodels.io.dicom.codestream import size_of
from btmodels.io.dicom.preamble import is_dicom
from btmodels.io.dicom.read import read_dicom
from btmodels.io.read import read_file
from tests.btmodels.reading import read
from tests.btmodels.scanner import SAGITTAL, dicom, series

RAMP = np.arange(12, dtype=np.int16).reshape(3, 4) * 100  # 0 to 1100
MIDDLE = np.vstack([RAMP, np.linspace(500, 700, 160).astype(np.int16).reshape(40, 4)])
"""The same with most of it in between, so that a window around that cuts little off."""


def slices_of(*files: bytes):
    batch = read([(f"x{i}.dcm", data) for i, data in enumerate(files)])
    if batch.errors:
        raise DecodeError(batch.errors[0].text)
    return [each for study in batch.studies for each in study.slices], batch


def flair(data: bytes) -> np.ndarray:
    (each,), _ = slices_of(data)
    return each.pixels[..., 1]


def test_a_window_makes_black_and_white_what_the_standard_says():
    # Center 600, width 401: black up to 600 - 0.5 - 200, white from 600 - 0.5 + 200 on.
    found = flair(dicom(MIDDLE, WindowCenter=600, WindowWidth=401))
    expected = np.clip((MIDDLE - 399.5) / 400, 0, 1) * 255
    np.testing.assert_array_equal(found, np.rint(expected).astype(np.uint8))
    exact = flair(dicom(MIDDLE, WindowCenter=600, WindowWidth=400, VOILUTFunction="LINEAR_EXACT"))
    expected = np.clip((MIDDLE - 400) / 400, 0, 1) * 255
    np.testing.assert_array_equal(exact, np.rint(expected).astype(np.uint8))


def notes_of(data: bytes) -> str:
    (each,), _ = slices_of(data)
    return " ".join(each.notes)


def test_a_curve_of_brightness_is_the_standards_and_is_said():
    # SIGMOID, PS3.3 C.11.2.1.3.1: half of white at the center, 1 / (1 + exp(-4 (x - c) / w)) elsewhere.
    data = dicom(RAMP, WindowCenter=600, WindowWidth=400, VOILUTFunction="SIGMOID")
    expected = np.rint(255 / (1 + np.exp(-4 * (RAMP - 600.0) / 400))).astype(np.uint8)
    np.testing.assert_array_equal(flair(data), expected)
    assert (
        flair(data)[1, 2] == 128 and flair(data)[2, 2] == 250
    )  # at 600, and at 1000: 0.982 of white
    assert "curve of brightness (SIGMOID), which was applied" in notes_of(data)
    shifted = dicom(
        RAMP, WindowCenter=-400, WindowWidth=400, VOILUTFunction="SIGMOID", RescaleIntercept="-1000"
    )
    np.testing.assert_array_equal(flair(shifted), expected)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (dict(VOILUTFunction="SIGMOID", WindowCenter=-9000, WindowWidth=10), "next to nothing"),
        (dict(VOILUTFunction="SIGMOID"), "without its place"),
        (dict(VOILUTFunction="CUBIC", WindowCenter=600, WindowWidth=400), "left out: CUBIC"),
    ],
)
def test_a_curve_that_cannot_be_applied_is_left_out_and_said(fields, said):
    data = dicom(RAMP, **fields)
    np.testing.assert_array_equal(flair(data), flair(dicom(RAMP)))
    assert said in notes_of(data)


@pytest.mark.parametrize("intercept", ["0", "-1024", "0.5"])
def test_a_table_of_brightness_is_applied_to_whole_numbers_or_its_absence_said(intercept):
    table = pydicom.Dataset()
    first = int(float(intercept))
    table.add_new(
        "LUTDescriptor", "SS", [1101, first, 8]
    )  # entries, what the first stands for, bits
    table.add_new("LUTData", "US", (np.arange(1101) // 5).tolist())
    data = dicom(RAMP, VOILUTSequence=pydicom.Sequence([table]), RescaleIntercept=intercept)
    if intercept == "0.5":
        assert "was left out" in notes_of(data)
        return
    np.testing.assert_array_equal(flair(data), RAMP // 5)
    assert "table of brightness (VOI LUT), which was applied" in notes_of(data)


def test_of_several_windows_the_first_counts():
    one = flair(dicom(RAMP, WindowCenter=600, WindowWidth=401))
    two = flair(dicom(RAMP, WindowCenter=[600, 100], WindowWidth=[401, 50]))
    np.testing.assert_array_equal(one, two)


def test_a_window_that_shows_nothing_is_left_out_and_said():
    (each,), _ = slices_of(dicom(RAMP, WindowCenter=-5000, WindowWidth=10))
    assert len(np.unique(each.pixels)) > 6
    assert any("next to nothing" in note for note in each.notes)


def test_slope_and_intercept_come_before_the_window():
    found = flair(
        dicom(
            MIDDLE, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter=100, WindowWidth=1001
        )
    )
    expected = np.clip((MIDDLE * 2.0 - 1000 - (100 - 0.5 - 500)) / 1000, 0, 1) * 255
    np.testing.assert_array_equal(found, np.rint(expected).astype(np.uint8))


def test_white_as_the_smallest_value_is_inverted():
    plain = flair(dicom(MIDDLE, WindowCenter=550, WindowWidth=1101))
    found = flair(
        dicom(MIDDLE, WindowCenter=550, WindowWidth=1101, PhotometricInterpretation="MONOCHROME1")
    )
    np.testing.assert_array_equal(found, 255 - plain)


def test_without_a_window_the_largest_value_is_white_and_8_bits_stay():
    found = flair(dicom(np.repeat(RAMP, 2, axis=1)))
    assert (found.min(), found.max()) == (0, 255)
    eight = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    np.testing.assert_array_equal(flair(dicom(eight)), eight)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_byte_forms_give_the_same_pixels(syntax):
    expected = flair(dicom(MIDDLE, WindowCenter=550, WindowWidth=1101))
    found = flair(dicom(MIDDLE, syntax, WindowCenter=550, WindowWidth=1101))
    np.testing.assert_array_equal(found, expected)


def test_gzip_around_a_dicom_file_is_opened():
    data = dicom(RAMP)
    np.testing.assert_array_equal(flair(gzip.compress(data)), flair(data))


def wheel_file(name: str) -> bytes:
    return Path(get_testdata_file(name, download=False)).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
    ],
)
def test_packed_pictures_are_those_that_were_packed(name):
    np.testing.assert_array_equal(flair(wheel_file(name)), flair(wheel_file("MR_small.dcm")))


def test_jpeg_lossless_is_unpacked(tmp_path):
    # The form in which most archives keep MRI; GDCM packs it here.
    source, target = str(tmp_path / "raw.dcm"), str(tmp_path / "packed.dcm")
    Path(source).write_bytes(dicom(RAMP.astype(np.uint16), WindowCenter=550, WindowWidth=1101))
    reader, change, writer = (
        gdcm.ImageReader(),
        gdcm.ImageChangeTransferSyntax(),
        gdcm.ImageWriter(),
    )
    reader.SetFileName(source)
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(target)
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    data = Path(target).read_bytes()
    assert pydicom.dcmread(target).file_meta.TransferSyntaxUID == JPEGLosslessSV1
    np.testing.assert_array_equal(flair(data), flair(Path(source).read_bytes()))


def test_colors_of_all_photometric_kinds_are_the_same_picture():
    expected = read_dicom(wheel_file("SC_rgb_rle.dcm"), "x").values
    for name in ("SC_rgb_gdcm_KY.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_rle_32bit.dcm"):
        found = read_dicom(wheel_file(name), "x").values
        assert np.abs(found.astype(int) - expected).max() <= 1, name
    for name in ("SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_ybr_full_422_uncompressed.dcm"):
        found = read_dicom(wheel_file(name), "x").values
        assert np.abs(found.astype(int) - expected).mean() < 12, name  # YBR is lossy


def test_a_palette_is_looked_up():
    data = wheel_file("examples_palette.dcm")
    source = pydicom.dcmread(io.BytesIO(data))
    expected = pydicom.pixels.apply_color_lut(source.pixel_array, source)[..., :3] >> 8
    np.testing.assert_array_equal(read_dicom(data, "x").values[0], expected)


VOLUME = np.random.default_rng(1).integers(0, 256, (5, 6, 7), np.uint8)


def test_a_series_is_sorted_from_the_feet_up_whatever_the_files_say_of_order():
    found, assembly = slices_of(*series(VOLUME).values())
    assert len(assembly.studies) == 1
    np.testing.assert_array_equal(np.stack([each.pixels[..., 1] for each in found]), VOLUME)
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert found[0].spacing == (0.5, 0.5)
    assert found[0].position.grid.spacing == (4.0, 0.5, 0.5)


def test_a_series_that_lies_otherwise_is_turned_as_axial_slices_lie():
    # Rows run to the right and columns to the front: the picture stands on its head.
    files = series(VOLUME, ImageOrientationPatient=[-1, 0, 0, 0, -1, 0])
    found, _ = slices_of(*files.values())
    np.testing.assert_array_equal(
        np.stack([each.pixels[..., 1] for each in found]), VOLUME[:, ::-1, ::-1]
    )


def test_sagittal_slices_become_axial_ones():
    volume = np.random.default_rng(3).integers(0, 256, (16, 6, 7), np.uint8)
    # Frames run to the left (x), rows down, columns to the back.
    frames = [
        dicom(
            values,
            InstanceNumber=index,
            ImageOrientationPatient=list(SAGITTAL),
            ImagePositionPatient=[2.0 * index, 0, 0],
            PixelSpacing=[2.0, 2.0],
        )
        for index, values in enumerate(volume)
    ]
    found, _ = slices_of(*frames)
    assert len(found) == volume.shape[1]
    # The normal of row x column = (0,1,0) x (0,0,-1) points to the right, so frames are sorted so.
    expected = volume.transpose(1, 2, 0)[::-1]
    np.testing.assert_array_equal(np.stack([each.pixels[..., 1] for each in found]), expected)
    assert any("sagittal" in note for note in found[0].notes)
    own = found[0].position.grid.own(expected)
    np.testing.assert_array_equal(own, volume[::-1])


def test_a_few_sagittal_slices_are_no_volume_to_cut():
    # Three of a localizer would give strips of three pixels.
    place = {"ImageOrientationPatient": list(SAGITTAL), "PixelSpacing": [2.0, 2.0]}
    frames = [
        dicom(values, InstanceNumber=n, ImagePositionPatient=[8.0 * n, 0, 0], **place)
        for n, values in enumerate(VOLUME[:3])
    ]
    found, _ = slices_of(*frames)
    np.testing.assert_array_equal([each.pixels[..., 1] for each in found], VOLUME[2::-1])
    assert any("sagittal slices; the networks know only axial ones" in n for n in found[0].notes)


def test_frames_of_one_file_are_slices():
    found, _ = slices_of(dicom(VOLUME))
    np.testing.assert_array_equal(np.stack([each.pixels[..., 1] for each in found]), VOLUME)
    assert found[2].name == "x0_3"


def test_series_of_several_sequences_become_three_channels():
    pre, post = VOLUME // 2, 255 - VOLUME
    files = [
        *series(VOLUME, SeriesDescription="AX FLAIR").values(),
        *series(pre, SeriesDescription="AX T1", SeriesInstanceUID="1.2.3.2").values(),
        *series(
            post, SeriesDescription="AX T1", SeriesInstanceUID="1.2.3.3", ContrastBolusAgent="Gd"
        ).values(),
    ]
    found, assembly = slices_of(*files)
    assert len(assembly.studies) == 1 and not assembly.notes
    pixels = np.stack([each.pixels for each in found])
    np.testing.assert_array_equal(pixels, np.stack([pre, VOLUME, post], axis=-1))


def test_a_series_of_mixed_views_is_parted():
    views = [*series(VOLUME).values(), dicom(VOLUME[0], ImageOrientationPatient=list(SAGITTAL))]
    _, assembly = slices_of(*views)
    assert [len(study.slices) for study in assembly.studies] == [5, 1]
    assert any("sagittal" in note for note in assembly.studies[1].slices[0].notes)


def test_positions_that_come_twice_are_two_passes():
    files = [*series(VOLUME).values(), *series(255 - VOLUME, EchoNumbers=2).values()]
    _, assembly = slices_of(*files)
    assert [len(study.slices) for study in assembly.studies] == [5, 5]


def test_slices_are_named_by_their_files():
    twice = [dicom(VOLUME[0], EchoNumbers=echo) for echo in (1, 2)]
    _, assembly = slices_of(*twice)
    assert [study.slices[0].name for study in assembly.studies] == ["x0.dcm", "x1.dcm"]
    # Without positions nothing parts them: one series of a picture and of two frames.
    lost = {"ImagePositionPatient": None}
    found, _ = slices_of(dicom(VOLUME[0], **lost), dicom(VOLUME[1:3], **lost))
    assert [each.name for each in found] == ["x0.dcm", "x1_1", "x1_2"]
    (each,), _ = slices_of(dicom(VOLUME[0]))
    assert each.name == "x0.dcm"


def test_a_missing_slice_is_said_and_the_others_keep_their_places():
    files = series(VOLUME)
    del files["IM0002.dcm"]
    found, _ = slices_of(*files.values())
    assert any("a slice is missing at 38.0 mm" in note for note in found[0].notes)
    assert [each.position.index for each in found] == [0, 1, 3, 4]
    assert found[0].position.grid.spacing == (4.0, 0.5, 0.5)
    np.testing.assert_array_equal(
        np.stack([each.pixels[..., 1] for each in found]), VOLUME[[0, 1, 3, 4]]
    )


def test_no_spacing_is_said_and_none_is_made_up():
    (each,), _ = slices_of(dicom(RAMP, PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1]))
    assert each.spacing is None
    assert any("how large its pixels are" in note for note in each.notes)


def test_a_single_slice_of_unknown_thickness_keeps_its_pixels_size_alone():
    (each,), _ = slices_of(dicom(RAMP))
    assert each.spacing == (0.5, 0.5) and each.position.grid.spacing is None


def test_what_is_no_mri_is_said():
    (each,), _ = slices_of(dicom(RAMP, Modality="CT"))
    assert any("is not MRI but CT" in note for note in each.notes)


REFUSED = {
    "without.dcm": (wheel_file("rtplan.dcm"), "without a picture"),
    "list.dcm": (wheel_file("dicomdirtests/DICOMDIR"), "list of contents"),
    "mask.dcm": (wheel_file("liver_1frame.dcm"), "segmentation"),
    "cut.dcm": (dicom(RAMP)[:-5], "cut off"),
    "start.dcm": (dicom(RAMP)[:400], "without a picture|cut off"),
    "frames.dcm": (dicom(RAMP, NumberOfFrames=5000), "5,000 frames"),
    "wide.dcm": (dicom(RAMP, Rows=9000, Columns=9000), "megapixels"),
    "much.dcm": (dicom(RAMP, Rows=2000, Columns=2000, NumberOfFrames=900), "MB unpacked"),
    "flat.dcm": (dicom(RAMP, Rows=0), "without pixels"),
    "odd.dcm": (dicom(RAMP, BitsAllocated=7), "DICOM"),
    "video.dcm": (dicom(RAMP, "1.2.840.10008.1.2.4.100", [b"movie"]), "not supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_a_sentence(name):
    data, what = REFUSED[name]
    with pytest.raises(DecodeError, match=what) as caught:
        read_file(data, f"a/{name}")
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".")


def test_a_deflated_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    for module in (dicom_module, raster):
        monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    data = dicom(RAMP, DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(2_000_000)) + packer.flush()
    with pytest.raises(DecodeError, match="MB unpacked"):
        read_file(data[:start] + bomb, "bomb.dcm")


def test_a_packed_picture_larger_than_announced_is_refused():
    buffer = io.BytesIO()
    Image.new("L", (4000, 3000)).save(buffer, "JPEG")
    assert size_of(buffer.getvalue()) == (3000, 4000)
    data = dicom(np.zeros((3, 4), np.uint8), JPEGBaseline8Bit, [buffer.getvalue()])
    with pytest.raises(DecodeError, match="4 x 3 pixels, but a picture in it has 4000 x 3000"):
        read_file(data, "bomb.dcm")


def test_files_without_a_preamble_are_known():
    data = dicom(RAMP, ImplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    assert is_dicom(data) and is_dicom(data[start:])
    np.testing.assert_array_equal(flair(data[start:]), flair(data))
    assert not is_dicom(bytes(500)) and not is_dicom(b"just some words " * 20)


def test_fewer_frames_than_announced_get_a_sentence():
    dataset = pydicom.dcmread(get_testdata_file("SC_rgb_small_odd_jpeg.dcm"))
    dataset.NumberOfFrames = 10
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(DecodeError, match="damaged"):
        read_file(buffer.getvalue(), "movie.dcm")
