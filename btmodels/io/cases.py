"""Group files into cases (one patient's visit) by folders and names: BIDS, BraTS, folders by sequence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from btmodels.io.channels import Channels, stem_of_path
from btmodels.io.sequences import family_of, family_of_labels, is_mask, recognize

_WEAK = ("pre", "post")
"""Folder names that can also mean a time point: they give a sequence only next to a FLAIR folder."""


_OF_STANDARDS = ("anat", "derivatives", "rawdata", "sourcedata")
"""Standard folders of BIDS; "derivatives" has a subfolder for each program."""

_ORDERED = re.compile(r"(\d{1,3})[_ -]+(\D.*)")


class Cases:
    """The folders of a batch and their meaning.

    A folder such as ``FLAIR`` or ``labels`` that holds one kind of file gives their sequence, not their
    patient; a folder that holds several sequences belongs to a patient or a visit.

    Args:
        paths: Paths of all files, with ``/`` between folders.
        described: As for `btmodels.io.channels.Channels`.
    """

    def __init__(
        self, paths: Iterable[str], described: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        paths = list(paths)
        self.channels = Channels(paths, described)
        self._own: dict[str, set[str | None]] = defaultdict(set)
        for path in paths:
            folders = path.split("/")[:-1]
            for depth in range(1, len(folders) + 1):
                self._own["/".join(folders[:depth])].add(_kind(stem_of_path(path)))

    def case_of(self, path: str, labels: bool = False) -> str:
        """Return a key that the files of one patient's visit share.

        Args:
            path: Path of a file.
            labels: Whether the file is known to hold labels, whatever its name.
        """
        folders = path.split("/")[:-1]
        stem = self.channels.base_of(path)
        name = family_of_labels(stem) if labels else family_of(stem)
        kept = []
        for depth, folder in enumerate(folders, 1):
            if folder.lower() in _OF_STANDARDS or self._is_programs(folders[:depth]):
                continue
            left = folder.lower() if self._is_whole(folders[:depth]) else family_of(folder)
            if self._is_in_order("/".join(folders[:depth])):
                continue
            # BIDS repeats these folders in the file name.
            if left and not (name and folder.lower().startswith(("sub-", "ses-"))):
                kept.append(left)
        return "/".join([*kept, name])

    @staticmethod
    def _is_programs(folders: list[str]) -> bool:
        return folders[-2:-1] == ["derivatives"] and not folders[-1].startswith("sub-")

    def _is_whole(self, folders: list[str]) -> bool:
        """Return whether a folder holds several kinds of files, so that its name gives no sequence."""
        folder, own = folders[-1].lower(), self._own["/".join(folders)]
        if folder in _WEAK and not self._flair_beside("/".join(folders)):
            return True
        return len(own - {None}) > 1 or "mask" in own and len(own) > 1

    def _is_in_order(self, folder: str) -> bool:
        """Return whether a folder and its siblings have unique numbers and sequences in their names:
        ``1_T1``, ``2_T1GD``, ``4_FLAIR`` belong to one patient."""
        parent = folder.rpartition("/")[0]
        beside = [f.rpartition("/")[2] for f in self._own if f.rpartition("/")[0] == parent]
        found = [(m[1], _kind(m[2])) for f in beside if (m := _ORDERED.fullmatch(f))]
        numbers, kinds = zip(*found, strict=True) if found else ((), ())
        known = [kind for kind in kinds if kind]
        apart = len(set(numbers)) == len(numbers) and len(set(known)) == len(known)
        ordered = _ORDERED.fullmatch(folder.rpartition("/")[2])
        return bool(ordered and apart and len(known) == len(kinds) > 2)

    def sequence_of(self, path: str) -> str | None:
        """Return the sequence that a file's name gives, else that of the nearest folder that gives one."""
        if _kind(stem_of_path(path)) is not None:
            return recognize(stem_of_path(path))
        if found := recognize(self.channels.channel_name(path)):
            return found
        folders = path.split("/")[:-1]
        for depth in range(len(folders), 0, -1):
            folder = "/".join(folders[:depth])
            if self._own[folder] - {None}:
                break
            found = recognize(folders[depth - 1])
            if (
                found in _WEAK
                and folders[depth - 1].lower() in _WEAK
                and not self._flair_beside(folder)
            ):
                continue
            if found:
                return found
        return None

    def is_mask(self, path: str) -> bool:
        """Return whether a file's name, or a folder such as ``labelsTr``, says that it is a mask."""
        if is_mask(stem_of_path(path)):
            return True
        folders = path.split("/")[:-1]
        if not folders or self._own["/".join(folders)] - {None}:
            return False
        folder = folders[-1].lower()
        return folder.startswith("labelst") or is_mask(folder) and len(folder.split("_")) < 3

    def _flair_beside(self, folder: str) -> bool:
        parent = folder.rpartition("/")[0]
        beside = (f for f in self._own if f.rpartition("/")[0] == parent)
        return any(recognize(each.rpartition("/")[2]) == "flair" for each in beside)


def _kind(stem: str) -> str | None:
    return "mask" if is_mask(stem) else recognize(stem)
