"""The reading process starts and ends as on Windows and macOS: spawned anew, with nothing inherited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

READ = """
import io, sys, time
import loky
import numpy as np
from loky.backend.context import set_start_method
from PIL import Image
from btmodels.errors import DecodeError
from btmodels.io.sandbox import Reader

if __name__ == "__main__":
    set_start_method("spawn", force=True)
    file = io.BytesIO()
    pixels = np.arange(256 * 256 * 3, dtype=np.uint32).astype(np.uint8).reshape(256, 256, 3)
    Image.fromarray(pixels).save(file, "PNG")
    reader = Reader()
    assert np.array_equal(reader.slice(file.getvalue(), "x.png").pixels, pixels)
    process = reader._executor._context
    assert process.get_start_method() == "spawn", process
    try:
        reader.slice(b"II*\\\\0garbage", "bad.tif")
    except DecodeError as error:
        assert "bad.tif" in str(error)
    # One whose process was killed starts the next.
    for worker in list(reader._executor._processes.values()):
        worker.kill()
        worker.join()
    for _ in range(2):
        try:
            again = reader.slice(file.getvalue(), "x.png")
            break
        except DecodeError:
            continue
    assert np.array_equal(again.pixels, pixels)
    reader.close()
    print("read")
"""


@pytest.mark.parametrize("folder", ["plain", "with space and \u00fc"])
def test_a_spawned_process_reads_files(tmp_path, folder):
    script = tmp_path / folder / "script.py"
    script.parent.mkdir()
    script.write_text(READ, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "read"
