"""What runs in the process that trains a small network while a visitor watches.

Importing this module is cheap: the web process names these functions, and
`btmodels.teaching.live_training.queue.TrainingQueue` runs them in a process that does nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from btmodels import processes
from btmodels.teaching.live_training.settings import EpochResult, Setting, TrainingSetup

if TYPE_CHECKING:
    from btmodels.teaching.live_training.trainer import Trainer


NICENESS = 15
"""Priority of the training process, of 19: everything else goes first."""


_trainer: Trainer | None = None


def lower_priority(parent: int) -> None:
    """Set up the process: it ends with its parent and runs at low priority.

    Args:
        parent: Process id of the web process.
    """
    processes.begin(parent)
    if hasattr(os, "setpriority"):
        # Raising a priority again is forbidden: keep that of a site which itself runs at a lower one.
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def begin(settings: Sequence[Setting], epochs: int, assets: Path) -> TrainingSetup:
    """Read the bundled cohort and build the networks; forget those that were there before."""
    global _trainer
    with processes.quiet():
        from btmodels.teaching.live_training.trainer import Trainer

        _trainer = Trainer(settings, epochs, assets)
        return _trainer.start()


def advance(network: int) -> EpochResult:
    """Train network number ``network`` for its next epoch."""
    return _trainer.advance(network)
