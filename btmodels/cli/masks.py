"""Write the command line's masks: a TIFF for each slice, and a NIfTI file for each volume."""

from __future__ import annotations

from pathlib import Path

from btmodels.cli.find_files import Problem
from btmodels.cli.load import Found
from btmodels.export.files import mask_tiff, own_mask
from btmodels.export.nifti import nifti_mask, nifti_name
from btmodels.slices import Analysis


class MaskWriter:
    """Writes masks below a folder, none over another.

    Args:
        out: The folder.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._taken: dict[Path, Found] = {}
        self._volume: list[tuple[Analysis, Found]] = []

    def write(self, analysis: Analysis, found: Found) -> tuple[Path | None, list[Problem]]:
        """Write a slice's mask, and a volume's once its last slice has come.

        Args:
            analysis: Slices of one volume come one after the other.
            found: The slice as it was read.

        Returns:
            The slice's file, None where it could not be written, and what went wrong.
        """
        mask, problems = self._write_slice(analysis, found)
        position, last = analysis.slice.position, self._volume and self._volume[0][0].slice.position
        if not (position and last and position.volume == last.volume):
            problems += self.end()
        self._volume.append((analysis, found))
        return mask, problems

    def end(self) -> list[Problem]:
        """Write the volume that has come so far; return what went wrong."""
        volume, self._volume = self._volume, []
        if not volume or volume[0][0].slice.position is None:
            return []  # a picture, whose TIFF is all there is
        analysis, found = volume[0]
        target = (self.out / found.target).with_name(nifti_name(analysis.slice))
        if problem := self._claim(target, found):
            return [problem]
        try:
            target.write_bytes(nifti_mask([each for each, _ in volume]))
        except OSError as error:
            return [_unwritten(target, error)]
        return []

    def _write_slice(self, analysis: Analysis, found: Found) -> tuple[Path | None, list[Problem]]:
        target = self.out / found.target
        if problem := self._claim(target, found):
            return None, [problem]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(mask_tiff(own_mask(analysis)))
        except OSError as error:
            return None, [_unwritten(target, error)]
        return target, []

    def _claim(self, target: Path, found: Found) -> Problem | None:
        other = self._taken.setdefault(target, found)
        if other is found:
            return None
        reason = f"its mask was not written: {target} already holds that of {other.file}."
        return Problem(found.file, reason)


def _unwritten(target: Path, error: OSError) -> Problem:
    return Problem(target, f"cannot be written ({error.strerror}).")
