"""A data folder is checked to the last file, and the reference patients stay closed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.train.tiny import SIZE, SPLIT, make_assets, make_data
from train.__main__ import main
from train.fit.subset import load_subset


@pytest.fixture
def data(tmp_path) -> Path:
    return make_data(tmp_path / "data", num_slices=4)


@pytest.fixture
def words(tmp_path, data) -> list[str]:
    assets, out = make_assets(tmp_path / "assets"), tmp_path / "out" / "manifest.json"
    return ["prepare", "--data", str(data), "--assets", str(assets), "--out", str(out)]


def manifest(words: list[str]) -> dict:
    return json.loads(Path(words[-1]).read_text(encoding="utf-8"))


def test_a_sound_folder_is_counted_and_hashed(words, data, capsys):
    assert main(words) == 0
    content = manifest(words)
    assert content["totals"] == {"patients": 4, "slices": 16, "tumor_slices": 8, "problems": 0}
    folder = SPLIT["train"][0]
    entry = content["patients"][folder]
    assert entry["subset"] == "train" and entry["sizes"] == {f"{SIZE} x {SIZE}": 4}
    file = data / "kaggle_3m" / folder / f"{folder}_1.tif"
    assert entry["files"][file.name] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert len(entry["files"]) == 8
    assert str(data) not in Path(words[-1]).read_text(), "where data lies is nobody's business"
    assert "16 of 16 slices" in capsys.readouterr().out


def test_reference_patients_are_listed_and_left_closed(words):
    # Their files are garbage: opening one would be a problem, and would fail the command.
    assert main(words) == 0
    content = manifest(words)
    assert content["not_opened"] == SPLIT["reference"]
    assert not set(content["patients"]) & set(SPLIT["reference"])


def test_whatever_is_wrong_is_said(words, data, capsys):
    first, second = (data / "kaggle_3m" / folder for folder in SPLIT["train"])
    (first / f"{first.name}_1_mask.tif").unlink()
    (first / f"{first.name}_2.tif").write_bytes(b"II*\0 cut short")
    other = np.zeros((SIZE, SIZE + 2, 3), np.uint8)
    tifffile.imwrite(second / f"{second.name}_3.tif", other, photometric="rgb")
    deep = np.full((SIZE, SIZE, 3), 40_000, np.uint16)
    tifffile.imwrite(second / f"{second.name}_4.tif", deep, photometric="rgb")
    assert main(words) == 1
    said = capsys.readouterr().out
    patients = manifest(words)["patients"]
    missing, broken = patients[first.name]["problems"]
    assert "mask" in missing and f"{first.name}_2.tif" in broken
    problems = " ".join(patients[second.name]["problems"])
    assert "differ in size" in problems and "16" in problems
    assert f"{first.name}: {missing}" in said


def test_a_folder_without_patients_is_one_sentence(tmp_path, words, capsys):
    (tmp_path / "empty").mkdir()
    words[2] = str(tmp_path / "empty")
    assert main(words) == 1
    assert "holds no patient" in capsys.readouterr().err


def test_training_opens_no_reference_patient(data, tmp_path, monkeypatch):
    opened = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path) or real(path))
    assets = make_assets(tmp_path / "a")
    for subset in ("train", "validation"):
        load_subset(data, subset, SIZE, assets)
    for subset in ("test", "reference"):
        with pytest.raises(ValueError, match="Training reads only"):
            load_subset(data, subset, SIZE, assets)
    met = {path.parent.name for path in opened if path.suffix == ".tif"}
    assert met == {*SPLIT["train"], *SPLIT["validation"]}
