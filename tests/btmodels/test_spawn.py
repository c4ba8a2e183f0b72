"""The site's processes start and end as on Windows and macOS: spawned anew, with nothing inherited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

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


LOAD = """
import os, sys
import psutil
from loky.backend.context import set_start_method
from btmodels import paths
from btmodels.inference.worker_process import WorkerLostError, WorkerProcess

if __name__ == "__main__":
    set_start_method("spawn", force=True)
    process = WorkerProcess((), paths.ASSETS, "graph")
    first = process.start()
    assert process._executor._context.get_start_method() == "spawn"
    assert first.pid != os.getpid() and not first.problems
    assert process.call(60, len, "four") == 4
    psutil.Process(first.pid).kill()
    try:
        process.call(60, len, "four")
        raise SystemExit("a killed worker answered")
    except WorkerLostError:
        pass
    second = process.start()
    process.close()
    assert second.pid != first.pid and not psutil.pid_exists(second.pid)
    print("loaded")
"""


@pytest.mark.parametrize(
    ("code", "folder", "word"),
    [(READ, "with space and \u00fc", "read"), (LOAD, "plain", "loaded")],
)
def test_a_spawned_process_works_and_is_replaced(tmp_path, code, folder, word):
    script = tmp_path / folder / "script.py"
    script.parent.mkdir()
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == word
