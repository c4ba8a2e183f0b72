"""Read a batch of files of any format into studies; the site and the command line share this code."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from btmodels.errors import DecodeError, FormatError
from btmodels.filenames import is_mask_name, natural_key, pair_masks, plain_name, stem_of
from btmodels.io.cases import Cases
from btmodels.io.channels import DESCRIPTION, read_description
from btmodels.io.dicom.file import DicomFile
from btmodels.io.formats import KNOWN, VOLUMES
from btmodels.io.image import decode_mask
from btmodels.io.read import Content, open_zip, read_file
from btmodels.io.scan import Scan
from btmodels.io.sequences import mask_rank, recognize
from btmodels.io.study import Remark, Study, combine, with_own_titles
from btmodels.io.zip import is_zip
from btmodels.slices import Slice

MOST_FILES = 2_000
"""Maximum number of files in a batch; a DICOM study has several hundred."""

MOST_BYTES = 600_000_000
"""Maximum total size of the files in a batch."""


@dataclass(frozen=True, eq=False)
class InputFile:
    """One file of a batch.

    Attributes:
        id: Unique in the batch.
        name: File name with its folders, separated by ``/``.
        data: Its content.
        bulk: Whether it came in a folder or a zip, which may also hold other files.
    """

    id: str
    name: str
    data: bytes
    bulk: bool = False

    @property
    def short(self) -> str:
        """The name without folders."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        """The folders in the name, such as ``patient/flair``; "" without any."""
        return self.name.rpartition("/")[0]

    @property
    def known(self) -> bool:
        """Whether its ending is that of a supported format."""
        return self.name.lower().endswith((*KNOWN, *VOLUMES))


@dataclass(frozen=True)
class ScanChoice:
    """A scan that can be assigned to a sequence manually.

    Attributes:
        id: As in `btmodels.io.scan.Scan`.
        name: For display.
        sequence: The recognized sequence; None if none was.
        names: Names that refer to it, in lower case.
        case: Shared by the scans of one patient and visit.
        channel_of: The group of channels of unknown sequence to which it belongs; "" if none.
    """

    id: str
    name: str
    sequence: str | None
    names: frozenset[str] = frozenset()
    case: str = ""
    channel_of: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """The result of reading files together.

    Attributes:
        studies: Pictures and volumes, in display order.
        scans: Scans that can be assigned to a sequence manually.
        errors: Requested files that could not be read or used.
        notes: Files that were left out on purpose.
        pictures: Names of all pictures, for choosing a mask manually.
    """

    studies: tuple[Study, ...] = ()
    scans: tuple[ScanChoice, ...] = ()
    errors: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    pictures: tuple[str, ...] = ()


Run = Callable[..., Any]


def some(files: Sequence[InputFile]) -> str:
    """Return the names of the first three files, with an ellipsis for the others."""
    return ", ".join(file.short for file in files[:3]) + (", …" if len(files) > 3 else "")


def run_here(name: str, size: int, function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function(*args)``. The reading process instead calls it with limits for ``size`` bytes."""
    return function(*args)


def read_batch(
    files: Sequence[InputFile],
    masks: Mapping[str, str] | None = None,
    sequences: Mapping[str, str] | None = None,
    given_up: Mapping[str, str] | None = None,
    run: Run = run_here,
) -> Batch:
    """Read files, pair each mask with its slice and put each sequence into its channel.

    Args:
        files: In display order; a zip is replaced by its files.
        masks: Manually assigned masks: mask name by picture name.
        sequences: Manually assigned sequences: one of `btmodels.io.study.ROLES` by scan id or name.
        given_up: For each file that must not be tried again, by id, a sentence that says why.
        run: Runs a function that reads a file, like `run_here`.
    """
    return _Reading(given_up or {}, run).read(files, masks or {}, sequences or {})


class _Reading:
    """The state of a batch while it is read, with its errors and notes so far."""

    def __init__(self, given_up: Mapping[str, str], run: Run) -> None:
        self._given_up, self._run = given_up, run
        self.errors: list[Remark] = []
        self.notes: list[Remark] = []
        self._masks: dict[str, str] = {}

    def read(
        self,
        files: Sequence[InputFile],
        masks: Mapping[str, str],
        sequences: Mapping[str, str],
    ) -> Batch:
        files = self._once(self._unpacked(self._bounded(files)))
        files, described = _without_descriptions(files)
        contents = self._contents(files)
        cases = Cases((file.name for file in files), described)
        pictures = [file for file in files if _is_picture(file, contents)]
        by_name = pair_masks([file.name for file in pictures])
        pairs = _of_flair(pictures, cases, by_name) | _pairs_by_hand(masks, pictures)
        entries = self._with_masks(files, pictures, contents, pairs)
        size = sum(_size_of(content) for _, content in entries)
        studies, scans = self._run(
            "The batch of files", size, self._assembled, entries, cases, sequences
        )
        return Batch(
            studies,
            scans,
            tuple(self.errors),
            tuple(self.notes),
            tuple(dict.fromkeys(file.short for file in pictures)),
        )

    def _bounded(self, files: Sequence[InputFile]) -> Sequence[InputFile]:
        if len(files) > MOST_FILES:
            text = f"Only the first {MOST_FILES:,} of {len(files):,} files are read."
            self.errors.append(Remark(files[MOST_FILES].id, text))
            files = files[:MOST_FILES]
        total = 0
        for number, file in enumerate(files):
            total += len(file.data)
            if total > MOST_BYTES:
                text = (
                    f"{file.short} and what follows it are left out: at most "
                    f"{MOST_BYTES // 1_000_000} MB are read together."
                )
                self.errors.append(Remark(file.id, text))
                return files[:number]
        return files

    def _unpacked(self, files: Sequence[InputFile]) -> list[InputFile]:
        result: list[InputFile] = []
        folders: dict[str, list[bytes]] = defaultdict(list)
        for file in files:
            if not is_zip(file.data):
                result.append(file)
                continue
            try:
                members = self._try(file, open_zip)
            except DecodeError as error:
                self.errors.append(Remark(file.id, str(error)))
                continue
            within = file.folder
            if len(files) > 1:
                # Among other files, a zip counts as a folder: two zips may hold files of the same name.
                folder = "/".join(filter(None, (within, stem_of(file.name))))
                digest, own = hashlib.sha256(file.data).digest(), folders[folder]
                if digest not in own:  # the same zip again is read once
                    own.append(digest)
                number = own.index(digest) + 1
                within = folder + (f" ({number})" if number > 1 else "")
            within += "/" if within else ""
            for path, data in members:
                own = f"{file.id}/{path}"
                if isinstance(data, str):  # the reason why it could not be unpacked
                    self.errors.append(Remark(own, data))
                    result.append(InputFile(own, within + path, b"", True))
                    self._given_up = {**self._given_up, own: ""}
                else:
                    result.append(InputFile(own, within + path, data, True))
            if not members:
                self.errors.append(Remark(file.id, f"{file.short} is a zip without files."))
        return result

    def _once(self, files: Sequence[InputFile]) -> list[InputFile]:
        """Drop duplicates, files of equal name and content, with a note: they would count twice."""
        kept: dict[tuple[str, bytes], InputFile] = {}
        again: dict[str, InputFile] = {}
        for file in files:
            key = file.name, hashlib.sha256(file.data).digest()
            if key not in kept:
                kept[key] = file
            elif file.id not in self._given_up:
                again.setdefault(file.name, file)
        if again:
            twice = [*again.values()]
            those, are = ("1 file", "is") if len(twice) == 1 else (f"{len(twice)} files", "are")
            text = f"{those} came more than once and {are} read once: {some(twice)}."
            self.notes.append(Remark(twice[0].id, text))
        return list(kept.values())

    def _try(self, file: InputFile, function: Callable[..., Any]) -> Any:
        if file.id in self._given_up:
            raise DecodeError(self._given_up[file.id])
        return self._run(file.name, len(file.data), function, file.data, file.name)

    def _contents(self, files: Sequence[InputFile]) -> dict[str, Content | DecodeError]:
        """Return the content of each file by id, except for pictures named as masks."""
        contents: dict[str, Content | DecodeError] = {}
        for file in files:
            if not is_mask_name(file.name) or file.name.lower().endswith(VOLUMES):
                try:
                    contents[file.id] = self._try(file, read_file)
                except DecodeError as error:
                    contents[file.id] = error
        return contents

    def _with_masks(
        self,
        files: Sequence[InputFile],
        pictures: Sequence[InputFile],
        contents: Mapping[str, Content | DecodeError],
        pairs: Mapping[str, str | None],
    ) -> list[tuple[InputFile, Content]]:
        named = {file.name: file for file in reversed(pictures)}
        masks = {mask for mask in pairs.values() if mask}
        counts = Counter(file.name for file in pictures)
        unclear = {
            name for name, mask in pairs.items() if mask and max(counts[name], counts[mask]) > 1
        }
        entries: list[tuple[InputFile, Content]] = []
        passed: list[InputFile] = []
        for file in files:
            content = contents.get(file.id)
            if file.name in masks and file.name in named:
                continue
            if content is None:
                text = f"{file.short} is named as a mask, and no slice of that name came with it."
                self.errors.append(Remark(file.id, text))
            elif isinstance(content, DecodeError):
                self._refused(file, content, passed)
            elif isinstance(content, Slice) and file.name in unclear:
                text = (
                    f"{file.short} or its mask {pairs[file.name].rpartition('/')[2]} came with different "
                    "contents under one name, so it has no true mask."
                )
                self.notes.append(Remark(file.id, text))
                entries.append((file, content))
            elif isinstance(content, Slice) and (mask := pairs.get(file.name)):
                entries.append((file, self._with_truth(file.id, content, named[mask])))
            else:
                entries.append((file, content))
        if passed:
            many = f"{len(passed)} files are not slices and were"
            which = "1 file is not a slice and was" if len(passed) == 1 else many
            # If the batch had no other file, this is an error: a requested file could not be read.
            where = self.notes if entries or self.errors else self.errors
            where.append(Remark(passed[0].id, f"{which} skipped: {some(passed)}."))
        return entries

    def _refused(self, file: InputFile, error: DecodeError, passed: list[InputFile]) -> None:
        if not str(error):
            return  # already reported
        if file.bulk and file.short.upper() == "DICOMDIR":
            self.notes.append(Remark(file.id, str(error)))
        elif file.known or not file.bulk or isinstance(error, FormatError):
            self.errors.append(Remark(file.id, str(error)))
        else:
            passed.append(file)

    def _with_truth(self, picture_id: str, picture: Slice, file: InputFile) -> Slice:
        try:
            truth = self._try(file, decode_mask)
        except DecodeError as error:
            self.errors.append(Remark(file.id, str(error)))
            return picture
        rows, cols = picture.pixels.shape[:2]
        if truth.shape != (rows, cols):
            text = (
                f"{file.short} has {truth.shape[0]} rows and {truth.shape[1]} columns, {picture.name} "
                f"has {rows} and {cols}: a mask must have the size of its slice, so it is left out."
            )
            self.errors.append(Remark(file.id, text))
            return picture
        self._masks[picture_id] = file.id
        return replace(picture, truth=truth)

    def _assembled(
        self,
        entries: list[tuple[InputFile, Content]],
        cases: Cases,
        sequences: Mapping[str, str],
    ) -> tuple[tuple[Study, ...], tuple[ScanChoice, ...]]:
        scans, pictures = self._scans(entries, cases)
        choices = tuple(_choice(scan, entries) for scan in [*pictures, *scans])
        chosen = {
            choice.id: role
            for said, role in sequences.items()
            for choice in choices
            if said == choice.id or said.lower() in choice.names
        }
        # A gray picture without a sequence cannot join others, so it becomes a study by itself.
        recognized = [
            s for s in pictures if s.sequence in ("flair", "pre", "post") or s.id in chosen
        ]
        alone = {s.id for s in pictures} - {s.id for s in recognized}
        plain = [
            Study(file.id, content.name, file.id, (content,), (file.id,), file.folder)
            for file, content in entries
            if isinstance(content, Slice)
            if file.id in alone or not _is_gray(content)
        ]
        studies, remarks = combine([*recognized, *scans], chosen)
        self.notes += remarks
        # The slices of a series depend on its files, but its id does not.
        mark = hashlib.sha256(" ".join(file.id for file, _ in entries).encode()).hexdigest()[:16]
        of_pictures = [s for s in studies if s.slices[0].position is None]
        volumes = [
            replace(s, id=f"{s.id} {mark}") for s in studies if s.slices[0].position is not None
        ]
        shown = sorted(map(self._named, [*plain, *of_pictures]), key=_order)
        return with_own_titles(self._with_content([*shown, *volumes])), choices

    def _with_content(self, studies: Sequence[Study]) -> list[Study]:
        """Drop blank studies; a blank picture among others of a patient stays."""
        blank = [study for study in studies if _is_blank(study)]
        filled = {study.folder for study in studies if study not in blank}
        left_out = [s for s in blank if s.slices[0].position is not None or s.folder not in filled]
        for study in left_out:
            text = f"{study.title} holds the same value everywhere: it is empty."
            self.errors.append(Remark(next(iter(study.sources), study.anchor), text))
        return [study for study in studies if study not in left_out]

    def _named(self, study: Study) -> Study:
        # A picture's id changes with its mask.
        masks = [self._masks[source] for source in study.sources if source in self._masks]
        return replace(study, id="+".join([study.id, *masks]))

    def _scans(
        self, entries: list[tuple[InputFile, Content]], cases: Cases
    ) -> tuple[list[Scan], list[Scan]]:
        """Return all volumes and series, and all gray pictures, each with its case."""
        volumes: list[Scan] = []
        pictures: list[Scan] = []
        files: list[DicomFile] = []
        seen: dict[tuple, str] = {}
        for file, content in entries:
            if isinstance(content, DicomFile):
                files.append(replace(content, id=file.id, folder=file.folder))
            elif isinstance(content, Slice):
                if _is_gray(content):
                    pictures.append(_of_picture(file, content, cases))
            elif cases.is_mask(file.name) and (len(content) > 1 or content[0].values.ndim == 4):
                what = f"{len(content)} volumes" if len(content) > 1 else "colors"
                text = (
                    f"{file.short} is named as a mask and holds {what}; save what is to be the truth as "
                    "one volume of numbers."
                )
                self.notes.append(Remark(file.id, text))
            else:
                own = [_of_volume(file, content, index, cases) for index in range(len(content))]
                # For one patient and sequence, equal bytes mean a copy of a file, not another scan.
                digest = hashlib.sha256(file.data).hexdigest()
                key = file.folder, own[0].case, own[0].sequence, digest
                if first := seen.get(key):
                    text = f"{file.short} is a copy of {first} and was left out."
                    self.notes.append(Remark(file.id, text))
                    continue
                seen[key] = file.short
                volumes += own
        if files:
            from btmodels.io.dicom.series import join  # imports nibabel, which pictures do not need

            series, copies = join(files)
            self.notes += [_copied(*each) for each in copies]
            paths = {file.id: name for file, name in ((f, f.name) for f, _ in entries)}
            volumes += [_by_folder(scan, paths, cases) for scan in series]
        return volumes, pictures


def _without_descriptions(
    files: Sequence[InputFile],
) -> tuple[list[InputFile], dict[str, tuple[str, ...]]]:
    """Split off the files that describe channels; return the others and the descriptions by folder."""
    described = {
        file.folder: names
        for file in files
        if file.short == DESCRIPTION and (names := read_description(file.data))
    }
    kept = [f for f in files if f.short != DESCRIPTION or f.folder not in described]
    return kept, described


def _copied(copy: DicomFile, first: DicomFile) -> Remark:
    names = copy.name, first.name
    if copy.name == first.name:
        names = tuple("/".join(filter(None, (f.folder, f.name))) for f in (copy, first))
    return Remark(copy.id, f"{names[0]} is a copy of {names[1]} and was left out.")


def _is_picture(file: InputFile, contents: Mapping[str, Content | DecodeError]) -> bool:
    content = contents.get(file.id)
    if content is None:
        return True  # named as a mask
    if isinstance(content, DecodeError):
        return file.name.lower().endswith(KNOWN)
    return isinstance(content, Slice)


def _of_flair(
    pictures: Sequence[InputFile], cases: Cases, by_name: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Also pair the only FLAIR of a case with a mask that is named after the case, such as
    ``p_flair.png`` and ``p_mask.png``."""
    flairs: dict[str, list[str]] = defaultdict(list)
    masks: dict[str, list[str]] = defaultdict(list)
    for name in (file.name for file in pictures):
        if is_mask_name(name) and name not in by_name.values():
            masks[cases.case_of(name, labels=True)].append(name)
        elif not is_mask_name(name) and cases.sequence_of(name) == "flair":
            flairs[cases.case_of(name)].append(name)
    single = {case: names for case, names in flairs.items() if len(names) == len(masks[case]) == 1}
    found = {names[0]: masks[case][0] for case, names in single.items()}
    return {**by_name, **{name: mask for name, mask in found.items() if not by_name.get(name)}}


def _pairs_by_hand(
    by_hand: Mapping[str, str], pictures: Sequence[InputFile]
) -> dict[str, str | None]:
    """Return the mask for each picture, by name. Files of equal names pair within a folder."""
    found: dict[str, str | None] = {}
    for name, mask in by_hand.items():
        slices = [f for f in pictures if name in (f.name, f.short)]
        masks = [f for f in pictures if mask in (f.name, f.short)]
        for each in slices:
            beside = [m for m in masks if m.folder == each.folder]
            if masks and (beside or len(slices) == 1):
                found[each.name] = (beside or masks)[0].name
    return found


def _is_blank(study: Study) -> bool:
    first = study.slices[0].pixels[0, 0]
    return all(bool((each.pixels == first).all()) for each in study.slices)


def _is_gray(picture: Slice) -> bool:
    first = picture.pixels[..., 0]
    return all(np.array_equal(first, picture.pixels[..., channel]) for channel in (1, 2))


def _of_picture(file: InputFile, picture: Slice, cases: Cases) -> Scan:
    """Return a gray picture as a scan that others can join."""
    sequence = cases.sequence_of(file.name)
    return Scan(
        id=file.id,
        name=picture.name,
        values=picture.pixels[None, ..., 0],
        grid=None,
        names=(picture.name,),
        sequence=sequence if sequence in ("flair", "pre", "post") else None,
        case=cases.case_of(file.name),
        folder=file.folder,
        reference="",
        notes=picture.notes,
        sources=(file.id,),
        picture=picture,
    )


def _of_volume(file: InputFile, scans: Sequence[Scan], index: int, cases: Cases) -> Scan:
    scan, count = scans[index], len(scans)
    sequence, channel_of, channel = scan.sequence, "", index
    if count > 1:
        named = [recognize(cases.channels.channel_name(file.name, n, count)) for n in range(count)]
        sequence = named[index] or "other" if any(named) else None
        channel_of = "" if any(named) else file.short
    elif scan.values.ndim == 3 and sequence != "mask":
        sequence = "mask" if cases.is_mask(file.name) else cases.sequence_of(file.name)
        if sequence is None:
            channel_of, channel = cases.channels.unnamed(file.name)
    return replace(
        scan,
        id=f"{file.id}/{scan.id}",
        sequence=sequence,
        case=cases.case_of(file.name, sequence == "mask"),
        folder=file.folder,
        sources=(file.id,) * len(scan.names),
        rank=mask_rank(stem_of(file.name)),
        channel_of=channel_of,
        channel=channel,
    )


def _by_folder(scan: Scan, paths: Mapping[str, str], cases: Cases) -> Scan:
    if scan.sequence is not None or not scan.folder:
        return scan
    # If a series does not give its sequence, its folder may.
    return replace(scan, sequence=cases.sequence_of(f"{scan.folder}/"))


def _choice(scan: Scan, entries: Iterable[tuple[InputFile, Content]]) -> ScanChoice:
    own = set(scan.sources)
    names = {scan.name, scan.name.rpartition(", pass")[0]}
    # A description is not a path: "T1 W/O CONTRAST" has no stem.
    names |= {stem_of(scan.name)} if "/" not in scan.name else set()
    if len(own) == 1:
        path = next((file.name for file, _ in entries if file.id in own), "")
        names |= {path, plain_name(path)}
    return ScanChoice(
        scan.id,
        scan.name,
        scan.sequence,
        frozenset(name.lower() for name in names if name),
        scan.case,
        scan.channel_of,
    )


def _size_of(content: Content) -> int:
    if isinstance(content, Slice):
        return content.pixels.nbytes
    if isinstance(content, DicomFile):
        return content.values.nbytes
    return sum(scan.values.nbytes for scan in content)


def _order(study: Study) -> tuple:
    first = study.slices[0]
    place = natural_key(study.folder), first.patient or ""
    return *place, first.number or 0, natural_key(first.name)
