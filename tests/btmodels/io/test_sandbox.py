"""Uploads are decoded elsewhere: the same slices, and a site that outlives a file."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import signal
import sys
import time

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from btmodels.errors import DecodeError
from btmodels.io.batch import InputFile, read_batch
from btmodels.io.image import decode
from btmodels.io.limits import announce
from btmodels.io.sandbox import Reader

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="has no such limit")


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


def test_a_file_that_waits_for_ever_is_given_up_and_the_next_is_read():
    impatient = Reader(seconds=0.5, patience=1)
    with pytest.raises(DecodeError, match=r"slow\.tif was given up: reading it took longer"):
        impatient.run("slow.tif", time.sleep, 60)
    assert impatient.run("x.tif", os.getpid) != os.getpid()
    impatient.close()


def _spin(announced: int) -> float:
    """Work for a second of the processor, as a file that announces so many bytes."""
    announce(announced)
    begin = time.process_time()
    while time.process_time() < begin + 1:
        pass
    return time.process_time() - begin


def _hold(num_bytes: int) -> int:
    return np.zeros(num_bytes, np.uint8).size


def _hide_the_lack(num_bytes: int) -> int:
    try:
        return _hold(num_bytes)
    except MemoryError as error:
        raise DecodeError("hog.tif is damaged.") from error


@posix_only
def test_the_processors_time_is_limited_and_grows_with_what_a_file_announces():
    # Patience is no part of it: a minute of the clock would be there.
    hasty = Reader(seconds=0.3, patience=200)
    with pytest.raises(DecodeError, match=r"busy\.tif was given up: reading it took longer"):
        hasty.run("busy.tif", _spin, 0)
    # A tenth of a microsecond a byte: 20 million are worth two seconds more.
    assert hasty.run("large.tif", _spin, 20_000_000) >= 1
    # And so is the file itself, whatever it announces.
    assert hasty.run("large.tif", _spin_with, bytes(20_000_000)) >= 1
    with pytest.raises(DecodeError, match="took longer"):
        hasty.run("busy.tif", _spin, 0)  # the next file gets no more than its own
    hasty.close()


def _spin_with(data: bytes) -> float:
    return _spin(0)


@linux_only
@pytest.mark.parametrize("greedy", [_hold, _hide_the_lack])
def test_a_file_that_takes_too_much_memory_is_given_up_and_the_process_stays(reader, greedy):
    first = reader.run("x.tif", os.getpid)
    with pytest.raises(DecodeError) as error:
        reader.run("hog.tif", greedy, 700_000_000)
    assert str(error.value) == (
        "hog.tif was given up: reading it would take more memory than a file gets here."
    )
    assert reader.run("x.tif", _hold, 300_000_000) == 300_000_000
    assert reader.run("x.tif", os.getpid) == first


@linux_only
def test_memory_grows_with_the_file_and_is_not_limited_between_files():
    small = Reader(memory=100_000_000)
    data = bytes(50_000_000)  # three bytes for each of it: 250 MB
    assert small.run("x.nii", _hold_beside, data, 200_000_000) == 200_000_000
    with pytest.raises(DecodeError, match="more memory"):
        small.run("x.nii", _hold_beside, data, 260_000_000)
    # Twice what a small file gets crosses between the processes before anything is limited.
    assert small.run("x.nii", _hold_beside, bytes(190_000_000), 0) == 0
    small.close()


def _hold_beside(data: bytes, num_bytes: int) -> int:
    return _hold(num_bytes)


def test_outside_the_reader_nothing_is_limited():
    before = signal.getitimer(signal.ITIMER_PROF) if sys.platform != "win32" else None
    announce(10**12)
    assert before is None or signal.getitimer(signal.ITIMER_PROF) == before


class Fragile(Reader):
    """A reader whose process ends at one file, as a decoder's fault can make it."""

    def _batch(self, files, masks, sequences, given_up, most_bytes):
        return self._submit("x", 100, _die_at_the_bomb, files, given_up)

    def run(self, name, function, *args):
        return (
            super().run(name, os._exit, 9)
            if name == "bomb.tif"
            else super().run(name, function, *args)
        )


def _die_at_the_bomb(files, given_up):
    if any(file.name == "bomb.tif" and file.id not in given_up for file in files):
        os._exit(9)
    return read_batch(files, given_up=given_up)


def test_a_file_that_ends_the_process_costs_a_batch_itself_alone():
    data = tiff(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    names = ("a.tif", "bomb.tif", "b.tif")
    with contextlib.closing(Fragile(seconds=5)) as fragile:
        batch = fragile.batch(
            [InputFile(name[0] + str(n), name, data) for n, name in enumerate(names)]
        )
    assert [study.title for study in batch.studies] == ["a.tif", "b.tif"]
    (error,) = batch.errors
    assert error.source == "b1" and error.text.startswith("bomb.tif was given up")


@linux_only
def test_a_file_that_takes_too_much_memory_costs_a_batch_itself_alone():
    small = Reader(memory=60_000_000)
    volume = nibabel.Nifti1Image(np.zeros((400, 400, 100), np.int16), np.eye(4)).to_bytes()
    packed = gzip.compress(volume)
    good = tiff(np.arange(189, dtype=np.uint8).reshape(9, 7, 3))
    with contextlib.closing(small):
        batch = small.batch(
            [InputFile("1", "good.tif", good), InputFile("2", "hog.nii.gz", packed)]
        )
    assert [study.title for study in batch.studies][0] == "good.tif"
    assert len(batch.studies) + len(batch.errors) == 2


@pytest.mark.slow
def test_the_largest_picture_and_a_large_volume_pass_the_limits():
    rows, cols = 6_250, 6_400  # 40 megapixels
    picture = np.zeros((rows, cols, 3), np.uint8)
    picture[::50, ::50] = 255
    webp = io.BytesIO()
    Image.fromarray(picture).save(webp, "WEBP")
    assert len(webp.getvalue()) < 2_000_000
    with contextlib.closing(Reader()) as strict:
        assert strict.file(webp.getvalue(), "x.webp").pixels.shape == (rows, cols, 3)
        four = np.zeros((200, 200, 100, 6), np.float32)  # 96 MB
        four[50:90, 60:120, 30:70] = 1.5
        scans = strict.file(nibabel.Nifti1Image(four, np.eye(4)).to_bytes(), "x.nii")
        assert len(scans) == 6 and scans[0].values.shape == (100, 200, 200)
