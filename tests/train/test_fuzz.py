"""Damaged files: the same ones each time, read as the site reads them, counted by what became of them."""

from __future__ import annotations

import json

import numpy as np

from btmodels import paths
from btmodels.io.batch import Batch
from train import __main__ as train
from train import fuzz

SAMPLE = 400


def test_seeds_are_sound_files_of_every_format():
    found = list(fuzz.seeds())
    made = [seed for seed in found if seed.kind not in ("DICOM", "NIfTI")]
    assert len(found) >= 50
    assert {seed.kind for seed in found} == {
        *("TIFF", "PNG", "JPEG", "WEBP", "BMP", "DICOM", "NIfTI", "zip")
    }
    assert [
        seed.name for seed in made if fuzz.attempt(seed.data, seed.name).kind != "decoded"
    ] == []


def test_damage_is_a_function_of_the_seed():
    sound = list(fuzz.seeds())
    first, again, other = (
        fuzz.damage(sound[0].data, sound, np.random.default_rng(number)) for number in (3, 3, 4)
    )
    assert first == again != other and first != sound[0].data


def test_damage_reaches_behind_checksums():
    for kind in ("PNG", "zip"):
        found = [seed for seed in fuzz.seeds() if seed.kind == kind]
        kinds = [
            fuzz.attempt(fuzz.damaged(seed, found, np.random.default_rng(number)), seed.name).kind
            for seed in found
            for number in range(20)
        ]
        assert set(kinds) == {"decoded", "refused"}


def test_a_defect_is_counted_as_one(monkeypatch):
    def broken(files):
        raise KeyError(files[0].name)

    monkeypatch.setattr(fuzz, "read_batch", broken)
    assert fuzz.attempt(b"II*\0", "a.tif").defect == "KeyError"
    monkeypatch.setattr(fuzz, "read_batch", lambda files: Batch())
    assert fuzz.attempt(b"II*\0", "a.tif").kind == "refused"


def test_no_damaged_file_does_more_than_be_refused(tmp_path):
    words = ["fuzz", "--count", str(SAMPLE), "--seed", "7", "--assets", str(tmp_path)]
    assert train.main(words) == 0
    found = json.loads((tmp_path / "metrics" / "fuzz.json").read_text(encoding="utf-8"))
    assert found["defects"] == {}
    counted = list(found["formats"].values())
    assert sum(counts["files"] for counts in counted) == SAMPLE
    assert sum(counts.get("decoded", 0) for counts in counted) >= SAMPLE / 5
    assert sum(counts.get("given_up", 0) for counts in counted) == 0


def test_the_committed_count_is_complete():
    path = paths.ASSETS / "metrics" / "fuzz.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    counted = list(found["formats"].values())
    assert found["defects"] == {} and found["seeds"] >= 50
    assert sum(counts["files"] for counts in counted) == found["count"] >= 20_000
    assert sum(counts.get("decoded", 0) for counts in counted) >= found["count"] / 5
