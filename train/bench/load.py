"""Load benchmark of the site: many visitors at once, a whole patient, a large cohort."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np
import tifffile

from btmodels.dataset import cohort
from btmodels.inference.engine import Engine
from btmodels.slices import Slice
from train.bench.client import VIEWER, Session, Site
from train.bench.crowd import Crowd
from train.bench.rows import Row, megabytes, memory_rows, milliseconds, row

USERS = (1, 5, 20, 50)
"""Numbers of visitors who analyze slices at once, measured in turn."""

AIMS = {1: 1000.0, 5: 1000.0, 20: 2000.0, 50: 5000.0}
"""Target for the 95th percentile of the time to analyze a new slice, in ms, by number of visitors."""

ROUNDS = 4
"""Slices that each visitor requests."""

MANY = 80
"""Enough slices to measure the engine's peak throughput."""

COHORT = 110
"""Patients of the whole data set."""

STEADY_SECONDS, STEADY_PATIENTS = 120.0, 200

LARGE = "SYNT_AA_0005_20260101"
"""The bundled patient of 60 slices."""

TABLE = "dataframe"
"""Streamlit's type of the element that lists the cohort."""


def load_rows() -> Iterator[Row]:
    """Yield the times and errors of simultaneous visitors; `train.bench.command` explains the rows.

    Every slice is requested once and is its patient's only slice, so no answer comes from a cache.
    """
    alone = engine_alone(min(max(USERS) * ROUNDS, MANY))
    with made_up_data(1 + sum(USERS) * ROUNDS, 1) as data, Site(BT_DATA_DIR=str(data)) as site:
        names = iter(sorted(folder.name for folder in (data / "kaggle_3m").iterdir()))
        ask(site.visit(), next(names))
        site.rest()  # networks and cohort are warm, and the other pages loaded, from here on
        before = site.memories()
        for users in USERS:
            wanted = [[next(names) for _ in range(ROUNDS)] for _ in range(users)]
            yield from _together(site, wanted, alone)
            yield from memory_rows(f"users_{users}", site.memories(), before)


def steady_rows(users: int = 50, seconds: float = STEADY_SECONDS) -> Iterator[Row]:
    """Yield how the site copes with many visitors for minutes while its worker is killed twice.

    Each visitor goes through patients of one slice in turn; after a while all have been seen and
    come from a cache, as in a class. An error is an exception on a page, or an alert that the networks
    did not answer. Memory at the end, when a new worker is idle, is compared with that after each
    patient has been seen once, when the caches are full.
    """
    with made_up_data(STEADY_PATIENTS, 1) as data, Site(BT_DATA_DIR=str(data)) as site:
        names = sorted(folder.name for folder in (data / "kaggle_3m").iterdir())
        ask(site.visit(), names[0])

        def next_patient(session: Session, number: int, count: int) -> None:
            ask(session, names[(number + users * count) % len(names)])

        crowd = Crowd([site.visit() for _ in range(users)], next_patient)
        for _ in range(math.ceil(len(names) / users)):
            crowd.stay(0.0)
        site.rest()
        before, first = site.memory(), sum(crowd.answers)
        killed = crowd.stay(seconds, site)
        slices = sum(crowd.answers) - first
        name = f"steady_{users}"
        yield row(f"{name}/slices", slices)
        yield row(f"{name}/kills", killed)
        yield row(f"{name}/errors", len(crowd.errors))
        site.rest()
        yield megabytes(f"{name}/memory", site.memory(), before)


def _together(site: Site, wanted: list[list[str]], alone: float) -> Iterator[Row]:
    """Let one visitor per list request the list's patients in turn, all visitors at once."""
    times: list[float] = []
    errors: list[str] = []

    def visitor(session: Session, names: list[str]) -> None:
        for name in names:
            try:
                times.append(ask(session, name))
            except Exception as error:  # whatever a visitor would have met counts
                errors.append(str(error))

    users = len(wanted)
    sessions = [site.visit() for _ in wanted]
    spent, begin = site.processor(), perf_counter()
    with ThreadPoolExecutor(users) as threads:
        threads.map(visitor, sessions, wanted)
    seconds = perf_counter() - begin
    p50, p95 = np.percentile(times, [50, 95]) if times else (np.nan, np.nan)
    yield milliseconds(f"users_{users}/p50", p50)
    yield milliseconds(f"users_{users}/p95", p95, AIMS.get(users))
    yield row(f"users_{users}/errors", len(errors))
    yield row(f"users_{users}/slices_per_second", len(times) / seconds, "/s", alone)
    yield from _spent(f"users_{users}", site, spent, len(times) or 1)


def _spent(what: str, site: Site, before: dict[str, float], slices: int) -> Iterator[Row]:
    now = site.processor()
    for process in ("server", "engine"):
        yield milliseconds(f"{what}/{process}_cpu", (now[process] - before[process]) / slices)


def ask(session: Session, patient: str) -> float:
    """Open a patient's only slice on Analyze; return the seconds until all its results are there."""
    return session.run("analyze", f"patient={patient}&slice=1")


def engine_alone(slices: int) -> float:
    """Return the engine's slices per second when it gets all slices in one call."""
    with made_up_data(slices, 1) as data:
        patients = cohort.read_cohort(data)
        images = [cohort.read_slice(each, each.files[0]).pixels for each in patients]
    engine = Engine()
    try:
        engine.predict(images[:8])
        begin = perf_counter()
        engine.predict(images)
        return slices / (perf_counter() - begin)
    finally:
        engine.close()


def patient_rows() -> Iterator[Row]:
    """Yield the times to open the bundled patient of 60 slices and a cohort of 110 patients."""
    query = f"patient={LARGE}"
    with Site(BT_DATA_DIR="") as site:
        ask(site.visit(), "SYNT_AA_0003_20260101")
        site.rest()  # until the networks are warm and that patient's slices are done
        spent, begin, shown = site.processor(), perf_counter(), None
        for kind in site.visit().watch("patients", query):
            if kind == VIEWER and shown is None:
                shown = perf_counter() - begin
        yield milliseconds("patient_60/viewer", shown, 2000.0)
        yield milliseconds("patient_60/gallery", perf_counter() - begin, 2000.0)
        yield from _spent("patient_60", site, spent, 60)
        yield milliseconds("patient_60/again", site.visit().run("patients", query), 2000.0)
    with made_up_data(COHORT, 2) as data, Site(BT_DATA_DIR=str(data)) as site:
        site.visit().run("about")
        for which in ("first", "again"):
            begin = perf_counter()
            next(kind for kind in site.visit().watch("patients") if kind == TABLE)
            yield milliseconds(f"cohort_110/{which}", perf_counter() - begin, 2000.0)


@contextmanager
def made_up_data(patients: int, slices: int) -> Iterator[Path]:
    """Make a temporary data folder in the data set's layout from the synthetic cohort.

    Args:
        patients: Number of patient folders.
        slices: Slices in each folder; no two slices are the same.
    """
    sources = list(_sources())
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "kaggle_3m")
        for number in range(patients):
            folder = root / f"LOAD_AA_{number:04d}_20260101"
            folder.mkdir(parents=True)
            for index in range(slices):
                turn, which = divmod(number * slices + index, len(sources))
                source = sources[which]
                stem = folder / f"{folder.name}_{index + 1}"
                mask = source.truth.astype(np.uint8) * 255
                tifffile.imwrite(f"{stem}.tif", np.roll(source.pixels, turn + 1, axis=1))
                tifffile.imwrite(f"{stem}_mask.tif", np.roll(mask, turn + 1, axis=1))
        yield root.parent


def _sources() -> Iterator[Slice]:
    for patient in cohort.read_cohort(cohort.samples_root()):
        for file in patient.files:
            yield cohort.read_slice(patient, file)
