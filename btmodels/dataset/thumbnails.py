"""Previews of patients. Each of a patient's files is read once."""

from __future__ import annotations

import io
import logging
import os
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

from btmodels.dataset.cohort import read_slices
from btmodels.errors import DecodeError
from btmodels.io.sandbox import Reader
from btmodels.slices import Patient, Slice, largest_lesion_slice
from btmodels.transforms.postprocess import outline
from btmodels.visualize.overlay import TRUTH_COLOR
from btmodels.visualize.window import shown_flair

THUMBNAIL = 72
"""Largest number of rows and columns of a thumbnail."""

SECONDS = 6.0
"""CPU time after which a folder is given up; 88 slices take less than one second."""

TRIES = 3
"""Number of unexpected errors after which a patient's preview is given up."""

_LOG = logging.getLogger(__name__)
_QUALITY = 88
_PRIORITY = 10


@dataclass(frozen=True)
class PatientPreview:
    """A summary of a patient's files.

    Attributes:
        tumor_slices: Number of slices with tumor in the true mask; None if no mask can be read.
        tumor_pixels: Marked pixels of all true masks; None as above.
        thumbnail: A small WebP of the slice with the largest true mask; None without a slice.
        problems: Problems of the folder, one sentence each.
    """

    tumor_slices: int | None
    tumor_pixels: int | None
    thumbnail: bytes | None
    problems: tuple[str, ...]


def preview(patient: Patient) -> PatientPreview:
    """Read all of a patient's files and summarize them."""
    slices, problems = read_slices(patient)
    sizes = [int(np.count_nonzero(each.truth)) for each in slices if each.truth is not None]
    return PatientPreview(
        tumor_slices=sum(size > 0 for size in sizes) if sizes else None,
        tumor_pixels=sum(sizes) if sizes else None,
        thumbnail=thumbnail(slices[largest_lesion_slice(slices)]) if slices else None,
        problems=problems,
    )


def thumbnail(each: Slice) -> bytes:
    """Return a slice's FLAIR channel with the true mask outlined as a small WebP.

    It helps to find a patient in a list; it is downsampled and not exact.
    """
    rows, cols = each.pixels.shape[:2]
    scale = THUMBNAIL / max(rows, cols)
    size = max(1, round(cols * scale)), max(1, round(rows * scale))
    picture = cv2.resize(shown_flair(each.pixels), size, interpolation=cv2.INTER_AREA)
    picture = np.repeat(picture[..., None], 3, axis=2)
    if each.truth is not None:
        share = cv2.resize(each.truth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        picture[outline(share >= 0.5)] = TRUTH_COLOR
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()


class ThumbnailQueue:
    """Makes previews of many patients, one after another in a separate process, each of them once.

    Thread-safe; no caller waits. A folder in which files were added or removed is read again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple, PatientPreview] = {}
        self._wanted: dict[tuple, Patient] = {}
        self._failures: Counter[tuple] = Counter()
        self._working = False

    def request(self, patients: Sequence[Patient]) -> dict[str, PatientPreview]:
        """Return the previews that are ready, by folder name; the others follow, in order."""
        keys = {patient.folder: _stamp(patient) for patient in patients}
        with self._lock:
            found = {name: self._found[key] for name, key in keys.items() if key in self._found}
            missing = {keys[p.folder]: p for p in patients if p.folder not in found}
            self._wanted = missing | {k: p for k, p in self._wanted.items() if k not in missing}
            if self._wanted and not self._working:
                self._working = True
                threading.Thread(target=self._work, daemon=True).start()
        return found

    def _work(self) -> None:
        reader = Reader(SECONDS)
        try:
            while True:
                with self._lock:
                    if not self._wanted:
                        self._working = False
                        return
                    key, patient = next(iter(self._wanted.items()))
                made = self._preview(reader, key, patient)
                with self._lock:
                    self._wanted.pop(key, None)
                    if made:
                        self._found[key] = made
                    else:
                        self._wanted[key] = patient  # tried again after all others
        finally:
            reader.close()

    def _preview(self, reader: Reader, key: tuple, patient: Patient) -> PatientPreview | None:
        """Return a patient's preview; None if an unexpected error calls for another try."""
        try:
            return reader.run(patient.folder, _preview_in_background, patient)
        except DecodeError as error:
            problem = str(error)
        except Exception:
            # An error such as lack of memory must not end this thread or block the other patients.
            _LOG.exception("A preview failed.")
            self._failures[key] += 1
            if self._failures[key] < TRIES:
                return None
            problem = f"The files of {patient.folder} could not be read."
        return PatientPreview(None, None, None, (*patient.problems, problem))


def _preview_in_background(patient: Patient) -> PatientPreview:
    # The networks and the pages have priority over this process.
    if hasattr(os, "setpriority"):
        behind = max(
            _PRIORITY, os.getpriority(os.PRIO_PROCESS, 0)
        )  # a process may not raise its priority again
        os.setpriority(os.PRIO_PROCESS, 0, behind)
    return preview(patient)


def _stamp(patient: Patient) -> tuple:
    if not patient.files:
        return (patient,)
    folder = patient.files[0].image.parent
    try:
        return (folder, folder.stat().st_mtime_ns)
    except OSError:
        return (folder, 0)


@lru_cache(maxsize=1)
def get_thumbnail_queue() -> ThumbnailQueue:
    """Return the queue of this process, shared by all sessions."""
    return ThumbnailQueue()
