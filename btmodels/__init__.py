"""Brain tumor segmentation as a library: read slices, check, classify and segment them, measure, export.

The names that other programs need most can be imported from here; each is loaded on first use.
Importing this package does not load TensorFlow or Keras: only modules that build or run networks need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btmodels.api import analyze, read_files
    from btmodels.dataset.cohort import read_cohort, read_slices
    from btmodels.export.files import mask_tiff, table_csv
    from btmodels.export.nifti import nifti_mask
    from btmodels.inference.predict import Predictor
    from btmodels.measurement.measure import measure
    from btmodels.metrics.overlap import count, dice
    from btmodels.quality.check import check_slice
    from btmodels.slices import Analysis, Patient, Prediction, Slice
    from btmodels.visualize.overlay import overlay_png

__version__ = "0.1.0"

_EXPORTS = {
    "Analysis": "slices",
    "Patient": "slices",
    "Prediction": "slices",
    "Predictor": "inference.predict",
    "Slice": "slices",
    "analyze": "api",
    "check_slice": "quality.check",
    "count": "metrics.overlap",
    "dice": "metrics.overlap",
    "mask_tiff": "export.files",
    "measure": "measurement.measure",
    "nifti_mask": "export.nifti",
    "overlay_png": "visualize.overlay",
    "read_cohort": "dataset.cohort",
    "read_files": "api",
    "read_slices": "dataset.cohort",
    "table_csv": "export.files",
}

__all__ = [
    "Analysis",
    "Patient",
    "Prediction",
    "Predictor",
    "Slice",
    "analyze",
    "check_slice",
    "count",
    "dice",
    "mask_tiff",
    "measure",
    "nifti_mask",
    "overlay_png",
    "read_cohort",
    "read_files",
    "read_slices",
    "table_csv",
]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"btmodels.{_EXPORTS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
