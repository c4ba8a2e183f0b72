"""Benchmark of a class that uploads zipped studies while the worker is killed twice."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Iterator

import numpy as np
import tifffile

from btmodels.dataset import cohort
from train.bench.client import Session, Site
from train.bench.crowd import Crowd
from train.bench.memory import PAGE, QUERY
from train.bench.rows import Row, megabytes, row
from train.fuzz_seeds import write_dicom

USERS, SECONDS = 50, 300.0

SLICES = 5
"""Slices per study. More would only take longer."""

LEFT_SECONDS = 150.0
"""Time for the memory of closed tabs to be released: sessions expire after a minute, and expired
ones are dropped every 20 seconds (`ui.site.garbage`)."""

LOOK_SECONDS = 1.0


def class_upload_rows(users: int = USERS, seconds: float = SECONDS) -> Iterator[Row]:
    """Yield the site's errors and memory while visitors upload one study after another.

    Every second visitor uploads a zipped DICOM series; the others upload a patient's slices as zipped
    TIFFs. No two uploads are the same.
    """
    with Site(BT_DATA_DIR="") as site:
        first = site.visit()
        first.run(PAGE, QUERY)
        first.upload(PAGE, QUERY, *_study(0, 0))
        site.rest()
        before = site.memories()["server"]
        sessions = [site.visit() for _ in range(users)]
        for session in sessions:
            session.run(PAGE, QUERY)

        def upload(session: Session, number: int, count: int) -> None:
            session.upload(PAGE, QUERY, *_study(number + 1, count))

        crowd = Crowd(sessions, upload)
        with _Peak(site) as peak:
            killed = crowd.stay(seconds, site)
        name = f"class_{users}"
        yield row(f"{name}/uploads", sum(crowd.answers))
        yield row(f"{name}/kills", killed)
        yield row(f"{name}/errors", len(crowd.errors))
        yield megabytes(f"{name}/server", peak.bytes, 500e6)
        site.close_sessions()
        time.sleep(LEFT_SECONDS)
        yield megabytes(f"{name}/server_left", site.memories()["server"], before)


class _Peak:
    """Peak memory of the web process during the ``with`` block, sampled every second."""

    def __init__(self, site: Site) -> None:
        self._site, self.bytes = site, 0

    def __enter__(self) -> _Peak:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.bytes = max(self.bytes, self._site.memories()["server"])


def _study(number: int, count: int) -> tuple[str, bytes]:
    """Return the name and content of a zip with a study that nobody has uploaded before."""
    patients = cohort.read_cohort(cohort.samples_root())
    patient = patients[number % len(patients)]
    middle = len(patient.files) // 2
    slices = [cohort.read_slice(patient, file) for file in patient.files[middle : middle + SLICES]]
    shift = 1 + (number * 31 + count * 7) % 97
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for at, each in enumerate(slices):
            pixels = np.roll(each.pixels, shift, axis=1)
            packed.writestr(*_file(pixels, at, number, count))
    return f"study_{number}_{count}.zip", buffer.getvalue()


def _file(pixels: np.ndarray, at: int, number: int, count: int) -> tuple[str, bytes]:
    if number % 2:
        uid = f"1.2.{number}.{count + 1}"
        fields = {
            "SeriesDescription": "AX T2 FLAIR",
            "StudyInstanceUID": uid,
            "SeriesInstanceUID": f"{uid}.1",
            "SOPInstanceUID": f"{uid}.1.{at + 1}",
        }
        return f"series/{at}.dcm", write_dicom(pixels[..., 1].astype(np.int16) * 3, at, fields)
    file = io.BytesIO()
    tifffile.imwrite(file, pixels)
    return f"study_{number}_{count}/study_{number}_{count}_{at + 1}.tif", file.getvalue()
