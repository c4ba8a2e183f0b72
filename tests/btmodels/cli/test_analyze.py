"""The command line keeps its promises: keys, exit statuses, what goes to which stream, which files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from btmodels import paths, registry
from btmodels.__main__ import main
from btmodels.inference import worker
from btmodels.slices import Prediction
from tests.btmodels.conftest import SMALL, of_members, write_record
from tests.files import link_or_copy

ROOT = Path(__file__).resolve().parents[3]
PATIENT = "TCGA_ZZ_0001_20260101"
KEYS = [
    "file",
    "slice",
    "name",
    "model",
    "weights_sha256",
    "verdict_by",
    "neighbors",
    "probability",
    "tumor",
    "rows",
    "cols",
    "marked_pixels",
    "slice_share",
    "head_share",
    "square_mm",
    "dice",
    "mask",
    "warnings",
]


def draw(path: Path, rows: int = 40, cols: int = 48, tumor: bool = False) -> Path:
    """Write a bright disk on black, in three channels that differ; a tumor is a square of 100 pixels that
    is brighter in FLAIR."""
    row, col = np.ogrid[:rows, :cols]
    pixels = np.zeros((rows, cols, 3), np.uint8)
    pixels[(row - rows // 2) ** 2 + (col - cols // 2) ** 2 < 16**2] = 90, 100, 110
    if tumor:
        pixels[15:25, 20:30, 1] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    return path


def draw_mask(path: Path, top: int = 15, rows: int = 40, cols: int = 48) -> Path:
    mask = np.zeros((rows, cols), np.uint8)
    mask[top : top + 10, 20:30] = 255
    tifffile.imwrite(path, mask)
    return path


@pytest.fixture
def networks(monkeypatch, tmp_path):
    """Networks that see a tumor where FLAIR is very bright. Returns what they were asked."""
    assets = tmp_path / "assets"
    (assets / "weights").mkdir(parents=True)
    for name, spec in registry.SPECS.items():
        if spec.members:
            write_record(name, assets, **of_members(name, assets))
            continue
        registry.weights_path(name, assets).write_bytes(b"")
        write_record(
            name, assets, sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    asked = []

    def answer(images, segmenter, classifier, assets):
        asked.append((len(images), segmenter, classifier))
        found = [Prediction(float(i.max() > 200), i[..., 1]) for i in images]
        return worker.BatchResult(0, found, 1)

    monkeypatch.setattr(worker, "predict", answer)
    monkeypatch.setattr(paths, "ASSETS", assets)
    return asked


def analyze(capsys, *words) -> tuple[int, list[dict], list[str]]:
    status = main(["analyze", *map(str, words), "--json"])
    printed = capsys.readouterr()
    return status, json.loads(printed.out), printed.err.splitlines()


def test_an_object_has_the_keys_that_were_promised(networks, capsys, tmp_path):
    file = draw(tmp_path / "in" / f"{PATIENT}_7.tif", tumor=True)
    draw_mask(tmp_path / "in" / f"{PATIENT}_7_mask.tif")
    status, (found,), errors = analyze(capsys, file)
    assert (status, errors) == (0, [])
    assert list(found) == KEYS
    assert found == found | {
        "file": str(file),
        "slice": 0,
        "name": file.name,
        "model": "resunet",
        "verdict_by": "resnet50",
        "neighbors": False,
        "probability": 1.0,
        "tumor": True,
        "rows": 40,
        "cols": 48,
        "marked_pixels": 100,
        "slice_share": 100 / (40 * 48),
        "square_mm": None,
        "dice": 1.0,
        "mask": None,
        "warnings": [],
    }
    assert found["weights_sha256"] == registry.load_record("resunet", paths.ASSETS).sha256
    assert found["head_share"] == pytest.approx(100 / 793, rel=0.1)


def test_a_folder_gives_its_slices_in_the_data_sets_order(networks, capsys, tmp_path):
    folder = tmp_path / "kaggle_3m"
    for number in (10, 9, 1, 2):
        draw(folder / PATIENT / f"{PATIENT}_{number}.tif")
        draw_mask(folder / PATIENT / f"{PATIENT}_{number}_mask.tif")
    draw(folder / "zoo" / "deeper" / "a.PNG")
    draw(folder / ".hidden" / "b.png")
    (folder / "data.csv").write_text("Patient,death01\n")
    (folder / "._a.png").write_bytes(b"not an image")
    status, found, errors = analyze(capsys, folder)
    assert status == 0
    assert errors == [f"{folder / 'data.csv'}: 1 file is not a slice and was skipped: data.csv."]
    assert [Path(each["file"]).name for each in found] == [
        f"{PATIENT}_1.tif",
        f"{PATIENT}_2.tif",
        f"{PATIENT}_9.tif",
        f"{PATIENT}_10.tif",
        "a.PNG",
    ]
    # An empty slice against a truth that is not: 0. No truth: none.
    assert [each["dice"] for each in found] == [0.0] * 4 + [None]
    assert [asked[0] for asked in networks] == [5]


def test_a_patients_verdicts_count_the_neighbors_and_the_classifier_can_be_asked(
    networks, capsys, tmp_path
):
    alone = {"slope": 0.25, "intercept": 0.0, "threshold": 0.5}
    beside = alone | {"neighbor_weight": 1.0}
    sha256 = registry.load_record("resunet", paths.ASSETS).sha256
    rules = {"verdict": alone, "verdict_with_neighbors": beside}
    write_record("resunet", paths.ASSETS, sha256=sha256, **rules)
    for number in range(1, 11):  # more than are analyzed at once
        draw(tmp_path / f"{PATIENT}_{number}.tif", tumor=number == 8)
    draw(tmp_path / "zebra.png", tumor=True)
    _, found, _ = analyze(capsys, tmp_path)
    picture, *slices = found
    assert not picture["neighbors"] and all(each["neighbors"] for each in slices)
    assert {each["verdict_by"] for each in found} == {"resunet"}
    given = [each["probability"] for each in slices]
    assert given[0] == given[5] < given[6] == given[8] < given[7] < picture["probability"]
    _, found, _ = analyze(capsys, tmp_path, "--verdict", "classifier")
    assert {(each["verdict_by"], each["neighbors"]) for each in found} == {("resnet50", False)}
    assert [each["probability"] for each in found] == [1.0] + [0.0] * 7 + [1.0] + [0.0] * 2


def test_masks_are_named_as_the_data_set_names_them(networks, capsys, tmp_path):
    folder, out = tmp_path / "kaggle_3m", tmp_path / "out"
    file = draw(folder / PATIENT / f"{PATIENT}_3.tif", tumor=True)
    _, (found,), _ = analyze(capsys, file, "--out", out)
    target = out / f"{PATIENT}_3_mask.tif"
    assert found["mask"] == str(target)
    mask = tifffile.imread(target)
    assert (mask.dtype, mask.shape) == (np.uint8, (40, 48))
    assert np.count_nonzero(mask == 255) == found["marked_pixels"] == 100
    assert np.count_nonzero(mask) == 100

    _, (found,), _ = analyze(capsys, folder, "--out", out)
    assert found["mask"] == str(out / PATIENT / f"{PATIENT}_3_mask.tif")


def test_without_out_no_file_is_written(networks, capsys, tmp_path):
    draw(tmp_path / "in" / "a.tif", tumor=True)
    before = sorted(tmp_path.rglob("*"))
    analyze(capsys, tmp_path / "in")
    assert sorted(tmp_path.rglob("*")) == before


def test_files_that_cannot_be_read_are_told_and_the_rest_goes_on(networks, capsys, tmp_path):
    good = draw(tmp_path / "good.tif")
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "cut.tif").write_bytes(good.read_bytes()[:200])
    names = ["empty.tif", "text.png", "cut.tif", "good.tif", "nowhere.tif", "no/where.tif"]
    status, found, errors = analyze(capsys, *(tmp_path / name for name in names))
    assert status == 1
    assert [each["file"] for each in found] == [str(good)]
    told = {line.split(": ")[0] for line in errors}
    assert told == {str(tmp_path / name) for name in names} - {str(good)}
    assert len(errors) == 5


def test_a_truth_that_does_not_fit_is_told_and_its_slice_goes_unscored(networks, capsys, tmp_path):
    draw(tmp_path / "a.tif", tumor=True)
    mask = draw_mask(tmp_path / "a_mask.tif", rows=30)
    draw(tmp_path / "b.tif", tumor=True)
    gray = draw(tmp_path / "b_mask.tif", tumor=True)
    status, found, errors = analyze(capsys, tmp_path / "a.tif", tmp_path / "b.tif")
    assert status == 1
    assert [each["dice"] for each in found] == [None, None]
    assert [line.split(": ")[0] for line in errors] == [str(mask), str(gray)]


def test_masks_that_are_named_are_truths_not_inputs(networks, capsys, tmp_path):
    draw(tmp_path / "a.tif", tumor=True)
    draw_mask(tmp_path / "a_mask.tif", top=20)
    lone = draw_mask(tmp_path / "b_mask.tif")
    status, (found,), errors = analyze(capsys, *sorted(tmp_path.glob("*.tif")))
    assert found["dice"] == 0.5
    assert status == 1
    assert errors == [
        f"{lone}: b_mask.tif is named as a mask, and no slice of that name came with it."
    ]


def test_a_file_that_is_named_twice_is_analyzed_once(networks, capsys, tmp_path):
    file = draw(tmp_path / "a.tif")
    _, found, _ = analyze(capsys, file, tmp_path, file)
    assert len(found) == 1


def test_a_folder_without_images_is_told(networks, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    status, found, errors = analyze(capsys, tmp_path / "empty")
    assert (status, found) == (1, [])
    assert errors[0].startswith(f"{tmp_path / 'empty'}: holds no image")


def test_two_slices_never_share_a_mask(networks, capsys, tmp_path):
    first, second = draw(tmp_path / "a.tif", tumor=True), draw(tmp_path / "a.png")
    out = tmp_path / "out"
    status, found, errors = analyze(capsys, first, second, "--out", out)
    assert status == 1
    assert [each["file"] for each in found] == [str(second), str(first)]
    assert [each["mask"] for each in found] == [str(out / "a_mask.tif"), None]
    assert errors[0].startswith(f"{first}: its mask was not written")
    assert np.count_nonzero(tifffile.imread(out / "a_mask.tif")) == 0


def test_many_slices_are_asked_in_chunks(networks, capsys, tmp_path):
    for number in range(19):
        draw(tmp_path / f"{number}.png")
    analyze(capsys, tmp_path, "--model", "unet")
    assert networks == [(8, "unet", "resnet50")] * 2 + [(3, "unet", "resnet50")]


def test_the_table_is_for_people(networks, capsys, tmp_path):
    draw(tmp_path / "a.tif", tumor=True)
    draw(tmp_path / "b.png")
    assert main(["analyze", str(tmp_path)]) == 0
    head, first, second, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == "tumor probability pixels of slice of head Dice file".split()
    assert first.split()[:4] == ["yes", "1.000", "100", "5.2%"]
    assert second.split()[0] == "no"
    assert "not a medical device" in rest[-1]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["analyze"],
        ["nonsense", "x.tif"],
        ["analyze", "x.tif", "--model", "nonsense"],
        ["analyze", "x.tif", "--model", "resnet50"],
        ["analyze", "x.tif", "--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "usage: python -m btmodels" in printed.err


def test_masks_are_not_written_where_they_would_be_taken_for_truths(networks, capsys, tmp_path):
    file = draw(tmp_path / "a.tif", tumor=True)
    truth = draw_mask(tmp_path / "a_mask.tif").read_bytes()
    for words in ([file], [tmp_path]):
        with pytest.raises(SystemExit) as left:
            main(["analyze", *map(str, words), "--out", str(tmp_path)])
        assert left.value.code == 2
    assert (tmp_path / "a_mask.tif").read_bytes() == truth


def test_weights_that_are_altered_give_no_row(networks, capsys, tmp_path):
    registry.weights_path("resnet50", paths.ASSETS).write_bytes(b"altered")
    file = draw(tmp_path / "a.tif")
    status, found, errors = analyze(capsys, file, "--out", tmp_path / "out")
    assert (status, found) == (1, [])
    assert "ResNet50 classifier has been altered" in errors[0]
    assert not (tmp_path / "out").exists()


def run(*words: str | Path, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        timeout=300,
    )


@pytest.mark.slow
def test_a_process_of_its_own_prints_json_alone(small_assets, tmp_path):
    """A copy of the project with two small networks, run as people run it."""
    for part in ("btmodels", "assets/weights"):
        source = small_assets / "weights" if part == "assets/weights" else ROOT / part
        shutil.copytree(
            source,
            tmp_path / part,
            ignore=shutil.ignore_patterns("__pycache__"),
            copy_function=link_or_copy,
        )
    file = draw(tmp_path / "in" / "naïve slice.png", tumor=True)
    words = "-m", "btmodels", "analyze", file, "--model", SMALL[0], "--json", "--out", "out"
    done = run(*words, folder=tmp_path, PYTHONPATH="", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    (found,) = json.loads(done.stdout)
    assert found["file"] == str(file)
    mask = tifffile.imread(tmp_path / found["mask"])
    assert np.count_nonzero(mask) == found["marked_pixels"]

    from btmodels.inference.graph import GraphPredictor
    from btmodels.io.image import decode
    from btmodels.transforms.postprocess import binarize

    (probability_map,) = GraphPredictor(SMALL[0]).segment([decode(file.read_bytes(), "a").pixels])
    record = registry.load_record(SMALL[0])
    expected = binarize(probability_map, record.threshold, record.min_component_pixels)
    assert ((mask == 255) == expected).all(), "the site would show another mask"


def test_wrong_usage_loads_no_framework():
    done = run("-X", "importtime", "-m", "btmodels", "analyze", "x.tif", "--model", "nonsense")
    assert done.returncode == 2
    assert b"tensorflow" not in done.stderr
    assert b"keras" not in done.stderr
