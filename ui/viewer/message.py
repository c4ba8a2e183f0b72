"""Messages to components: a JSON head followed by packed planes; message.js decodes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def message(head: Mapping[str, Any], parts: Mapping[str, bytes | None]) -> bytes:
    """Return a message as bytes, which Streamlit passes on unchanged if they are the whole data.

    Args:
        head: JSON-compatible content; ``parts``, offset and length by name, is added to it.
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
