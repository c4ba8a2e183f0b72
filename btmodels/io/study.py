"""Combine scans of single sequences into slices of three channels, with replacements for missing ones."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from btmodels.errors import DecodeError
from btmodels.io.resample import HEAD, on_grid, same_grid
from btmodels.io.scan import Scan, title_stem
from btmodels.io.sequences import SEQUENCES, TITLES, is_tumor_mask
from btmodels.slices import Slice, VolumePosition

ROLES = (*SEQUENCES, "mask", "other")
"""Roles that can be assigned to a scan manually; "other" leaves it out."""


MOST_MARKED = 0.4
"""Maximum fraction of the head in a tumor mask: gliomas take up to about a tenth."""


@dataclass(eq=False)
class _Group:
    """A scan and those that join it: for each role, a scan, its values on the grid, and its coverage."""

    anchor: Scan
    parts: dict[str, tuple[Scan, np.ndarray, np.ndarray]] = field(default_factory=dict)
    truth: tuple[Scan, np.ndarray] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, scan: Scan, role: str, *notes: str) -> _Group:
        everywhere = np.ones(len(scan.values), bool)
        return cls(scan, {role: (scan, scan.values, everywhere)}, notes=notes)


@dataclass(frozen=True, eq=False)
class Study:
    """Slices made from scans that belong together.

    Attributes:
        id: Derived from the scans and their roles: equal ids mean equal slices.
        title: Name of the scan that gave the slices their names.
        anchor: That scan's id, which does not depend on the other scans.
        slices: In order, from the feet up.
        sources: For each slice, the id of its file in the batch.
        folder: Folder of its files in the batch.
    """

    id: str
    title: str
    anchor: str
    slices: tuple[Slice, ...]
    sources: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True)
class Remark:
    """A sentence about a file or scan that has no slices, and the id of the file."""

    source: str
    text: str


def combine(
    scans: Sequence[Scan], chosen: Mapping[str, str]
) -> tuple[tuple[Study, ...], tuple[Remark, ...]]:
    """Combine scans into studies.

    FLAIR, T1 before and T1 after contrast agent of one patient's visit become the three channels. A missing
    one is replaced by FLAIR, as in the data set; without FLAIR, an available sequence replaces it. If
    several scans fit one role, the one on FLAIR's grid wins.

    Args:
        scans: The scans of one batch.
        chosen: The visitor's choice for a scan, one of `ROLES` by scan id.

    Returns:
        The studies, and a remark on each scan that is left out.
    """
    told = {(s.case, s.channel_of) for s in scans if chosen.get(s.id) == "flair"}
    # Among channels of unknown sequence, the first counts as FLAIR until the visitor chooses another.
    assumed = [
        s
        for s in scans
        if s.channel_of and s.channel == 0 and s.id not in chosen
        if (s.case, s.channel_of) not in told
    ]
    roles = {scan.id: chosen.get(scan.id) or scan.sequence for scan in scans}
    roles |= {scan.id: "flair" for scan in assumed}
    spare = {s.id for s in scans if s.channel_of and roles[s.id] is None}
    gray = [scan for scan in scans if scan.values.ndim == 3 and scan.id not in spare]
    with_role = {role: [s for s in gray if roles[s.id] == role] for role in (*ROLES, None)}
    remarks: list[Remark] = []
    twins = _twins(gray)
    groups = [
        _Group.of(scan, "flair", *([_assumed(scan, scans)] if scan in assumed else []))
        for scan in with_role["flair"]
    ]
    for role in ("post", "pre"):
        alone = _join_role(groups, with_role[role], role, chosen, remarks, twins)
        groups += [_Group.of(scan, role) for scan in alone]
    groups += [_Group.of(scan, "flair", _unknown(scan)) for scan in with_role[None]]
    for scan in with_role["other"]:
        if scan.id in chosen:
            continue
        if any(group.anchor.case == scan.case for group in groups):
            text = f"{scan.name} is a sequence that the networks do not know; it is left out."
            remarks.append(Remark(_source(scan), text))
        else:
            groups.append(_Group.of(scan, "flair", _strange(scan)))
    _join_masks(groups, with_role["mask"], chosen, remarks, twins)
    studies = {group.anchor.id: _study(group, roles) for group in groups}
    colored = (scan for scan in scans if scan.values.ndim == 4)
    studies |= {s.id: _volume(s, s.id, s.values, None, s.notes, {}) for s in colored}
    # In the order of the scans.
    return tuple(studies[scan.id] for scan in scans if scan.id in studies), tuple(remarks)


def _source(scan: Scan) -> str:
    return scan.sources[0] if scan.sources else scan.id


def _unknown(scan: Scan) -> str:
    return (
        f"{scan.name} does not say which sequence it is. It was taken for FLAIR; assign it manually if it "
        "is a T1."
    )


def _assumed(scan: Scan, scans: Sequence[Scan]) -> str:
    count = sum((s.case, s.channel_of) == (scan.case, scan.channel_of) for s in scans)
    return (
        f"Nothing in the files says which sequences the {count} volumes of {scan.channel_of} are. The "
        "first was taken for FLAIR; assign them manually if that is another one."
    )


def _strange(scan: Scan) -> str:
    return (
        f"{scan.name} seems to be a sequence that the networks do not know. It was taken for FLAIR, for "
        "want of one, so do not rely on their answers."
    )


def _join_role(
    groups: list[_Group],
    scans: Sequence[Scan],
    role: str,
    chosen: Mapping[str, str],
    remarks: list[Remark],
    twins: Sequence[Scan],
) -> list[Scan]:
    """Join scans of one role to their anchors; return those that have none."""
    joined: set[str] = set()
    outdone: dict[str, str] = {}
    for group in groups:
        own = [s for s in scans if s.case == group.anchor.case]
        own = _same_folder(own, group, groups)
        own = [s for s in own if s.id in chosen or _is_clear(s, group.anchor, twins)]
        if not own:
            own = [s for s in scans if s.id in chosen]
        fits = []
        for scan in own:
            with contextlib.suppress(DecodeError):
                fits.append((scan, *on_grid(scan, group.anchor)))
        if not fits or role in group.parts:
            continue
        best = max(fits, key=lambda fit: _claim(fit[0], group.anchor, fit[2], chosen))
        scan, values, covered, notes = best
        group.parts[role] = scan, values, covered
        group.notes += notes
        joined.add(scan.id)
        for other in own:
            if other is not scan:
                outdone[other.id] = (
                    f"{other.name} is left out: {scan.name} stands for {TITLES[role]} beside "
                    f"{group.anchor.name}. Assign the sequences manually to change that."
                )
    alone = []
    for scan in scans:
        if scan.id in joined:
            continue
        if scan.id in outdone:
            remarks.append(Remark(_source(scan), outdone[scan.id]))
        else:
            alone.append(scan)
    return alone


def _twins(scans: Sequence[Scan]) -> list[Scan]:
    """Return files of equal names in one folder, as in an upload without folders, which may belong to
    different patients. DICOM series are excluded, because they name their patient."""
    files = [s for s in scans if s.grid is None or s.grid.kind != "DICOM"]
    counts = Counter((s.name, s.folder) for s in files)
    return [s for s in files if counts[s.name, s.folder] > 1]


def _is_clear(scan: Scan, anchor: Scan, twins: Sequence[Scan]) -> bool:
    """Return whether a scan clearly belongs to an anchor: no file of an equal name fits as well."""
    rest = (t for t in twins if t.case == anchor.case and t is not scan and t is not anchor)
    return not any(on_one_grid(scan, twin) for twin in rest)


def _same_folder(own: list[Scan], group: _Group, groups: list[_Group]) -> list[Scan]:
    """Drop scans of a case that are closer to another anchor, if anchors have equal names."""
    rivals = [g for g in groups if g.anchor.case == group.anchor.case and g is not group]
    if not rivals or all(g.anchor.name != group.anchor.name for g in rivals):
        return own
    if any(g.anchor.folder == group.anchor.folder for g in rivals):
        # With two anchors of one name in one folder, the patient of the other scans is unclear.
        return [s for s in own if not any(on_one_grid(s, g.anchor) for g in rivals)]
    return [s for s in own if s.folder == group.anchor.folder]


def on_one_grid(scan: Scan, anchor: Scan) -> bool:
    """Return whether a scan can be put on an anchor's grid."""
    try:
        on_grid(scan, anchor)
    except DecodeError:
        return False
    return True


def _claim(scan: Scan, anchor: Scan, covered: np.ndarray, chosen: Mapping[str, str]) -> tuple:
    """Return a sort key for scans of one role: visitor's choice, FLAIR's grid, coverage, plane, name."""
    plane = (
        scan.grid is not None and anchor.grid is not None and scan.grid.plane == anchor.grid.plane
    )
    finer = -scan.grid.spacing[0] if scan.grid is not None and scan.grid.spacing else 0.0
    return (
        scan.id in chosen,
        same_grid(scan, anchor),
        float(covered.mean()),
        plane,
        scan.rank,
        finer,
    )


def _join_masks(
    groups: list[_Group],
    masks: Sequence[Scan],
    chosen: Mapping[str, str],
    remarks: list[Remark],
    twins: Sequence[Scan],
) -> None:
    """Assign true masks to their studies, masks drawn by experts first."""
    used: dict[str, str] = {}
    for scan in sorted(masks, key=lambda s: (s.id not in chosen, -s.rank)):
        if scan.id not in chosen and not is_tumor_mask(scan.name):
            text = (
                f"{scan.name} is named as a mask of something other than a tumor; it is left out."
            )
            remarks.append(Remark(_source(scan), text))
            continue
        own = _of_case(groups, scan, chosen)
        own = [g for g in own if scan.id in chosen or _is_clear(scan, g.anchor, twins)]
        reason = f"{scan.name} is a mask, and no volume of its patient, visit and place was there with it."
        fitted = False
        for group in own:
            try:
                values, _, notes = on_grid(scan, group.anchor, nearest=True)
            except DecodeError:
                continue
            if group.truth is not None:
                reason = (
                    f"{scan.name} is left out: {group.truth[0].name} is the truth of that volume."
                )
                continue
            head = group.anchor.values >= HEAD
            share = float((values[head] > 0).sum() / max(int(head.sum()), 1))
            if share > MOST_MARKED and scan.id not in chosen:
                reason = (
                    f"{scan.name} covers {share:.0%} of the head, as masks of a brain do and those of "
                    "tumors do not; it is left out. Assign it manually to change that."
                )
                continue
            group.truth = scan, values > 0
            group.notes += notes
            fitted = True
        if not fitted and scan.id not in used:
            remarks.append(Remark(_source(scan), reason))


def _of_case(groups: Sequence[_Group], scan: Scan, chosen: Mapping[str, str]) -> Sequence[_Group]:
    """Return the studies that a mask can belong to."""
    own = [g for g in groups if g.anchor.case == scan.case]
    if own:
        # Among anchors of equal names, use the only one in the mask's folder.
        names = Counter(g.anchor.name for g in own)
        near = [g for g in own if names[g.anchor.name] == 1 or g.anchor.folder == scan.folder]
        places = Counter((g.anchor.name, g.anchor.folder) for g in near)
        return [g for g in near if places[g.anchor.name, g.anchor.folder] == 1]
    if scan.id in chosen:
        return groups
    if own := _of_name(groups, scan) or _beside_one(groups, scan):
        return own
    placed = scan.grid is not None and scan.grid.has_positions
    series = [g for g in groups if g.anchor.grid and g.anchor.grid.kind == "DICOM"]
    same = [g for g in series if placed and same_grid(scan, g.anchor)]
    # A mask of a DICOM series: on the grid of exactly one series, which is in the same folder.
    return same if len(same) == 1 and same[0].anchor.folder == scan.folder else []


def _of_name(groups: Sequence[_Group], scan: Scan) -> Sequence[_Group]:
    """Return the studies with the numbered name of a mask in a separate folder tree, if only one patient
    has it: ``segm/P-001_segm.nii`` next to ``images/P-001/P-001_FLAIR.nii``."""
    *folders, name = scan.case.split("/")
    same = [g for g in groups if g.anchor.case.split("/")[-1] == name]
    if not any(map(str.isdigit, name)) or len({g.anchor.case for g in same}) != 1:
        return []
    others = set(same[0].anchor.case.split("/")[:-1])
    return same if others <= set(folders) or set(folders) <= others else []


def _beside_one(groups: Sequence[_Group], scan: Scan) -> Sequence[_Group]:
    """Return the only study in the folder of a mask, if the mask is on its grid and names no patient."""
    near = [g for g in groups if g.anchor.folder == scan.folder]
    placed = scan.grid is not None and scan.grid.has_positions
    nameless = not any(map(str.isdigit, scan.case.rpartition("/")[2]))
    return (
        near if len(near) == 1 and placed and nameless and same_grid(scan, near[0].anchor) else []
    )


def _study(group: _Group, roles: Mapping[str, str | None]) -> Study:
    anchor, parts = group.anchor, group.parts
    used = [scan for scan, *_ in parts.values()] + ([group.truth[0]] if group.truth else [])
    key = " ".join(f"{scan.id}={role}" for role, (scan, *_) in sorted(parts.items()))
    key += f" truth={group.truth[0].id}" if group.truth else ""
    if anchor.picture is not None and len(used) == 1:
        picture = _alone(anchor, roles[anchor.id])
        return Study(key, anchor.name, anchor.id, (picture,), anchor.sources, anchor.folder)
    stand_in = parts["flair" if "flair" in parts else next(iter(parts))][1]
    channels = [_channel(parts.get(role), stand_in) for role in SEQUENCES]
    notes = tuple(dict.fromkeys(note for scan in used for note in scan.notes))
    notes += group.notes + _without_flair(anchor, parts)
    if anchor.picture is not None:
        # The notes from decoding single channels no longer apply.
        pixels = np.stack([values[0] for values in channels], axis=-1)
        notes = group.notes + _without_flair(anchor, parts)
        truth = next((s.picture.truth for s in used if s.picture.truth is not None), None)
        each = replace(anchor.picture, pixels=pixels, truth=truth, notes=notes)
        return Study(key, anchor.name, anchor.id, (each,), anchor.sources, anchor.folder)
    pixels = np.stack(channels, axis=-1)
    truth = group.truth[1] if group.truth else None
    return _volume(anchor, key, pixels, truth, notes, _gaps(anchor, parts))


def _channel(part: tuple[Scan, np.ndarray, np.ndarray] | None, stand_in: np.ndarray) -> np.ndarray:
    if part is None:
        return stand_in
    _, values, covered = part
    if covered.all():
        return values
    return np.where(covered[:, None, None], values, stand_in)


def _gaps(
    anchor: Scan, parts: Mapping[str, tuple[Scan, np.ndarray, np.ndarray]]
) -> dict[int, tuple[str, ...]]:
    """Return notes by slice index on sequences that do not cover the slice and are replaced there."""
    notes: dict[int, list[str]] = {}
    there = "FLAIR" if "flair" in parts else TITLES[next(iter(parts))]
    for role, (scan, _, covered) in parts.items():
        for index in np.flatnonzero(~covered):
            notes.setdefault(int(index), []).append(
                f"{anchor.names[index]}: {scan.name} ({TITLES[role]}) does not show this slice; {there} "
                "stands in."
            )
    return {index: tuple(each) for index, each in notes.items()}


def _without_flair(anchor: Scan, parts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the note for a study without FLAIR. The input check reports sequences replaced by FLAIR."""
    if "flair" in parts:
        return ()
    there = TITLES[next(iter(parts))]
    return (
        f"{anchor.name} came without FLAIR, on which the networks rely; {there} stands in for what is "
        "missing, so do not rely on their answers.",
    )


def _alone(scan: Scan, role: str | None) -> Slice:
    if role in ("pre", "post", "other"):
        note = f"{scan.name} was said to be {TITLES[role]}; alone it stands in place of FLAIR, too."
        return replace(scan.picture, notes=(*scan.picture.notes, note))
    return scan.picture


def _volume(
    scan: Scan,
    key: str,
    pixels: np.ndarray,
    truth: np.ndarray | None,
    notes: tuple[str, ...],
    own_notes: Mapping[int, tuple[str, ...]],
) -> Study:
    grid = scan.grid
    missing = set(grid.missing) if grid.order[0] == 0 else set()
    if grid.flips[0]:
        missing = {len(scan.names) - 1 - index for index in missing}
    shown = [index for index in range(len(scan.names)) if index not in missing]
    slices = tuple(
        Slice(
            name=scan.names[index],
            pixels=np.ascontiguousarray(pixels[index]),
            truth=None if truth is None else np.ascontiguousarray(truth[index]),
            number=index + 1 if len(scan.names) > 1 else None,
            spacing=grid.pixel_spacing,
            notes=notes + own_notes.get(index, ()),
            position=VolumePosition(key, scan.name, grid, index),
        )
        for index in shown
    )
    sources = tuple(scan.sources[index] for index in shown) if scan.sources else ()
    return Study(key, scan.name, scan.id, slices, sources, scan.folder)


def with_own_titles(studies: Sequence[Study]) -> tuple[Study, ...]:
    """Number volumes of equal titles in one folder, and the slices named after them, so that exported files
    do not overwrite each other."""
    taken: Counter[tuple[str, str]] = Counter()
    result = []
    for study in studies:
        taken[study.folder, study.title] += 1
        number = taken[study.folder, study.title]
        if study.slices[0].position is not None and number > 1:
            study = _numbered(study, number)
        result.append(study)
    return tuple(result)


def _numbered(study: Study, number: int) -> Study:
    title = f"{study.title} ({number})"
    stem = title_stem(study.title)
    slices = []
    for each in study.slices:
        own = re.fullmatch(rf"{re.escape(stem)}_(\d+)", each.name)
        name = f"{stem}-{number}_{own[1]}" if own else each.name
        slices.append(replace(each, name=name, position=replace(each.position, title=title)))
    return replace(study, title=title, slices=tuple(slices))
