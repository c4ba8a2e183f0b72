"""Uploads are decoded elsewhere: the same slices, and a site that outlives a file."""

from __future__ import annotations

import io
import os
import time

import numpy as np
import pytest
import tifffile

from btmodels.decode import decode
from btmodels.errors import DecodeError
from btmodels.reader import Reader


@pytest.fixture(scope="module")
def reader():
    shared = Reader(seconds=5)
    yield shared
    shared.close()


def tiff(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array)
    return buffer.getvalue()


def test_a_slice_is_the_one_that_decode_gives(reader):
    data = tiff(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    found, expected = reader.slice(data, "x.tif"), decode(data, "x.tif")
    assert np.array_equal(found.pixels, expected.pixels)
    assert (found.name, found.notes) == (expected.name, expected.notes)


def test_a_mask_is_read_too(reader):
    mask = np.eye(6, dtype=np.uint8) * np.uint8(255)
    assert np.array_equal(reader.mask(tiff(mask), "x_mask.tif"), mask > 0)


def test_what_cannot_be_read_is_said_as_decode_says_it(reader):
    with pytest.raises(DecodeError) as expected:
        decode(b"garbage", "bad.tif")
    with pytest.raises(DecodeError) as found:
        reader.slice(b"garbage", "bad.tif")
    assert str(found.value) == str(expected.value)


def test_a_file_that_ends_the_process_is_given_up_and_the_next_is_read(reader):
    first = reader.run("x.tif", os.getpid)
    with pytest.raises(DecodeError, match=r"bomb\.tif was given up: the process"):
        reader.run("bomb.tif", os._exit, 9)
    second = reader.run("x.tif", os.getpid)
    assert len({first, second, os.getpid()}) == 3


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read():
    impatient = Reader(seconds=0.5)
    with pytest.raises(DecodeError, match=r"slow\.tif was given up: reading it took longer"):
        impatient.run("slow.tif", time.sleep, 60)
    assert impatient.run("x.tif", os.getpid) != os.getpid()
    impatient.close()
