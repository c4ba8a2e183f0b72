"""Read JSON files through a cache. A file is parsed again only after it has changed."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; a file that has changed is read again.

    All callers share the returned object: read it, never change it.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is not JSON.
    """
    stamp = os.stat(path)
    return _parsed(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=128)
def _parsed(path: Path, mtime_ns: int, size: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
