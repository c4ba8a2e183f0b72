"""One door: site, command line and zip give the same rows, notes and errors of the same bytes."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from btmodels.__main__ import main
from btmodels.io.batch import InputFile
from tests.btmodels.case_files import CASES, Files, case, study, zipped
from tests.btmodels.cli.test_analyze import networks  # noqa: F401
from ui.analyze.upload_batch import UploadOverrides, read_batch


def through_site(files: Files) -> tuple[list, list, list]:
    uploads = [InputFile(name, name, data, True) for name, data in sorted(files.items())]
    batch = read_batch(uploads, UploadOverrides(), {})
    rows = []
    for each in batch.stack.slices if batch.stack else ():
        place = each.position.title if each.position else ""
        rows.append((each.name, place, float(each.pixels.mean()), each.truth is not None))
    return rows, sorted(batch.errors), sorted(batch.notes)


def through_command_line(capsys, seen: list, *words) -> tuple[int, list, list]:
    seen.clear()
    status = main(["analyze", *map(str, words), "--json"])
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    named = [(row["name"], row["slice"], row["warnings"], row["dice"]) for row in rows]
    said = sorted(line.partition(": ")[2] for line in printed.err.splitlines())
    return status, named, said


@pytest.fixture
def asked(networks, monkeypatch):  # noqa: F811
    """Slices that the networks were asked about."""
    from btmodels.inference import worker

    kept: list[np.ndarray] = []
    answer = worker.predict

    def keep(images, *rest):
        kept.extend(images)
        return answer(images, *rest)

    monkeypatch.setattr(worker, "predict", keep)
    return kept


@pytest.mark.parametrize("name", CASES)
def test_the_same_bytes_give_the_same_through_all_doors(name, asked, capsys, tmp_path):
    files = CASES[name]()
    folder = tmp_path / "in"
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    rows, errors, notes = through_site(files)
    status, named, said = through_command_line(capsys, asked, folder)
    means = [float(image.mean()) for image in asked]
    assert [row[0] for row in rows] == [row[0] for row in named]
    assert [row[2] for row in rows] == means
    assert all(dice is None for row, (*_, dice) in zip(rows, named, strict=True) if not row[3])
    assert said == sorted(errors + notes)
    assert status == (1 if errors else 0)
    if any(path.endswith(".zip") for path in files):
        return  # a zip in a zip is none
    packed = tmp_path / "all.zip"
    packed.write_bytes(zipped(dict(sorted(files.items()))))
    assert through_command_line(capsys, asked, packed) == (status, named, said)
    assert [float(image.mean()) for image in asked] == means


@pytest.mark.parametrize("said", ["AX T1 W/O CONTRAST=pre", "ax t1 w/o contrast=pre"])
def test_19_a_sequence_is_named_in_full(said, asked, capsys, tmp_path):
    for path, data in CASES["13_without_contrast"]().items():
        (tmp_path / path).write_bytes(data)
    status, named, _ = through_command_line(
        capsys, asked, *sorted(tmp_path.glob("*.dcm")), "--sequence", said
    )
    assert status == 0 and len(named) == 6


def test_19_a_sequence_that_matches_nothing_is_an_error(asked, capsys, tmp_path):
    for path, data in CASES["13_without_contrast"]().items():
        (tmp_path / path).write_bytes(data)
    status, named, said = through_command_line(
        capsys, asked, *sorted(tmp_path.glob("*.dcm")), "--sequence", "O CONTRAST=pre"
    )
    assert status == 2 and len(named) == 6
    assert "no scan is named O CONTRAST" in said[-1]
    assert "ax t1 w/o contrast" in said[-1]


def test_25_no_mask_of_one_patient_overwrites_the_others(asked, capsys, tmp_path):
    for path, data in CASES["25_two_studies_one_nifti"]().items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / path).write_bytes(data)
    out = tmp_path / "out"
    status, named, said = through_command_line(capsys, asked, tmp_path / "in", "--out", out)
    assert (status, said) == (0, [])
    assert sorted(file.name for file in out.glob("*.nii.gz")) == [
        "AX_FLAIR_2_mask.nii.gz",
        "AX_FLAIR_mask.nii.gz",
    ]


def test_what_is_packed_with_gzip_is_read_whole_whatever_its_ending(asked, capsys, tmp_path):
    packed = {
        f"{name}.gz": gzip.compress(data)
        for name, data in study(("FLAIR", "T1", "T1 +C"), 2).items()
    }
    packed["x.mgz"] = gzip.compress(bytes([0, 0, 0, 1]) + bytes(2_000))
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in packed.items():
        (folder / name).write_bytes(data)
    rows, errors, notes = through_site(packed)
    status, named, said = through_command_line(capsys, asked, folder)
    assert [row[0] for row in rows] == [row[0] for row in named] and len(rows) == 2
    assert said == sorted(errors + notes) and status == 1
    assert "x.mgz is a FreeSurfer volume" in said[0] and len(said) == 1


def test_zips_side_by_side_are_folders_through_all_doors(asked, capsys, tmp_path):
    # Two patients whose files have the same names: none shares a channel, a mask or a file.
    packed = {"P1.zip": zipped(case("")), "P2.zip": zipped(case("", seg="", number=1))}
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    rows, errors, notes = through_site(packed)
    out = tmp_path / "out"
    words = *(tmp_path / name for name in packed), "--out", out
    status, named, said = through_command_line(capsys, asked, *words)
    assert (status, said, errors, notes) == (0, [], [], [])
    assert [float(image.mean()) for image in asked] == [row[2] for row in rows]
    assert (
        [dice is None for *_, dice in named]
        == [not row[3] for row in rows]
        == [False] * 8 + [True] * 8
    )
    written = sorted(file.relative_to(out).as_posix() for file in out.rglob("*.nii.gz"))
    assert written == ["P1/flair_mask.nii.gz", "P2/flair_mask.nii.gz"]
