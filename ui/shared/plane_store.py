"""Packed planes that a browser fetches on demand, each once, instead of all on every rerun.

A store belongs to one session and lives as long as the session references it. Its addresses cannot be
guessed, and stop working once the session has ended or its files are forgotten.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from threading import Lock
from weakref import WeakValueDictionary

_stores: WeakValueDictionary[str, PlaneStore] = WeakValueDictionary()


class PlaneStore:
    """Planes of `ui.viewer.packing`, packed when first requested. Thread-safe.

    A page with sixty slices would otherwise be drawn only after all of them are packed.

    Attributes:
        token: Name of the store in an address.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self._planes: dict[str, _Planes] = {}
        _stores[self.token] = self

    def put(self, key: tuple, pack: Callable[[], bytes]) -> str:
        """Keep planes and return their name.

        Args:
            key: What the planes show; equal keys mean equal planes, and get the same name.
            pack: Returns the packed planes.
        """
        name = hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()
        self._planes.setdefault(name, _Planes(pack))
        return name

    def get(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the available ones of the named planes, packed, by name."""
        found = {name: self._planes.get(name) for name in names}
        return {name: planes.packed() for name, planes in found.items() if planes}

    def keep(self, names: Iterable[str | None]) -> None:
        """Drop all planes except the named ones."""
        wanted = set(names)
        self._planes = {name: planes for name, planes in self._planes.items() if name in wanted}


class _Planes:
    def __init__(self, pack: Callable[[], bytes]) -> None:
        self._pack: Callable[[], bytes] | None = pack
        self._packed = b""
        self._lock = Lock()

    def packed(self) -> bytes:
        with self._lock:
            if self._pack:
                self._packed, self._pack = self._pack(), None
            return self._packed


def store(token: str) -> PlaneStore | None:
    """Return the store of a live session, or None."""
    return _stores.get(token)
