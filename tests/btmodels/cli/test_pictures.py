"""Pictures as Pillow writes them, sound and damaged: a row or a true reason, nothing of another library."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
from PIL import Image, features

from btmodels.__main__ import main
from btmodels.io.sandbox import Reader
from tests.btmodels.case_files import patient
from tests.btmodels.cli.test_analyze import networks  # noqa: F401

READ = {
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
}
NAMED = {"GIF": ("L", "GIF"), "JPEG2000": ("RGB", "JPEG 2000"), "AVIF": ("RGB", "AVIF")}
OTHERS = {
    "PCX": "L",
    "PPM": "RGB",
    "TGA": "RGB",
    "SGI": "RGB",
    "IM": "L",
    "ICO": "RGBA",
    "PDF": "RGB",
}
PACKED = ("tiff_lzw", "jpeg", "packbits", "tiff_adobe_deflate", "group4", "tiff_ccitt")


def image(mode: str) -> Image.Image:
    pixels = np.ascontiguousarray(patient()[:, 4].transpose(1, 2, 0))
    if mode == "I;16":
        return Image.fromarray(pixels[..., 1].astype(np.uint16) * 257)
    found = Image.fromarray(pixels)
    return found.quantize(64) if mode == "P" else found.convert(mode)


def saved(mode: str, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def pictures() -> dict[str, bytes]:
    files = {
        f"read_{kind}_{mode.replace(';', '')}.{kind.lower()}": saved(mode, kind)
        for kind, modes in READ.items()
        for mode in modes
    }
    for packing in PACKED:
        mode = "1" if packing in ("group4", "tiff_ccitt") else "RGB"
        files[f"read_{packing}.tif"] = saved(mode, "TIFF", compression=packing)
    files["read_clear.png"] = saved("P", "PNG", transparency=bytes([0, 128] + [255] * 62))
    files["read_key.png"] = saved("L", "PNG", transparency=7)
    for kind, (mode, _) in NAMED.items():
        if kind != "AVIF" or features.check("avif"):
            files[f"named_{kind}.png"] = saved(mode, kind)
    files |= {f"other_{kind}.{kind.lower()}": saved(mode, kind) for kind, mode in OTHERS.items()}
    # What is cut off or spoiled makes libraries talk.
    for name in ("read_TIFF_RGB.tiff", "read_tiff_lzw.tif", "read_jpeg.tif", "read_JPEG_RGB.jpeg"):
        data = files[name]
        files[f"cut_{name}"] = data[: len(data) // 2]
        files[f"spoiled_{name}"] = data[:20] + bytes(40) + data[60:]
    return files


def test_each_gets_a_row_or_a_true_reason_and_nothing_else_is_said(
    networks,  # noqa: F811
    capfd,
    tmp_path,
):
    files = pictures()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    status = main(["analyze", *map(str, (tmp_path / name for name in files)), "--json"])
    printed = capfd.readouterr()
    rows = {row["name"] for row in json.loads(printed.out)}
    lines = dict(line.split(": ", 1) for line in printed.err.splitlines())
    told = {name.removeprefix(f"{tmp_path}/"): sentence for name, sentence in lines.items()}
    assert status == 1
    assert rows | set(told) == set(files), "neither a row nor a reason"
    assert all(sentence.startswith(name) for name, sentence in told.items())
    assert {name for name in files if name.startswith("read_")} <= rows
    for kind, (_, what) in NAMED.items():
        if f"named_{kind}.png" in files:
            assert what in told[f"named_{kind}.png"]


def test_the_reading_process_says_nothing(capfd):
    with contextlib.closing(Reader()) as reader:
        reader.run("x", _talk, "TIFFReadDirectory: Warning")
    assert capfd.readouterr().err == ""


def _talk(word: str) -> None:
    import os
    import warnings

    warnings.warn(word, stacklevel=1)
    os.write(2, word.encode())
