"""From decoded files of any kind to studies: what the site and the command line have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from btmodels.filenames import stem_of
from btmodels.io.dicom.file import DicomFile
from btmodels.io.read import Content
from btmodels.io.scan import Scan
from btmodels.io.sequences import family_of, recognize
from btmodels.io.study import Study, combine
from btmodels.slices import Slice


@dataclass(frozen=True, eq=False)
class Entry:
    """A decoded file.

    Attributes:
        id: Unlike any other file's.
        path: As the visitor knows it, folders parted by ``/``.
        content: What was in it; a picture with its truth, if it has one.
    """

    id: str
    path: str
    content: Content


@dataclass(frozen=True, eq=False)
class Assembly:
    """What came of a batch.

    Attributes:
        studies: Pictures and volumes, in the order in which they are shown.
        scans: All that can be assigned to a sequence by hand.
        problems: A sentence for each that is left out.
    """

    studies: tuple[Study, ...]
    scans: tuple[Scan, ...]
    problems: tuple[str, ...]


def assemble(entries: Iterable[Entry], chosen: Mapping[str, str]) -> Assembly:
    """Put together what belongs together.

    Args:
        entries: All files that could be read.
        chosen: By id of a scan what the visitor says that it is, one of `btmodels.io.study.ROLES`.
    """
    entries = list(entries)
    scans: list[Scan] = []
    plain: list[Study] = []
    gray: list[Scan] = []
    for entry in entries:
        if isinstance(entry.content, Slice):
            scan = _scan_of(entry)
            if scan is None:
                plain.append(Study(entry.id, entry.content.name, entry.id, (entry.content,)))
            else:
                gray.append(scan)
        elif not isinstance(entry.content, DicomFile):
            scans += [replace(scan, id=f"{entry.id}/{scan.id}") for scan in entry.content]
    files = [entry.content for entry in entries if isinstance(entry.content, DicomFile)]
    if files:
        from btmodels.io.dicom.series import join  # with nibabel, which pictures do not need

        scans += join(files)
    # A gray picture alone is as good as decoded; only what has a sequence can find others.
    told = [scan for scan in gray if scan.sequence or scan.id in chosen]
    plain += [
        Study(scan.id, scan.name, scan.id, (scan.picture,))
        for scan in gray
        if not scan.sequence and scan.id not in chosen
    ]
    studies, problems = combine([*told, *scans], chosen)
    # Slices of a series change with its files, though its name does not.
    mark = hashlib.sha256(" ".join(entry.id for entry in entries).encode()).hexdigest()[:16]
    named = [
        study if study.slices[0].place is None else replace(study, id=f"{study.id} {mark}")
        for study in studies
    ]
    pictures = [*plain, *(study for study in named if study.slices[0].place is None)]
    volumes = [study for study in named if study.slices[0].place is not None]
    return Assembly((*sorted(pictures, key=_order), *volumes), (*gray, *scans), problems)


def _order(study: Study) -> tuple[str, int, str]:
    first = study.slices[0]
    return first.patient or "", first.number or 0, first.name


def _scan_of(entry: Entry) -> Scan | None:
    """A picture of one channel as a scan that others can join; None of a colored one."""
    picture = entry.content
    first = picture.pixels[..., 0]
    if any(not np.array_equal(first, picture.pixels[..., channel]) for channel in (1, 2)):
        return None
    stem = stem_of(picture.name)
    sequence = recognize(stem)
    folder = entry.path.rpartition("/")[0]
    return Scan(
        id=entry.id,
        name=picture.name,
        values=first[None],
        grid=None,
        names=(picture.name,),
        sequence=sequence if sequence in ("flair", "pre", "post") else None,
        family=f"{folder}/{family_of(stem)}",
        reference="",
        notes=picture.notes,
        picture=picture,
    )
