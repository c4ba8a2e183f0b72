"""A zip: its files by harmless paths, and limits before anything is unpacked."""

from __future__ import annotations

import io
import zipfile

import pytest

from btmodels.errors import DecodeError
from btmodels.io import zip
from btmodels.io.read import read_file
from btmodels.io.zip import path_of, unzip


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in files:
            file.writestr(name, data)
    return buffer.getvalue()


def test_files_come_with_their_folders():
    data = zipped(("p/x.tif", b"1"), ("p/", b""), ("p/deep/y.tif", b"22"))
    assert unzip(data, "x.zip") == (("p/x.tif", b"1"), ("p/deep/y.tif", b"22"))


def test_what_a_system_adds_is_left_out():
    data = zipped(("__MACOSX/._x.tif", b"1"), (".DS_Store", b"1"), ("x.tif", b"2"))
    assert unzip(data, "x.zip") == (("x.tif", b"2"),)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/x.tif", "etc/x.tif"),
        ("/etc/x.tif", "etc/x.tif"),
        ("C:\\a\\x.tif", "C:/a/x.tif"),
        ("a//./x\u202e.tif", "a/x\ufffd.tif"),
    ],
)
def test_no_path_leads_out(name, path):
    assert path_of(name) == path


def locked() -> bytes:
    data = bytearray(zipped(("x.tif", b"abc"), method=zipfile.ZIP_STORED))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


REFUSED = {
    "many.zip": (zipped(*((str(i), b"") for i in range(2_001))), "2,001 files"),
    "ratio.zip": (zipped(("x", bytes(30_000_000))), "times larger"),
    "cut.zip": (zipped(("x", b"abc" * 99))[:60], "cut off"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_gets_a_sentence(name):
    data, what = REFUSED[name]
    with pytest.raises(DecodeError, match=what) as caught:
        unzip(data, f"a/{name}")
    assert str(caught.value).startswith(name)


def test_sizes_are_checked_before_anything_is_unpacked(monkeypatch):
    data = zipped(("x", b"a" * 600), ("y", b"b" * 600), method=zipfile.ZIP_STORED)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("was unpacked"))
    monkeypatch.setattr(zip, "MAX_TOTAL", 1_000)
    with pytest.raises(DecodeError, match="unpacked; at most"):
        unzip(data, "x.zip")
    monkeypatch.setattr(zip, "MAX_TOTAL", 10_000)
    monkeypatch.setattr(zip, "MAX_BYTES", 500)
    assert all("MB are read" in sentence for _, sentence in unzip(data, "x.zip"))


def test_a_false_size_does_not_unpack_more():
    data = bytearray(zipped(("x", bytes(5_000_000))))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (1000).to_bytes(4, "little")
    ((_, sentence),) = unzip(bytes(data), "x.zip")
    assert sentence == "x is damaged or packed in a rare way within its zip."


def test_one_member_that_cannot_be_had_costs_itself_alone():
    assert unzip(locked(), "x.zip") == (
        ("x.tif", "x.tif is locked with a password; unpack the zip first."),
    )
    data = bytearray(zipped(("a.tif", b"aaaa"), ("b.tif", b"bbbb"), method=zipfile.ZIP_STORED))
    data[data.index(b"bbbb")] ^= 1
    (_, first), (_, second) = unzip(bytes(data), "x.zip")
    assert first == b"aaaa" and second.startswith("b.tif is damaged")


def test_one_name_that_is_not_the_utf8_it_is_flagged_as_costs_no_other_member():
    inner = zipped(("ä.tif", b"1")).replace("ä".encode(), b"\xe4\xe4")
    files = ("ä.tif", b"aaaa"), ("ö.tif", b"bbbb"), ("in.zip", inner)
    data = zipped(*files, method=zipfile.ZIP_STORED).replace("ä".encode(), b"\xe4\xe4")
    (_, first), second, (_, third) = unzip(data, "x.zip")
    assert first == b"aaaa" and second == ("ö.tif", b"bbbb") and third == inner
    with pytest.raises(DecodeError, match="damaged"):
        unzip(data[:-22], "x.zip")


def test_what_a_mac_or_windows_adds_is_not_counted():
    files = [(str(i), b"1") for i in range(1_001)]
    added = [(f"__MACOSX/._{i}", b"2") for i in range(1_001)] + [("Thumbs.db", b"3")]
    assert len(unzip(zipped(*files, *added), "x.zip")) == 1_001


def test_a_zip_in_a_zip_is_not_opened():
    ((path, inner),) = unzip(zipped(("inner.zip", zipped(("x", b"1")))), "x.zip")
    with pytest.raises(DecodeError, match="zip within another"):
        read_file(inner, path)
