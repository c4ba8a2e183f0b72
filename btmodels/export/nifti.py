"""Export masks of a volume: NIfTI with the file's geometry, DICOM-SEG for DICOM series."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import numpy as np

from btmodels.export.files import own_mask, safe_stem, unused
from btmodels.geometry import shear_of
from btmodels.slices import Analysis, Slice


def volume_stem(each: Slice) -> str:
    """Return the stem of the file names for a slice's volume."""
    # A description is not a path: "T1 W/O CONTRAST" is one name.
    title = each.position.title.replace("/", "_") if each.position else each.name
    title = title[: -len(".gz")] if title.lower().endswith(".gz") else title
    return safe_stem(title)


def nifti_name(each: Slice) -> str:
    """Return the file name of the NIfTI mask of a slice's volume."""
    return f"{volume_stem(each)}_mask.nii.gz"


def volume_stems(analyses: Sequence[Analysis]) -> dict[str, str]:
    """Return a unique file stem for each volume, by volume: patients in folders often have files of equal
    names."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for analysis in analyses:
        position = analysis.slice.position
        if position is not None and position.volume not in stems:
            stems[position.volume] = unused(volume_stem(analysis.slice), taken)
    return stems


def of_volume(analyses: Sequence[Analysis], each: Slice) -> list[Analysis]:
    """Return the analyses of the volume that a slice belongs to; for a picture, those of its size."""
    if each.position is not None:
        return [
            a
            for a in analyses
            if a.slice.position and a.slice.position.volume == each.position.volume
        ]
    size = _own_size(each)
    return [a for a in analyses if a.slice.position is None and _own_size(a.slice) == size]


def nifti_mask(analyses: Sequence[Analysis]) -> bytes:
    """Write the masks of a volume as NIfTI, compressed with gzip.

    Args:
        analyses: Analyses of slices of one volume, or of pictures of one size. Missing slices get an
            empty mask.

    Returns:
        uint8, 0 and 1. A NIfTI volume keeps its axes, affine and codes; the affine of a DICOM volume
        follows from its coordinates. Pictures, and DICOM volumes of unknown spacing, have unit pixels,
        unknown units and sform and qform code 0: the first axis to the left, the second to the front.
    """
    import nibabel

    position = analyses[0].slice.position
    if position is None or position.grid.affine is None and position.grid.kind == "DICOM":
        stack = np.stack([own_mask(analysis) for analysis in analyses])
        if position is not None:
            stack = shown_masks(analyses)
        return _packed(_plain(stack.astype(np.uint8)))
    grid = position.grid
    values = grid.own(shown_masks(analyses)).astype(np.uint8)
    if grid.kind == "DICOM":
        # Transpose to columns, rows, frames, the order in which other programs write them.
        affine = grid.affine[:, [2, 1, 0, 3]]
        image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, code="scanner")
        # A quaternion cannot represent shear, which gantry tilt causes.
        image.set_qform(affine, code="unknown" if shear_of(affine) > 0.01 else "scanner")
        return _packed(image)
    packed = grid.header[0]
    two = len(packed) == 540
    header = (nibabel.Nifti2Header if two else nibabel.Nifti1Header)(packed)
    kept = {key: header[key].copy() for key in _GEOMETRY}
    image = (nibabel.Nifti2Image if two else nibabel.Nifti1Image)(values, None)
    for key, value in kept.items():
        image.header[key] = value
    image.header["pixdim"][4:] = 1
    image.header.set_xyzt_units(header.get_xyzt_units()[0])
    return _packed(image)


_GEOMETRY = (
    "pixdim",
    "qform_code",
    "sform_code",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "srow_x",
    "srow_y",
    "srow_z",
)


def shown_masks(analyses: Sequence[Analysis]) -> np.ndarray:
    grid = analyses[0].slice.position.grid
    masks = np.zeros(tuple(grid.shape[axis] for axis in grid.order), bool)
    for analysis in analyses:
        masks[analysis.slice.position.index] = own_mask(analysis)
    return masks


def _plain(stack: np.ndarray):
    """Return a NIfTI of (slices, rows, cols) without orientation and voxel spacing."""
    import nibabel

    # The usual order without coordinates: columns to the left, rows from the bottom up.
    values = np.ascontiguousarray(stack[:, ::-1].transpose(2, 1, 0))
    image = nibabel.Nifti1Image(values, None)
    image.header.set_xyzt_units("unknown")
    return image


def _packed(image) -> bytes:
    return gzip.compress(image.to_bytes(), 6, mtime=0)


def _own_size(each: Slice) -> tuple[int, ...]:
    size = each.pixels.shape[:2]
    return size[::-1] if each.turn and each.turn.quarters % 2 else size
