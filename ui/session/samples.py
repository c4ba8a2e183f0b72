"""Patients offered on the pages: the bundled cohort, and the data folder."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.slices import Patient
from ui.results import scores
from ui.session.stack import Stack
from ui.shared.badges import badge_of


@dataclass(frozen=True)
class Sample:
    """A patient on disk, and whether the networks have seen them."""

    patient: Patient
    provenance: str
    bundled: bool

    @property
    def title(self) -> str:
        """Folder name and badge, for lists."""
        return f"{self.patient.folder} · {badge_of(self.provenance).label}"


@dataclass(frozen=True)
class Library:
    """All available patients, by folder name, and problems of the folders.

    Attributes:
        samples: Patients with slices.
        problems: Problems of the folders, one sentence each.
        has_data: Whether there are patients other than the bundled ones.
        empty: Patients whose folder contains no slice.
    """

    samples: dict[str, Sample]
    problems: tuple[str, ...]
    has_data: bool
    empty: dict[str, Sample] = field(default_factory=dict)

    def featured(self, model: str = "default", upper: bool = False) -> tuple[Sample | None, str]:
        """Choose the initial patient of Overview, or of a lesson.

        Args:
            model: Segmenter whose recorded scores decide.
            upper: Of two patients in the middle, take the one with the higher score.

        Returns:
            The sample and how it was chosen: the ``median`` of the held-out patients by recorded score,
            a ``held out`` one if there are no scores, otherwise a ``bundled`` one.
        """
        held_out = [s for s in self.samples.values() if s.provenance == "test"]
        if not held_out:
            return next(iter(self.samples.values()), None), "bundled"
        median = _median(held_out, model, upper)
        return (median, "median") if median else (held_out[0], "held out")


def library() -> Library:
    """Read the bundled cohort and the data folder."""
    return _library(cohort.data_root())


@st.cache_resource(show_spinner=False, max_entries=4)
def _library(data_root: Path | None) -> Library:
    samples: dict[str, Sample] = {}
    empty: dict[str, Sample] = {}
    problems = []
    for root in (cohort.samples_root(paths.ASSETS), data_root):
        if root is None:
            continue
        try:
            patients = cohort.read_cohort(cohort.find_root(root))
        except CohortError as error:
            problems.append(str(error))
            continue
        for patient in patients:
            provenance = cohort.provenance(patient.folder)
            kind = samples if patient.files else empty
            kind[patient.folder] = Sample(patient, provenance, root is not data_root)
    # Those with evidence first: never seen, then validation, then trained on.
    order = ["synthetic", "reference", "test", "validation", "train"]
    rank = {name: place for place, name in enumerate(order)}
    ordered = sorted(samples.values(), key=lambda s: rank.get(s.provenance, len(rank)))
    found = any(not sample.bundled for sample in ordered)
    return Library({s.patient.folder: s for s in ordered}, tuple(problems), found, empty)


@st.cache_resource(show_spinner=False, max_entries=16)  # a class looks at many patients at once
def stack_of(_sample: Sample, folder: str) -> Stack:
    """Read all slices of a sample; ``folder``, its folder name, is the cache key.

    Raises:
        CohortError: None of its slices can be read.
    """
    slices, problems = cohort.read_slices(_sample.patient)
    if not slices:
        raise CohortError(f"No slice of {folder} can be read. {' '.join(problems[:3])}".strip())
    keys = tuple(f"{folder}/{each.number}" for each in slices)
    provenance = (_sample.provenance,) * len(slices)
    return Stack(folder, slices, keys, provenance, shared=True, problems=problems)


def _median(held_out: list[Sample], model: str, upper: bool) -> Sample | None:
    # The patient with the median recorded test score represents the rest better than the best one.
    scored, _ = scores.read(model)
    patients = scored.get("test", {}).get("patients", {})
    dice = {s.patient.folder: patients.get(s.patient.folder, {}).get("dice") for s in held_out}
    known = [value for value in dice.values() if value is not None]
    if not known:
        return None
    middle = (statistics.median_high if upper else statistics.median_low)(known)
    return next(s for s in held_out if dice[s.patient.folder] == middle)
