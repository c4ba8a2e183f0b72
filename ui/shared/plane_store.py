"""Packed planes that a browser fetches on demand, each once, instead of all on every rerun.

A store belongs to one session and lives as long as the session references it. Its addresses cannot be
guessed, and stop working once the session has ended or its files are forgotten.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from weakref import WeakValueDictionary

_stores: WeakValueDictionary[str, PlaneStore] = WeakValueDictionary()


class PlaneStore:
    """Planes of `ui.viewer.packing` by a hash of their content.

    Attributes:
        token: Name of the store in an address.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self._planes: dict[str, bytes] = {}
        _stores[self.token] = self

    def put(self, planes: bytes | None) -> str | None:
        """Keep planes and return their name; None stays None."""
        if planes is None:
            return None
        name = hashlib.blake2b(planes, digest_size=12).hexdigest()
        self._planes[name] = planes
        return name

    def get(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the available ones of the named planes, by name."""
        return {name: self._planes[name] for name in names if name in self._planes}

    def keep(self, names: Iterable[str | None]) -> None:
        """Drop all planes except the named ones."""
        wanted = set(names)
        self._planes = {name: planes for name, planes in self._planes.items() if name in wanted}


def store(token: str) -> PlaneStore | None:
    """Return the store of a live session, or None."""
    return _stores.get(token)
