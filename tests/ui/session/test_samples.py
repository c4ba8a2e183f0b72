"""Which patient pages begin with."""

from __future__ import annotations

from btmodels.slices import Patient
from ui.results import scores
from ui.session.samples import Library, Sample


def test_the_first_patient_is_the_median_of_the_network_that_is_asked_for(monkeypatch):
    recorded = {
        "default": {"a": 0.1, "b": 0.5, "c": 0.9},
        "unet": {"a": 0.5, "b": 0.9, "c": 0.1},
        "new": {},
    }

    def read(model: str):
        patients = {folder: {"dice": dice} for folder, dice in recorded[model].items()}
        return {"test": {"patients": patients}}, None

    monkeypatch.setattr(scores, "read", read)
    there = {folder: Sample(Patient(folder, ()), "test", False) for folder in "abc"}
    library = Library(there, (), True)
    assert library.featured() == (there["b"], "median")
    assert library.featured("unet") == (there["a"], "median")
    del there["c"]
    assert library.featured("unet")[0] == there["a"]
    assert library.featured("unet", upper=True)[0] == there["b"]
    assert library.featured("new") == (there["a"], "held out")
    bundled = {"d": Sample(Patient("d", ()), "synthetic", True)}
    assert Library(bundled, (), False).featured() == (bundled["d"], "bundled")
