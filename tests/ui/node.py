"""JavaScript of the site run in Node, which Playwright carries: JSON in, JSON out."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import playwright

UI = Path(__file__).resolve().parents[2] / "ui"
_PRELUDE = """
import { readFileSync } from "node:fs";
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const text = (array) => Buffer.from(array).toString("base64");
const given = JSON.parse(readFileSync(0));
"""


def run(folder: Path, files: tuple[str, ...], expression: str, **given):
    """Return what ``expression`` comes to in a module of ``files``, joined as the browser gets them.

    Args:
        folder: To write the module to.
        files: Below ui/.
        expression: JavaScript with ``given`` at hand, and ``bytes`` and ``text`` for `encoded`.
        given: For JSON.
    """
    name = "node.exe" if shutil.which("cmd") else "node"
    node = shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / name)
    parts = [_PRELUDE, *((UI / file).read_text(encoding="utf-8") for file in files)]
    module = folder / "run.mjs"
    module.write_text(
        "\n".join([*parts, f"console.log(JSON.stringify(await ({expression})));"]), encoding="utf-8"
    )
    done = subprocess.run(
        [node, str(module)], input=json.dumps(given), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def encoded(array: np.ndarray) -> str:
    """Return bytes of an array as text for JSON."""
    return base64.b64encode(np.ascontiguousarray(array, np.uint8).tobytes()).decode()


def decoded(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `encoded`."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)
