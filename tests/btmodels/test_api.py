"""The package's public names exist, and the README's example runs unchanged."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile

import btmodels
from btmodels.paths import ASSETS

ROOT = Path(__file__).resolve().parents[2]


def test_every_exported_member_is_there_under_its_own_name():
    assert set(btmodels.__all__) == set(btmodels._EXPORTS) <= set(dir(btmodels))
    for name in btmodels.__all__:
        member = getattr(btmodels, name)
        assert member.__name__ == name and member.__module__.startswith("btmodels.")
        assert member.__doc__, f"{name} says nothing of itself"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = btmodels.nothing


def test_reading_and_checking_load_no_framework():
    patient = str(ASSETS / "samples" / "kaggle_3m" / "SYNT_AA_0001_20260101")
    code = (
        "import sys; from btmodels import read_files, check_slice, measure, analyze;"
        f"slices, problems = read_files({patient!r});"
        "assert slices and not problems and check_slice(slices[12].pixels).passed;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


def test_what_cannot_be_read_is_a_sentence_and_the_rest_is_read(tmp_path):
    (tmp_path / "x.tif").write_bytes(b"II*\0 and then nothing")
    slices, problems = btmodels.read_files(tmp_path)
    assert slices == [] and len(problems) == 1 and "x.tif" in problems[0]


@pytest.mark.slow
def test_the_readmes_example_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(example.strip().splitlines()) <= 11
    monkeypatch.chdir(tmp_path)
    exec(example.replace('"assets/', f'"{ASSETS}/'), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(
        re.search(r": tumor (True|False), \d+ pixels$", x) for x in lines
    )
    masks = sorted(tmp_path.glob("*_mask.tif"))
    assert len(masks) == 2 == len(list(tmp_path.glob("*.png")))
    marked = sum(int((tifffile.imread(mask) > 0).sum()) for mask in masks)
    assert marked == sum(int(re.search(r"(\d+) pixels", line)[1]) for line in lines)
