"""A zip: its files by harmless paths, and limits before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from btmodels.errors import DecodeError
from btmodels.io import zip as zips
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
    monkeypatch.setattr(zips, "MAX_TOTAL", 1_000)
    with pytest.raises(DecodeError, match="unpacked; at most"):
        unzip(data, "x.zip")
    monkeypatch.setattr(zips, "MAX_TOTAL", 10_000)
    monkeypatch.setattr(zips, "MAX_BYTES", 500)
    assert all("MB are read" in sentence for _, sentence in unzip(data, "x.zip"))


def test_a_false_size_does_not_unpack_more():
    data = bytearray(zipped(("x", bytes(5_000_000))))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (1000).to_bytes(4, "little")
    ((_, sentence),) = unzip(bytes(data), "x.zip")
    assert sentence == "x is damaged or compressed in a rare way within its zip."


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


def renamed(names: list[str], encoding: str) -> bytes:
    """A zip whose names are in an encoding of Windows, without a flag."""
    given = [chr(65 + index) * len(name.encode(encoding)) for index, name in enumerate(names)]
    data = zipped(*((name, b"1") for name in given), method=zipfile.ZIP_STORED)
    for own, name in zip(given, names, strict=True):
        data = data.replace(own.encode(), name.encode(encoding))
    return data


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp437", ["Müller/Größe 2°.png", "été.png", "MÜLLER.PNG"]),
        ("cp866", ["Иванов/снимок_1.png", "Иванов/СНИМОК №2.PNG"]),
        ("cp866", ["МРТ_T1.dcm"]),
        ("cp932", ["山田太郎/頭部MRI.dcm", "患者・1/ＦＬＡＩＲ.png"]),
        ("cp932", ["スライス_01.png"]),
        ("gbk", ["患者一/头部_001.dcm", "核磁共振，增强.dcm"]),
        ("utf-8", ["Иванов.png", "患者.png"]),
    ],
)
def test_names_are_read_in_the_encoding_in_which_they_make_sense(encoding, names):
    assert [path for path, _ in unzip(renamed(names, encoding), "x.zip")] == names


def test_a_name_in_no_known_encoding_stays_as_the_standard_reads_it():
    assert unzip(renamed(["aé╬▓.png"], "cp437"), "x.zip") == (("aé╬▓.png", b"1"),)


def test_the_field_that_holds_a_name_in_utf8_is_believed_if_it_is_of_that_name():
    entry = zipfile.ZipInfo("12345678.png")
    for name, expected in (("12345678.png", "한국.png"), ("other.png", "12345678.png")):
        field = struct.pack("<BI", 1, zlib.crc32(name.encode())) + "한국.png".encode()
        entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(entry, b"1")
        assert unzip(buffer.getvalue(), "x.zip") == ((expected, b"1"),)
