"""The session's caches, and the one function that drops everything made from uploads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import streamlit as st

Value = TypeVar("Value")

_caches: list[SessionCache] = []
_upload_keys: list[str] = []


class SessionCache(Generic[Value]):
    """An LRU cache in one visitor's session.

    Args:
        key: Unique key in the session state.
        most: Largest number of values.
        upload_derived: Whether `forget_uploads` empties it; or a function that decides for each value.
    """

    def __init__(
        self, key: str, most: int, upload_derived: bool | Callable[[Value], bool] = True
    ) -> None:
        self.key, self.most, self._upload_derived = key, most, upload_derived
        _caches.append(self)

    def get(self, key: Hashable, default: Any = None) -> Value | Any:
        """Return the value cached under ``key`` and count it as used; ``default`` without one."""
        kept = self._kept()
        if key not in kept:
            return default
        kept[key] = kept.pop(key)
        return kept[key]

    def put(self, key: Hashable, value: Value) -> Value:
        """Cache ``value``, dropping the least recently used one if the cache is full, and return it."""
        kept = self._kept()
        kept.pop(key, None)
        kept[key] = value
        while len(kept) > self.most:
            del kept[next(iter(kept))]
        return value

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept()

    def values(self) -> list[Value]:
        """Return the cached values, the most recently used last."""
        return list(self._kept().values())

    def forget(self) -> None:
        """Drop everything made from uploads."""
        if self._upload_derived is True:
            st.session_state.pop(self.key, None)
        elif self._upload_derived and self.key in st.session_state:
            kept = self._kept()
            for key in [key for key, value in kept.items() if self._upload_derived(value)]:
                del kept[key]

    def _kept(self) -> dict[Hashable, Value]:
        return st.session_state.setdefault(self.key, {})


def keep(key: str, value: Value) -> Value:
    """Store a large ``value`` in the session, and return it.

    Streamlit keeps the old value of an assigned key beside the new one until the next run; this function
    drops the old one at once.
    """
    st.session_state.pop(key, None)
    st.session_state[key] = value
    return value


def upload_key(key: str) -> str:
    """Return the name of a session key whose value `forget_uploads` drops."""
    _upload_keys.append(key)
    return key


def forget_uploads() -> None:
    """Drop the visitor's files and everything made from them in this session."""
    for cache in _caches:
        cache.forget()
    for key in _upload_keys:
        st.session_state.pop(key, None)
