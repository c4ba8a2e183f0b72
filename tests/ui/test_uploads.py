"""A batch of uploads: slices, masks beside them, files that are neither."""

from __future__ import annotations

import io

import numpy as np
import tifffile

from tests.fakes import SIZE, slice_and_mask
from ui.uploads import LIMIT, File, read_batch


def tiff(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array)
    return buffer.getvalue()


def files(**by_name: bytes) -> list[File]:
    return [File(f"id-{name}", name.replace("__", "."), data) for name, data in by_name.items()]


SLICE, MASK = map(tiff, slice_and_mask(2))


def test_a_mask_goes_to_its_slice():
    batch = read_batch(files(x_mask__tif=MASK, x__tif=SLICE), {}, {})
    assert batch.errors == ()
    assert [each.name for each in batch.stack.slices] == ["x.tif"]
    assert batch.stack.slices[0].truth.sum() == 100
    assert not batch.stack.shared


def test_a_mask_can_be_chosen_by_hand():
    uploads = files(a__tif=SLICE, drawn__tif=MASK)
    alone = read_batch(uploads, {}, {})
    assert [each.name for each in alone.stack.slices] == ["a.tif", "drawn.tif"]
    paired = read_batch(uploads, {"a.tif": "drawn.tif"}, {})
    assert [each.name for each in paired.stack.slices] == ["a.tif"]
    assert paired.stack.slices[0].truth.sum() == 100


def test_garbage_gets_a_sentence_and_the_rest_goes_on():
    batch = read_batch(files(bad__png=b"not an image", empty__tif=b"", good__tif=SLICE), {}, {})
    assert [each.name for each in batch.stack.slices] == ["good.tif"]
    assert len(batch.errors) == 2
    assert "bad.png" in batch.errors[0] and "empty.tif" in batch.errors[1]
    assert all(error.endswith(".") for error in batch.errors)


def test_a_mask_without_a_slice_is_named():
    batch = read_batch(files(x_mask__tif=MASK), {}, {})
    assert batch.stack is None
    assert "x_mask.tif" in batch.errors[0]


def test_a_mask_of_another_size_is_left_out():
    small = tiff(np.zeros((SIZE // 2, SIZE), np.uint8))
    batch = read_batch(files(x__tif=SLICE, x_mask__tif=small), {}, {})
    assert batch.stack.slices[0].truth is None
    assert "x_mask.tif" in batch.errors[0] and str(SIZE) in batch.errors[0]


def test_slices_come_in_the_order_of_their_numbers():
    names = [f"TCGA_ZZ_0001_20260101_{number}__tif" for number in (10, 9, 1)]
    batch = read_batch(files(**dict.fromkeys(names, SLICE)), {}, {})
    assert [each.number for each in batch.stack.slices] == [1, 9, 10]


def test_what_was_decoded_is_kept_while_the_file_is_there():
    memory: dict = {}
    first = read_batch(files(x__tif=SLICE, y__tif=SLICE), {}, memory).stack.slices[0]
    again = read_batch(files(x__tif=SLICE), {}, memory).stack.slices[0]
    assert again is first
    assert list(memory) == [("id-x__tif", "slice")]


def test_a_batch_has_an_end():
    many = [File(str(i), f"s{i}.tif", SLICE) for i in range(LIMIT + 1)]
    batch = read_batch(many, {}, {})
    assert len(batch.stack.slices) == LIMIT
    assert str(LIMIT) in batch.errors[0]


def test_one_name_twice_is_two_slices():
    twice = [File("1", "x.tif", SLICE), File("2", "x.tif", SLICE)]
    stack = read_batch(twice, {}, {}).stack
    assert len(stack.slices) == 2 and len(set(stack.keys)) == 2
