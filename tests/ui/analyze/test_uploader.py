"""A batch of uploads: slices, masks beside them, files that are neither."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import tifffile

from btmodels.io.batch import InputFile
from btmodels.slices import Turn
from tests.btmodels.files import stretched
from tests.btmodels.scanner import nifti, series
from tests.fakes import SIZE, slice_and_mask
from ui.analyze import upload_batch
from ui.analyze.upload_batch import LIMIT, UploadOverrides, read_batch
from ui.analyze.uploader import own_name


def tiff(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array)
    return buffer.getvalue()


def test_names_are_those_that_the_visitor_knows():
    # As Chromium and Firefox send them; a percent sign of the name itself stays.
    assert own_name("it's %22x%22 <b>100%20%.tif") == """it's "x" <b>100%20%.tif"""
    assert own_name("a/%22b%22/c%0Ad.tif") == 'a/"b"/c\ufffdd.tif'


def files(**by_name: bytes) -> list[InputFile]:
    return [
        InputFile(f"id-{name}", name.replace("__", "."), data) for name, data in by_name.items()
    ]


SLICE, MASK = map(tiff, slice_and_mask(2))


def test_a_mask_goes_to_its_slice():
    batch = read_batch(files(x_mask__tif=MASK, x__tif=SLICE), UploadOverrides(), {})
    assert batch.errors == ()
    assert [each.name for each in batch.stack.slices] == ["x.tif"]
    assert batch.stack.slices[0].truth.sum() == 100
    assert not batch.stack.shared


def test_a_mask_can_be_chosen_by_hand():
    uploads = files(a__tif=SLICE, drawn__tif=MASK)
    alone = read_batch(uploads, UploadOverrides(), {})
    assert [each.name for each in alone.stack.slices] == ["a.tif", "drawn.tif"]
    paired = read_batch(uploads, UploadOverrides({"a.tif": "drawn.tif"}), {})
    assert [each.name for each in paired.stack.slices] == ["a.tif"]
    assert paired.stack.slices[0].truth.sum() == 100


def test_a_mask_of_a_folder_can_be_chosen_by_hand():
    uploads = [InputFile("1", "p/a.tif", SLICE, True), InputFile("2", "p/drawn.tif", MASK, True)]
    paired = read_batch(uploads, UploadOverrides({"a.tif": "drawn.tif"}), {})
    assert paired.names == ("a.tif", "drawn.tif")
    assert [each.name for each in paired.stack.slices] == ["a.tif"]
    assert paired.stack.slices[0].truth.sum() == 100


def test_equal_names_in_two_folders_are_each_paired_in_their_own():
    other, its_mask = map(tiff, slice_and_mask(4))
    uploads = [
        InputFile("1", "p/1.tif", SLICE, True),
        InputFile("2", "p/drawn.tif", MASK, True),
        InputFile("3", "q/1.tif", other, True),
        InputFile("4", "q/drawn.tif", its_mask, True),
    ]
    paired = read_batch(uploads, UploadOverrides({"1.tif": "drawn.tif"}), {})
    assert paired.names == ("1.tif", "drawn.tif")
    assert [each.truth.sum() for each in paired.stack.slices] == [100, 100]


def test_garbage_gets_a_sentence_and_the_rest_goes_on():
    batch = read_batch(
        files(bad__png=b"not an image", empty__tif=b"", good__tif=SLICE), UploadOverrides(), {}
    )
    assert [each.name for each in batch.stack.slices] == ["good.tif"]
    assert len(batch.errors) == 2
    assert "bad.png" in batch.errors[0] and "empty.tif" in batch.errors[1]
    assert all(error.endswith(".") for error in batch.errors)


def test_a_mask_without_a_slice_is_named():
    batch = read_batch(files(x_mask__tif=MASK), UploadOverrides(), {})
    assert batch.stack is None
    assert "x_mask.tif" in batch.errors[0]


def test_a_mask_of_another_size_is_left_out():
    small = tiff(np.zeros((SIZE // 2, SIZE), np.uint8))
    batch = read_batch(files(x__tif=SLICE, x_mask__tif=small), UploadOverrides(), {})
    assert batch.stack.slices[0].truth is None
    assert "x_mask.tif" in batch.errors[0] and str(SIZE) in batch.errors[0]


def test_slices_come_in_the_order_of_their_numbers():
    names = [f"TCGA_ZZ_0001_20260101_{number}__tif" for number in (10, 9, 1)]
    batch = read_batch(files(**dict.fromkeys(names, SLICE)), UploadOverrides(), {})
    assert [each.number for each in batch.stack.slices] == [1, 9, 10]


def test_what_was_read_is_kept_while_files_and_words_are_the_same():
    memory: dict = {}
    uploads = files(x__tif=SLICE, y__tif=SLICE)
    first = read_batch(uploads, UploadOverrides(), memory).stack.slices[0]
    turns = UploadOverrides(turns={"another": Turn(1)})
    assert read_batch(uploads, turns, memory).stack.slices[0] is first
    assert read_batch(uploads[:1], UploadOverrides(), memory).stack.slices[0] is not first
    assert len(memory) == 1


def test_a_batch_has_an_end():
    many = [InputFile(str(i), f"s{i}.tif", SLICE) for i in range(LIMIT + 1)]
    batch = read_batch(many, UploadOverrides(), {})
    assert len(batch.stack.slices) == LIMIT
    assert str(LIMIT) in batch.errors[0]


def test_one_name_twice_is_two_slices():
    twice = [InputFile("1", "x.tif", SLICE), InputFile("2", "x.tif", tiff(slice_and_mask(4)[0]))]
    stack = read_batch(twice, UploadOverrides(), {}).stack
    assert len(stack.slices) == 2 and len(set(stack.keys)) == 2
    batch = read_batch([*twice, InputFile("3", "x.tif", SLICE)], UploadOverrides(), {})
    assert len(batch.stack.slices) == 2 and "came more than once" in batch.notes[0]


def zipped(**by_name: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in by_name.items():
            file.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def test_a_zip_is_what_is_in_it():
    data = zipped(**{"p/x__tif": SLICE, "p/x_mask__tif": MASK, "p/notes__txt": b"no"})
    memory: dict = {}
    batch = read_batch(files(p__zip=data), UploadOverrides(), memory)
    assert batch.errors == () and len(batch.notes) == 1 and "notes.txt" in batch.notes[0]
    assert [each.name for each in batch.stack.slices] == ["x.tif"]
    assert batch.stack.slices[0].truth.sum() == 100
    assert read_batch([], UploadOverrides(), memory).stack is None and not memory


def test_folders_keep_masks_beside_their_slices():
    uploads = [
        InputFile(str(index), name, data, bulk=True)
        for index, (name, data) in enumerate(
            [("a/x.tif", SLICE), ("b/x.tif", SLICE), ("b/x_mask.tif", MASK), ("b/.hidden", b"?")]
        )
    ]
    batch = read_batch(uploads, UploadOverrides(), {})
    assert [each.truth is not None for each in batch.stack.slices] == [False, True]
    assert batch.errors == () and "1 file is not a slice" in batch.notes[0]


VOLUME = np.random.default_rng(4).integers(0, 256, (3, 8, 9), np.uint8)


def test_a_series_is_a_stack_whatever_the_order_of_its_files():
    batch = read_batch(
        [InputFile(n, n, d) for n, d in series(VOLUME).items()], UploadOverrides(), {}
    )
    assert [each.name for each in batch.stack.slices] == ["IM0000.dcm", "IM0001.dcm", "IM0002.dcm"]
    found = np.stack([each.pixels[..., 1] for each in batch.stack.slices])
    np.testing.assert_array_equal(found, VOLUME)
    assert len(set(batch.stack.keys)) == 3


def test_sequences_of_gray_pictures_join_by_name_or_by_hand():
    expected = np.stack([stretched(plane) for plane in VOLUME], axis=2)
    planes = {name: tiff(VOLUME[i]) for i, name in enumerate(("pre", "flair", "post"))}
    batch = read_batch(
        files(**{f"p7_{name}__tif": data for name, data in planes.items()}), UploadOverrides(), {}
    )
    (each,) = batch.stack.slices
    np.testing.assert_array_equal(each.pixels, expected)
    assert each.name == "p7_flair.tif" and not each.notes

    uploads = files(**{f"{letter}__tif": tiff(VOLUME[i]) for i, letter in enumerate("abc")})
    assert len(read_batch(uploads, UploadOverrides(), {}).stack.slices) == 3
    said = {"id-a__tif": "pre", "id-b__tif": "flair", "id-c__tif": "post"}
    (each,) = read_batch(uploads, UploadOverrides(sequences=said), {}).stack.slices
    np.testing.assert_array_equal(each.pixels, expected)


def test_what_is_turned_has_another_key_and_the_same_place_in_the_viewer():
    uploads = files(x__tif=SLICE, x_mask__tif=MASK)
    plain = read_batch(uploads, UploadOverrides(), {})
    (study,) = plain.studies
    turns = UploadOverrides(turns={study.anchor: Turn(1)})
    turned = read_batch(uploads, turns, {})
    each = turned.stack.slices[0]
    np.testing.assert_array_equal(each.pixels, np.rot90(plain.stack.slices[0].pixels, -1))
    np.testing.assert_array_equal(each.truth, np.rot90(plain.stack.slices[0].truth, -1))
    assert turned.stack.id == plain.stack.id and turned.stack.keys != plain.stack.keys


def test_too_many_slices_of_a_volume_are_thinned_and_that_is_said(monkeypatch):
    data = nifti(np.random.default_rng(0).integers(0, 255, (8, 9, 50), np.uint8), np.eye(4))
    monkeypatch.setattr(upload_batch, "MOST_PIXELS", 8 * 9 * 20)
    batch = read_batch(files(x__nii=data), UploadOverrides(), {})
    assert [each.number for each in batch.stack.slices] == list(range(1, 51, 3))
    assert "Every third of the 50 slices" in batch.notes[0]


def test_what_a_zip_or_a_volume_cannot_be_read_for_is_said():
    batch = read_batch(
        files(a__zip=b"PK\x03\x04?", b__nii=b"?" * 400, c__dcm=b"?"), UploadOverrides(), {}
    )
    assert batch.stack is None and len(batch.errors) == 3
    assert all(name in " ".join(batch.errors) for name in ("a.zip", "b.nii", "c.dcm"))
