"""From scans of single sequences to slices of three: who goes with whom, and what stands in for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from btmodels.errors import DecodeError
from btmodels.io.resample import on_grid, same_grid
from btmodels.io.scan import Scan
from btmodels.io.sequences import SEQUENCES, TITLES, is_mask
from btmodels.slices import Place, Slice

ROLES = (*SEQUENCES, "mask", "other")
"""What a scan can be assigned to by hand; "other" leaves it out."""


@dataclass(eq=False)
class _Group:
    anchor: Scan
    parts: dict[str, tuple[Scan, np.ndarray]] = field(default_factory=dict)
    truth: tuple[Scan, np.ndarray] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """Slices that were made of scans which belong together.

    Attributes:
        id: Names the scans and their parts in it: equal ids mean equal slices.
        title: Of the scan that gave the slices their names.
        anchor: That scan's id, which stays whatever else joins it.
        slices: In order, from the feet up.
    """

    id: str
    title: str
    anchor: str
    slices: tuple[Slice, ...]


def combine(
    scans: Sequence[Scan], chosen: Mapping[str, str]
) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    """Make slices of scans.

    FLAIR, T1 before and T1 after contrast agent of one patient become the three channels. Where one is
    missing FLAIR stands in for it, as in the data set; without a FLAIR whatever is there stands in.

    Args:
        scans: Of one batch.
        chosen: By id of a scan what the visitor says that it is, one of `ROLES`.

    Returns:
        The studies, and a sentence for each scan that is left out.
    """
    roles = {scan.id: chosen.get(scan.id) or _role(scan) for scan in scans}
    gray = [scan for scan in scans if scan.values.ndim == 3]
    groups: list[_Group] = []
    problems: list[str] = []
    for scan in gray:
        if roles[scan.id] == "flair":
            groups.append(_Group(scan, {"flair": (scan, scan.values)}))
    for role in ("post", "pre"):
        for scan in gray:
            if roles[scan.id] == role and not _join(groups, scan, role, scan.id in chosen):
                groups.append(_Group(scan, {role: (scan, scan.values)}))
    for scan in gray:
        if roles[scan.id] is None:
            groups.append(_Group(scan, {"flair": (scan, scan.values)}, notes=(_unknown(scan),)))
    for scan in gray:
        if roles[scan.id] == "other":
            if scan.id in chosen:
                continue
            if any(group.anchor.family == scan.family for group in groups):
                problems.append(
                    f"{scan.name} is a sequence that the networks do not know; it is left out."
                )
            else:
                groups.append(_Group(scan, {"flair": (scan, scan.values)}, notes=(_strange(scan),)))
    for scan in gray:
        if roles[scan.id] == "mask" and (problem := _join_mask(groups, scan)):
            problems.append(problem)
    studies = {group.anchor.id: _study(group, roles) for group in groups}
    studies |= {scan.id: _colors(scan) for scan in scans if scan.values.ndim == 4}
    # In the order in which the scans came.
    return tuple(studies[scan.id] for scan in scans if scan.id in studies), tuple(problems)


def _role(scan: Scan) -> str | None:
    stem = scan.names[0].rpartition("_")[0]
    if scan.grid is not None and scan.grid.kind == "NIfTI" and is_mask(stem):
        return "mask"
    return scan.sequence


def _unknown(scan: Scan) -> str:
    return (
        f"{scan.name} does not say which sequence it is. It was taken for FLAIR; assign it by hand if it "
        "is a T1."
    )


def _strange(scan: Scan) -> str:
    return (
        f"{scan.name} seems to be a sequence that the networks do not know. It was taken for FLAIR, for "
        "want of one, so expect little of what they say."
    )


def _join(groups: list[_Group], scan: Scan, role: str, by_hand: bool) -> bool:
    for group in groups:
        if role in group.parts or not (by_hand or group.anchor.family == scan.family):
            continue
        try:
            values, notes = on_grid(scan, group.anchor)
        except DecodeError:
            continue
        group.parts[role] = scan, values
        group.notes += notes
        return True
    return False


def _join_mask(groups: list[_Group], scan: Scan) -> str:
    own = [group for group in groups if group.anchor.family == scan.family] or groups
    for group in own:
        if group.truth is None and same_grid(scan, group.anchor):
            group.truth = scan, scan.values > 0
            return ""
    return f"{scan.name} is named as a mask, and no volume of its size was there with it."


def _study(group: _Group, roles: Mapping[str, str | None]) -> Study:
    anchor, parts = group.anchor, group.parts
    used = [scan for scan, _ in parts.values()] + ([group.truth[0]] if group.truth else [])
    key = " ".join(f"{scan.id}={role}" for role, (scan, _) in sorted(parts.items()))
    key += f" truth={group.truth[0].id}" if group.truth else ""
    if anchor.picture is not None and len(used) == 1:
        return Study(key, anchor.name, anchor.id, (_alone(anchor, roles[anchor.id]),))
    stand_in = parts["flair" if "flair" in parts else next(iter(parts))][1]
    channels = [parts[role][1] if role in parts else stand_in for role in SEQUENCES]
    notes = tuple(dict.fromkeys(note for scan in used for note in scan.notes))
    notes += group.notes + _stand_in_notes(anchor, parts)
    if anchor.picture is not None:
        # What decoding said of one channel alone is no longer so.
        pixels = np.stack([values[0] for values in channels], axis=-1)
        each = replace(
            anchor.picture, pixels=pixels, notes=group.notes + _stand_in_notes(anchor, parts)
        )
        return Study(key, anchor.name, anchor.id, (each,))
    pixels = np.stack(channels, axis=-1)
    truth = group.truth[1] if group.truth else None
    return Study(key, anchor.name, anchor.id, _slices(anchor, key, pixels, truth, notes))


def _stand_in_notes(anchor: Scan, parts: Mapping[str, object]) -> tuple[str, ...]:
    missing = [TITLES[role] for role in SEQUENCES if role not in parts]
    if not missing:
        return ()
    if "flair" in parts:
        return (
            f"{anchor.name}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; "
            "FLAIR stands in, as in the data set.",
        )
    there = TITLES[next(iter(parts))]
    return (
        f"{anchor.name} came without FLAIR, on which the networks rely; {there} stands in for what is "
        "missing, so expect little of what they say.",
    )


def _alone(scan: Scan, role: str | None) -> Slice:
    if role in ("pre", "post", "other"):
        note = f"{scan.name} was said to be {TITLES[role]}; alone it stands in place of FLAIR, too."
        return replace(scan.picture, notes=(*scan.picture.notes, note))
    return scan.picture


def _colors(scan: Scan) -> Study:
    return Study(scan.id, scan.name, scan.id, _slices(scan, scan.id, scan.values, None, scan.notes))


def _slices(
    scan: Scan,
    volume: str,
    pixels: np.ndarray,
    truth: np.ndarray | None,
    notes: tuple[str, ...],
) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            name=name,
            pixels=np.ascontiguousarray(pixels[index]),
            truth=None if truth is None else np.ascontiguousarray(truth[index]),
            number=index + 1 if len(scan.names) > 1 else None,
            spacing=scan.grid.pixel_spacing,
            notes=notes,
            place=Place(volume, scan.name, scan.grid, index),
        )
        for index, name in enumerate(scan.names)
    )
