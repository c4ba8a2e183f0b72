"""Files of components: documents and styles as text, scripts as modules that the browser loads itself.

Scripts import each other by relative paths, which editors, linters and Node can resolve. The server
serves them under an address with a hash of them all, so that browsers can cache them forever and a
new version gets a new address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

_UI = Path(__file__).resolve().parents[1]

MEDIA_TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}
"""Media types of files that the browser loads by address, by suffix."""


def component(name: str, path: str, *styles: str) -> Callable[..., Any]:
    """Register a component whose script, document and style sheet lie side by side.

    Args:
        name: Name of the component, unique on the site.
        path: Path relative to ui/, without suffix; the document and the style sheet may be missing.
        styles: Paths of further style sheets, which come before its own.
    """
    return st.components.v2.component(
        name, html=_read(f"{path}.html"), css=_read(*styles, f"{path}.css"), js=module(f"{path}.js")
    )


def view_of(panel: Callable[..., Any], key: str, data: Any) -> dict[str, Any]:
    """Draw a component; return the view that the browser sent last, which is untrusted."""
    return panel(key=key, data=data, on_view_change=lambda: None).view or {}


def _read(*names: str) -> str | None:
    paths = [_UI / name for name in names if (_UI / name).exists()]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths) or None


@lru_cache(maxsize=1)
def modules() -> dict[str, bytes]:
    """Return all scripts of ui/ and the files they load, by relative path; read once per process."""
    paths = sorted(path for path in _UI.rglob("*") if path.suffix in MEDIA_TYPES)
    return {path.relative_to(_UI).as_posix(): path.read_bytes() for path in paths}


@lru_cache(maxsize=1)
def version() -> str:
    """Return a hexadecimal hash of the names and content of `modules`."""
    digest = hashlib.sha256()
    for name, content in modules().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def address(name: str) -> str:
    """Return the address of a script of ui/, relative to any page.

    Raises:
        KeyError: There is no such script.
    """
    modules()[name]
    return f"modules/{version()}/{name}"


def module(name: str) -> str:
    """Return the script of a component, which loads a module of ui/ and re-exports its default export.

    Streamlit runs a component's script from a blob, in which relative imports have no base. All pages are
    on the same level, so the modules' relative address is the same for each, under any base path.

    Args:
        name: Path relative to ui/, such as ``viewer/viewer.js``.

    Raises:
        KeyError: There is no such script.
    """
    return (
        f'const entry = await import(new URL("{address(name)}", document.baseURI).href);\n'
        "export default entry.default;\n"
    )
