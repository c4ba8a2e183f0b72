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


def run(modules: tuple[str, ...], expression: str, **given):
    """Return what ``expression`` comes to, with what modules export at hand.

    Args:
        modules: Below ui/; the files that the browser loads.
        expression: JavaScript with ``given`` at hand, and ``bytes`` and ``text`` for `encoded`.
        given: For JSON.
    """
    imported = (f'Object.assign(globalThis, await import("./{module}"));' for module in modules)
    code = "\n".join([_PRELUDE, *imported, f"console.log(JSON.stringify(await ({expression})));"])
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", code],
        cwd=UI,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def node() -> str:
    """Return the path of Node."""
    name = "node.exe" if shutil.which("cmd") else "node"
    return shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / name)


def encoded(array: np.ndarray) -> str:
    """Return bytes of an array as text for JSON."""
    return base64.b64encode(np.ascontiguousarray(array, np.uint8).tobytes()).decode()


def decoded(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `encoded`."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)
