"""Parse file names: the patient, the slice number, and the mask that belongs to a slice.

The data set calls a slice ``<PATIENT>_<n>.tif`` and its mask ``<PATIENT>_<n>_mask.tif``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

PATIENT = re.compile(r"[A-Z0-9]+_[A-Z0-9]+_[A-Z0-9]+_[0-9]{8}")
"""Name of a patient's folder: collection, institution, patient, date."""

_SLICE = re.compile(rf"({PATIENT.pattern})_([0-9]{{1,6}})")
_MASK = "_mask"
_MASK_FOLDERS = ("mask", "masks", "label", "labels", "seg", "segmentation", "segmentations", "gt")
"""Folders whose masks have the names of the slices in the sibling or parent folder."""

_LONGEST = 120
_TURNS_TEXT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of characters that change the display order of other characters."""


def plain_name(name: str) -> str:
    """Return a file's name in a form that is safe to show: no folders, 120 characters at most.

    Control characters and characters that change the direction of text become ``\ufffd``: removed or
    active, they would make one name look like another. Other unprintable characters are left out.
    """
    return plain_text(re.split(r"[\\/]", name)[-1]) or "The file"


def plain_text(text: str) -> str:
    """Return a line of text as `plain_name` does, but keep slashes."""
    return "".join(map(_shown, text[: 2 * _LONGEST]))[:_LONGEST].strip()


def plain_path(path: str) -> str:
    """Return a path that is safe to show: joined by ``/``, each part by `plain_name`, no ``..``."""
    parts = [part for part in re.split(r"[\\/]+", path) if part not in ("", ".", "..")]
    return "/".join(map(plain_name, parts)) or plain_name("")


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Zs":  # macOS puts a narrow space into the names of screenshots
        return " "
    hostile = category in ("Cc", "Cs") or unicodedata.bidirectional(character) in _TURNS_TEXT
    return "\ufffd" if hostile else ""


def stem_of(name: str) -> str:
    """Return a file's name without folders and ending: ``a/x.tif`` gives ``x``."""
    return PurePosixPath(plain_name(name)).stem


def suffix_of(name: str) -> str:
    """Return a file's ending in lower case with its dot; empty if there is none."""
    return PurePosixPath(plain_name(name)).suffix.lower()


def natural_key(name: str) -> list[tuple[bool, int, str]]:
    """Return a sort key that puts ``x_9`` before ``x_10``."""
    parts = re.split(r"(\d+)", name.lower())
    return [(p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts]


def parse_slice_name(name: str) -> tuple[str | None, int | None]:
    """Return (patient, number) for a name of the data set's form, else (None, None)."""
    found = _SLICE.fullmatch(stem_of(name))
    return (found[1], int(found[2])) if found else (None, None)


def is_mask_name(name: str) -> bool:
    """Return whether a file is named as a mask: its stem ends in ``_mask``."""
    return stem_of(name).lower().endswith(_MASK)


def pair_masks(names: Iterable[str]) -> dict[str, str | None]:
    """Find the mask of each slice by name.

    Args:
        names: File names, with or without folders, in any order.

    Returns:
        For each name that is not a mask's, in the order given, the name of its mask, or None. The
        mask has the same stem, ignoring case, in any format. It is in the same folder or in a nearby
        folder of masks. Among several, the one with the slice's ending is chosen, else the first.
    """
    names = list(dict.fromkeys(names))
    masks: dict[tuple[str, str], list[str]] = {}
    for name in names:
        if is_mask_name(name):
            masks.setdefault((_folder(name), _mask_stem(name)), []).append(name)
    beside: dict[tuple[str, str], list[str]] = {}
    for name in names:
        parent, _, folder = _folder(name).rpartition("/")
        if folder.lower() in _MASK_FOLDERS:
            beside.setdefault((parent, _mask_stem(name)), []).append(name)
    pairs: dict[str, str | None] = {}
    taken: set[str] = set()
    for name in names:
        folder, stem = _folder(name), stem_of(name).lower()
        if is_mask_name(name) or folder.rpartition("/")[2].lower() in _MASK_FOLDERS:
            continue
        found = masks.get((folder, stem)) or beside.get((folder, stem))
        found = found or beside.get((folder.rpartition("/")[0], stem), [])
        same = [mask for mask in found if suffix_of(mask) == suffix_of(name)]
        pairs[name] = next(iter(same or found), None)
        taken |= {pairs[name]} if pairs[name] else set()
    # A file in a folder of masks that belongs to no slice is an ordinary picture.
    rest = [n for own in beside.values() for n in own if n not in taken and not is_mask_name(n)]
    return pairs | dict.fromkeys(rest)


def _mask_stem(name: str) -> str:
    return stem_of(name).lower().removesuffix(_MASK)


def _folder(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[0]
