"""Turn the arguments of a command line into groups of files that are read together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from btmodels.filenames import is_mask_name, natural_key, pair_masks
from btmodels.io.batch import MOST_BYTES, MOST_FILES
from btmodels.io.channels import DESCRIPTION
from btmodels.io.dicom.preamble import is_dicom
from btmodels.io.formats import KNOWN, VOLUMES, starts_as_known
from btmodels.io.limits import check_bytes
from btmodels.io.read import is_gzip
from btmodels.io.zip import is_zip

_HEAD = 512


@dataclass(frozen=True)
class SourceFile:
    """One file to read.

    Attributes:
        file: Its path, as given or inside a folder that was given.
        name: Its path with ``/`` relative to the folder that was given, or, for files that were given,
            relative to their common folder.
        mask_folder: Folder for its masks, relative to the output folder.
        bulk: Whether it was found in a folder, which may also hold other files.
    """

    file: Path
    name: str
    mask_folder: Path = Path()
    bulk: bool = False


@dataclass(frozen=True)
class Problem:
    """A file that could not be read, written or used, and the reason in one sentence."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


Group = tuple[SourceFile, ...]
"""Files that are read together, because some may be sequences or masks of one patient."""


def discover(paths: Iterable[Path]) -> tuple[list[Group], list[Problem]]:
    """Find the files given by ``paths``, and all files in folders.

    Files given by path form one group, and so do the files of a folder. A folder with too many files to
    read together is split into one group per subfolder. A mask next to a given picture is included.
    """
    groups: list[Group] = []
    named: dict[Path, SourceFile] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            if path.is_dir():
                found = _in_folder(path)
                groups += found
                if not found:
                    problems.append(Problem(path, f"holds no image ({', '.join(_ENDINGS)})."))
            else:
                path.stat()  # a missing file is reported at once
                named.setdefault(path.resolve(), _named(path))
        except OSError as error:
            problems.append(Problem(path, reason(error)))
    below = {source.file.resolve() for group in groups for source in group}
    rest = {resolved: source for resolved, source in named.items() if resolved not in below}
    rest |= {m.resolve(): _named(m) for m in _masks_beside(rest) if m.resolve() not in rest}
    if rest:
        groups.insert(0, _below_what_is_common(list(rest.values())))
    return groups, problems


_ENDINGS = (*KNOWN, *VOLUMES)


def _named(path: Path) -> SourceFile:
    return SourceFile(path, path.name)


def _below_what_is_common(sources: list[SourceFile]) -> Group:
    """Name files relative to their common folder, which does not help to tell them apart."""
    folders = [source.file.resolve().parent for source in sources]
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # on two drives
        return tuple(sources)
    return tuple(
        replace(source, name=(folder.relative_to(common) / source.file.name).as_posix())
        for source, folder in zip(sources, folders, strict=True)
    )


def _masks_beside(named: dict[Path, SourceFile]) -> list[Path]:
    """Return the masks next to the given pictures, named as in the data set."""
    found: list[Path] = []
    folders = {
        source.file.parent for source in named.values() if not is_mask_name(source.file.name)
    }
    for folder in folders:
        pairs = pair_masks(
            sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(KNOWN))
        )
        own = (s.file.name for s in named.values() if s.file.parent == folder)
        found += [folder / mask for name in own if (mask := pairs.get(name))]
    return found


def _in_folder(folder: Path) -> list[Group]:
    by_place: dict[Path, list[SourceFile]] = {}
    total = 0
    for where, folders, names in os.walk(folder):
        # Names that start with a dot are not data: archives made on a Mac hold one such file per image.
        folders[:] = sorted((f for f in folders if not f.startswith((".", "__"))), key=natural_key)
        below = Path(where).relative_to(folder)
        for name in sorted((name for name in names if name[0] != "."), key=natural_key):
            file = Path(where, name)
            if not file.is_file():
                continue
            source = SourceFile(file, (below / name).as_posix(), below, True)
            by_place.setdefault(below, []).append(source)
            total += file.stat().st_size
    sources = [source for group in by_place.values() for source in group]
    if not any(is_readable(source.file) for source in sources):
        return []
    if len(sources) <= MOST_FILES and total <= MOST_BYTES:
        return [tuple(sources)]
    return [tuple(group) for group in by_place.values()]


def is_readable(file: Path) -> bool:
    """Return whether a file in a folder has a supported format, by its ending or its first bytes."""
    if file.name.lower().endswith(_ENDINGS):
        return True
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    return is_dicom(head) or is_zip(head) or is_gzip(head) or starts_as_known(head)


def bytes_of(source: SourceFile) -> bytes:
    """Read a file; if it was found in a folder and its format is not supported, read only its beginning.

    Raises:
        DecodeError: The file is too large.
        OSError: The file cannot be read.
    """
    file = source.file
    if source.bulk and file.name != DESCRIPTION and not is_readable(file):
        with file.open("rb") as opened:
            return opened.read(_HEAD)
    check_bytes(file.name, file.stat().st_size)
    return file.read_bytes()


def reason(error: Exception) -> str:
    """Return in words why a file could not be read."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or type(error).__name__})."
    return str(error)
