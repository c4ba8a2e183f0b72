"""A small network trained while a visitor watches: what may be set, and what runs in its process.

Importing this module is cheap: the web process names these functions,
`btmodels.teaching.live_training.queue.Desk` has them run in a process that does nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from btmodels import processes
from btmodels.teaching.live_training.settings import Lap, Setting, Start

if TYPE_CHECKING:
    from btmodels.teaching.live_training.trainer import Pupil


BEHIND = 15
"""How far (of 19) this process stands back where others want the processor."""


_pupil: Pupil | None = None


def behind(parent: int) -> None:
    """Set up the process: it ends with its parent and lets everything else go first.

    Args:
        parent: Process id of the web process.
    """
    processes.begin(parent)
    if hasattr(os, "setpriority"):
        # Going back up is forbidden, so that a site which stands back itself must not be overtaken.
        os.setpriority(os.PRIO_PROCESS, 0, max(BEHIND, os.getpriority(os.PRIO_PROCESS, 0)))


def begin(settings: Sequence[Setting], epochs: int, assets: Path) -> Start:
    """Read the bundled cohort and build the networks; forget those that were there before."""
    global _pupil
    with processes.quiet():
        from btmodels.teaching.live_training.trainer import Pupil

        _pupil = Pupil(settings, epochs, assets)
        return _pupil.start()


def advance(network: int) -> Lap:
    """Train network number ``network`` for its next epoch."""
    return _pupil.advance(network)
