"""Files of components: documents and styles as text, scripts as modules that the browser loads itself.

A script imports others by relative paths, which an editor, a linter and Node resolve as well. The server
hands them out under an address that holds a hash of them all, so that a browser keeps them for good and a
new version has another address.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

_UI = Path(__file__).resolve().parents[1]

MEDIA_TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}
"""Of the files that the browser loads by their addresses, by suffix."""


def read(*names: str) -> str:
    """Return files of ui/ as one text."""
    return "\n".join((_UI / name).read_text(encoding="utf-8") for name in names)


@lru_cache(maxsize=1)
def modules() -> dict[str, bytes]:
    """Return all scripts of ui/, and what they load, by path below it; read once a process."""
    paths = sorted(path for path in _UI.rglob("*") if path.suffix in MEDIA_TYPES)
    return {path.relative_to(_UI).as_posix(): path.read_bytes() for path in paths}


@lru_cache(maxsize=1)
def version() -> str:
    """Return a hash of `modules`, names and content, hexadecimal."""
    digest = hashlib.sha256()
    for name, content in modules().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def address(name: str) -> str:
    """Return where the browser finds a script of ui/, relative to any page.

    Raises:
        KeyError: There is no such script.
    """
    modules()[name]
    return f"modules/{version()}/{name}"


def module(name: str) -> str:
    """Return the script of a component, which loads a module of ui/ and hands on its default export.

    Streamlit runs a component's script from a blob, where a relative import has nothing to be relative to.
    Pages lie side by side, so that the address of any of them, under whatever path, leads to the modules.

    Args:
        name: Below ui/, such as ``viewer/viewer.js``.

    Raises:
        KeyError: There is no such script.
    """
    return (
        f'const entry = await import(new URL("{address(name)}", document.baseURI).href);\n'
        "export default entry.default;\n"
    )
