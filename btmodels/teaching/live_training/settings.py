"""Settings of a live training, and the results that it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from btmodels.slices import Patient

SIZE = 64
"""Rows and columns that slices are shrunk to, so that an epoch takes seconds."""

EPOCHS = 12

HELD_OUT = ("SYNT_AA_0001_20260101", "SYNT_AA_0006_20260101")
"""Bundled patients that are held out: scores and the mask on show come from these."""


@dataclass(frozen=True)
class Setting:
    """The choices of a visitor about a network and its training.

    Attributes:
        skips: Whether encoder and decoder are joined.
        loss: "bce" or "bce_dice", of `btmodels.training.losses`.
        rate: Learning rate, the peak of its cycle.
        filters: Channels at full resolution, doubled at each of four levels.
        patients: Most patients to learn from; None: all that are not held out.
    """

    skips: Literal["joined", "absent"] = "joined"
    loss: Literal["bce", "bce_dice"] = "bce_dice"
    rate: float = 5e-3
    filters: int = 8
    patients: int | None = None


COMPARISONS: dict[str, tuple[Setting, Setting]] = {
    "skips": (Setting(), Setting(skips="absent")),
    "patients": (Setting(), Setting(patients=1)),
    "rate": (Setting(), Setting(rate=1e-4)),
    "loss": (Setting(), Setting(loss="bce")),
    "width": (Setting(), Setting(filters=2)),
}
"""Pairs of settings to train side by side; the first of each pair is always the same."""


@dataclass(frozen=True, eq=False)
class TrainingSetup:
    """The networks and slices of a training that has started.

    Attributes:
        pid: The process that trains.
        slices: Number of training slices of each network.
        patients: Number of training patients of each network.
        held_out: Number of slices that the score is computed over.
        parameters: Of each network.
        pixels: uint8, (SIZE, SIZE, 3), the held-out slice on show.
        truth: bool, (SIZE, SIZE), its true mask.
        shown: Its patient and number.
    """

    pid: int
    slices: tuple[int, ...]
    patients: tuple[int, ...]
    held_out: int
    parameters: tuple[int, ...]
    pixels: np.ndarray
    truth: np.ndarray
    shown: tuple[str, int]


@dataclass(frozen=True, eq=False)
class EpochResult:
    """The outcome of one epoch.

    Attributes:
        network: Which of the networks, from 0.
        epoch: From 1.
        loss: Mean over the epoch's steps.
        dice: Over all held-out slices at threshold 0.5; None where nothing is marked and nothing true.
        levels: uint8, (SIZE, SIZE): probability in 255ths on the slice on show.
        seconds: Duration of the epoch.
    """

    network: int
    epoch: int
    loss: float
    dice: float | None
    levels: np.ndarray
    seconds: float


def split(patients: Sequence[Patient]) -> tuple[list[Patient], list[Patient]]:
    """Divide patients into those to learn from and those held out: `HELD_OUT`, or else the first."""
    named = [patient for patient in patients if patient.folder in HELD_OUT] or list(patients[:1])
    return [patient for patient in patients if patient not in named], named
