"""Channels of one case that are identified by a number, not a sequence.

nnU-Net ends the names of a case's images with the channel (``case_0000.nii.gz``); the Medical Segmentation
Decathlon stores channels as the volumes of one file. Both describe the channels in ``dataset.json``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from btmodels.filenames import stem_of
from btmodels.io.sequences import is_mask, recognize

DESCRIPTION = "dataset.json"
"""Name of the file that describes the channels of a data set."""

MOST_CHANNELS = 6
"""Maximum number of files or volumes that count as channels; more are patients, slices or time points."""

_MOST_BYTES = 5_000_000
_KEYS = "channel_names", "modality"
"""Used by nnU-Net v2, and by nnU-Net v1 and the Decathlon."""

_NUMBERED = re.compile(r"(.+)_(\d{4})")
_IMAGES = re.compile("images(?:t|v)")


def read_description(data: bytes) -> tuple[str, ...]:
    """Return the names of the channels in ``dataset.json``, in order; () if it does not give them."""
    try:
        content = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return ()
    found = content if isinstance(content, dict) else {}
    given = next((names for key in _KEYS if isinstance(names := found.get(key), dict)), {})
    names = [given.get(str(number)) for number in range(len(given))]
    return tuple(names) if all(isinstance(name, str) for name in names) else ()


def stem_of_path(path: str) -> str:
    """Return the stem of a path's last part; a compressed volume loses both of its endings."""
    stem = stem_of(path)
    return stem_of(stem) if stem.lower().endswith((".nii", ".mgh")) else stem


class Channels:
    """Finds the files of a batch that are channels of one case.

    Args:
        paths: Paths of all files, with ``/`` between folders.
        described: Channel names by the folder of each ``dataset.json``.
    """

    def __init__(
        self, paths: Iterable[str], described: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self._described = described or {}
        self._names: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for path in paths:
            found = _NUMBERED.fullmatch(stem_of_path(path))
            is_volume = path.lower().endswith((".nii", ".nii.gz"))
            if found and is_volume and recognize(found[1]) is None and not is_mask(found[1]):
                folder, _, name = path.rpartition("/")
                self._names[folder, found[1]][int(found[2])] = name

    def base_of(self, path: str) -> str:
        """Return a file's stem without the number of its channel."""
        stem, folder = stem_of_path(path), path.rpartition("/")[0]
        found = _NUMBERED.fullmatch(stem)
        numbered = bool(found and _IMAGES.match(folder.rpartition("/")[2].lower()))
        return found[1] if numbered or self._siblings(path) else stem

    def channel_name(self, path: str, number: int | None = None, count: int = 0) -> str:
        """Return the name of a channel in ``dataset.json``; "" if there is none.

        Args:
            path: Path of the file.
            number: Index of the volume in the file, from 0; None for a file that is one channel.
            count: Number of the file's volumes.
        """
        folder = path.rpartition("/")[0]
        while folder not in self._described:
            if not folder:
                return ""
            folder = folder.rpartition("/")[0]
        names = self._described[folder]
        if number is not None:
            return names[number] if len(names) == count else ""
        found = _NUMBERED.fullmatch(stem_of_path(path))
        return names[int(found[2])] if found and int(found[2]) < len(names) else ""

    def unnamed(self, path: str) -> tuple[str, int]:
        """Return a common name of a case's files and the number of this one, if their sequences are
        unknown; ("", 0) for any other file."""
        names = self._siblings(path)
        if not names or any(
            recognize(self.channel_name(self._beside(path, n))) for n in names.values()
        ):
            return "", 0
        number = int(_NUMBERED.fullmatch(stem_of_path(path))[2])
        return f"{names[0]} to {names[max(names)]}", number

    def _siblings(self, path: str) -> dict[int, str]:
        found = _NUMBERED.fullmatch(stem_of_path(path))
        names = self._names.get((path.rpartition("/")[0], found[1]), {}) if found else {}
        whole = 2 <= len(names) <= MOST_CHANNELS and set(names) == set(range(len(names)))
        return names if whole else {}

    @staticmethod
    def _beside(path: str, name: str) -> str:
        folder = path.rpartition("/")[0]
        return f"{folder}/{name}" if folder else name
