"""Messages to components: a head as JSON and packed planes behind it; message.js undoes this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def message(head: Mapping[str, Any], parts: Mapping[str, bytes | None]) -> bytes:
    """Return bytes, which Streamlit hands over untouched where they are all of the data.

    Args:
        head: For JSON; ``parts`` is added to it, offset and length by name.
        parts: Planes of `ui.viewer.packing`; those that are None are left out.
    """
    places, planes, end = {}, [], 0
    for name, part in parts.items():
        if part is not None:
            places[name] = [end, len(part)]
            planes.append(part)
            end += len(part)
    encoded = json.dumps({**head, "parts": places}).encode()
    return b"".join((len(encoded).to_bytes(4, "little"), encoded, *planes))
