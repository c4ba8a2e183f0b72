"""Analyze the initial patient of Overview before the first visitor comes."""

from __future__ import annotations

import threading
from contextlib import suppress

from btmodels.errors import BrainTumorError
from ui.session import analysis, samples


def analyze() -> None:
    """Start a thread that reads the patient and analyzes each slice, beginning with the one shown."""
    threading.Thread(target=_analyze, name="first-patient", daemon=True).start()


def _analyze() -> None:
    with suppress(BrainTumorError):  # the page meets and reports it, too
        sample, _ = samples.library().featured()
        if sample is not None:
            stack = samples.stack_of(sample, sample.patient.folder)
            analysis.analyze_ahead(stack, stack.largest_lesion_slice())
