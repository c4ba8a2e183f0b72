"""The command line takes what the page takes: DICOM, NIfTI, a zip, folders of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile

from btmodels.__main__ import main
from tests.btmodels.cli.test_analyze import analyze, draw, draw_mask, networks  # noqa: F401
from tests.btmodels.io.test_wheel_files import FILES, FULL
from tests.btmodels.scanner import dicom, nifti, series

VOLUME = np.zeros((4, 40, 48), np.uint8)
VOLUME[:, 5:35, 5:43] = 80 + np.arange(38)  # shades, as no drawing has
VOLUME[2, 15:25, 20:30] = 250


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_dicom_series_in_a_folder(networks, capsys, tmp_path):  # noqa: F811
    files = series(VOLUME, PixelSpacing=[0.5, 0.5])
    folder = put(
        tmp_path / "scan" / "series", {n.removesuffix(".dcm"): d for n, d in files.items()}
    )
    (folder / "notes.txt").write_text("nothing")
    out = tmp_path / "out"
    status, found, errors = analyze(capsys, tmp_path / "scan", "--out", out)
    assert status == 0 and len(errors) == 1 and "skipped: notes.txt" in errors[0]
    assert [(Path(each["file"]).name, each["slice"]) for each in found] == [
        ("IM0000", 0),
        ("IM0001", 1),
        ("IM0002", 2),
        ("IM0003", 3),
    ]
    assert [each["tumor"] for each in found] == [False, False, True, False]
    assert (found[2]["marked_pixels"], found[2]["square_mm"]) == (100, 25.0)
    assert np.count_nonzero(tifffile.imread(out / "series" / "IM0002_mask.tif")) == 100
    (volume,) = out.rglob("*.nii.gz")
    image = nibabel.load(volume)
    assert image.header.get_zooms() == (0.5, 0.5, 4.0)
    assert np.asarray(image.dataobj).sum(axis=(0, 1)).tolist() == [0, 0, 100, 0]


def test_three_volumes_that_are_named_are_one_patient(networks, capsys, tmp_path):  # noqa: F811
    own = VOLUME.transpose(2, 1, 0)
    affine = np.diag([-1.0, -1, 2, 1])
    for name, values in (("flair", own), ("t1", own // 2), ("t1ce", own // 3)):
        (tmp_path / f"p_{name}.nii").write_bytes(nifti(values, affine))
    status, found, errors = analyze(capsys, *tmp_path.glob("*.nii"))
    assert (status, errors) == (0, [])
    assert len(found) == 4 and {Path(each["file"]).name for each in found} == {"p_flair.nii"}
    assert [each["name"] for each in found] == [f"p_flair_{n}" for n in (1, 2, 3, 4)]
    assert not any("missing" in warning for warning in found[0]["warnings"])
    assert main(["analyze", *map(str, tmp_path.glob("*.nii"))]) == 0
    assert capsys.readouterr().out.splitlines()[3].endswith("p_flair.nii: p_flair_3")


def test_files_of_one_name_in_several_folders_are_told_apart(networks, capsys, tmp_path):  # noqa: F811
    for folder, name, uid in (("a", "AX T1", "1.2.3.1"), ("b", "AX FLAIR", "1.2.3.10")):
        files = series(VOLUME, SeriesDescription=name, SeriesInstanceUID=uid)
        put(tmp_path / "p" / folder, files)
    _, found, _ = analyze(capsys, tmp_path / "p", "--out", tmp_path / "out")
    assert [Path(each["file"]).parent.name for each in found] == ["b"] * 4
    assert (tmp_path / "out" / "b" / "AX_FLAIR_mask.nii.gz").exists()


def test_sequences_are_said_by_hand(networks, capsys, tmp_path):  # noqa: F811
    own = VOLUME.transpose(2, 1, 0)
    for name in ("one", "two"):
        (tmp_path / f"{name}.nii").write_bytes(nifti(own, np.eye(4)))
    _, found, _ = analyze(capsys, tmp_path, "--out", tmp_path / "out")
    assert len(found) == 8
    assert {file.name for file in (tmp_path / "out").glob("*.gz")} == {
        "one_mask.nii.gz",
        "two_mask.nii.gz",
    }
    words = "--sequence", "one=post", "--sequence", "two.nii=flair"
    _, found, _ = analyze(capsys, *tmp_path.glob("*.nii"), *words)
    assert {Path(each["file"]).name for each in found} == {"two.nii"}
    with pytest.raises(SystemExit) as left:
        analyze(capsys, tmp_path, "--sequence", "one=nonsense")
    assert left.value.code == 2


def test_files_that_are_named_are_told_apart_by_folders_and_by_nothing_above(
    networks,  # noqa: F811
    capsys,
    tmp_path,
):
    own = VOLUME.transpose(2, 1, 0)
    affine = np.diag([-1.0, -1, 2, 1])
    study = tmp_path / "t1 labels"
    for folder in "AB":
        files = {f"{name}.nii": nifti(own, affine) for name in ("flair", "t1")}
        put(study / folder, files if folder == "A" else {"flair.nii": files["flair.nii"]})
    _, found, _ = analyze(capsys, *sorted(study.rglob("*.nii")))
    assert [Path(row["file"]).parent.name for row in found] == ["A"] * 4 + ["B"] * 4
    alone = put(study, {"x.nii": nifti(own, affine)}) / "x.nii"
    _, (row, *_), _ = analyze(capsys, alone)
    assert any("does not say which sequence" in warning for warning in row["warnings"])


def test_a_zip_of_a_patients_folder(networks, capsys, tmp_path):  # noqa: F811
    image = draw(tmp_path / "x.tif", tumor=True).read_bytes()
    mask = draw_mask(tmp_path / "x_mask.tif", top=20).read_bytes()
    path = tmp_path / "patient.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("p/x.tif", image)
        file.writestr("p/x_mask.tif", mask)
        file.writestr("p/readme.txt", "nothing")
        file.writestr("p/broken.png", b"broken")
        for name, data in series(VOLUME).items():
            file.writestr(f"p/{name}", data)
    status, found, errors = analyze(capsys, path, "--out", tmp_path / "out")
    assert len(found) == 5 and found[0]["dice"] == 0.5
    assert found[0]["file"] == str(path / "p" / "x.tif")
    assert (tmp_path / "out" / "p" / "x_mask.tif").exists()
    assert status == 1
    assert errors[0].startswith(f"{path / 'p' / 'broken.png'}: ") and len(errors) == 2


def test_what_is_no_slice_is_told_and_the_rest_goes_on(networks, capsys, tmp_path):  # noqa: F811
    folder = tmp_path / "in"
    good = folder / "good.dcm"
    put(
        folder,
        {
            "good.dcm": dicom(VOLUME[2]),
            "bad.dcm": dicom(VOLUME[2])[:300],
            "bad.nii.gz": b"\x1f\x8bnonsense",
            "bad.zip": b"PK\x03\x04nonsense",
        },
    )
    status, found, errors = analyze(capsys, folder)
    assert status == 1
    assert [each["file"] for each in found] == [str(good)]
    told = {Path(line.split(": ")[0]).name for line in errors}
    assert told == {"bad.dcm", "bad.nii.gz", "bad.zip"}


def test_masks_go_back_to_how_the_file_lies(networks, capsys, tmp_path):  # noqa: F811
    file = draw(tmp_path / "a.tif", tumor=True)
    _, (plain,), _ = analyze(capsys, file, "--out", tmp_path / "plain")
    words = file, "--turn", "90", "--mirror", "--out", tmp_path / "turned"
    _, (turned,), _ = analyze(capsys, *words)
    assert (turned["rows"], turned["cols"]) == (plain["rows"], plain["cols"])
    np.testing.assert_array_equal(tifffile.imread(turned["mask"]), tifffile.imread(plain["mask"]))


def test_the_scanners_test_files_give_rows_or_sentences(networks, capsys):  # noqa: F811
    # Half of a hundred of pydicom's; with BT_FULL=1 all of those and nibabel's.
    root = Path(pydicom.__file__).parent / "data" / "test_files"
    files = FILES if FULL else [file for file in FILES if file.parent == root][::2]
    status, found, errors = analyze(capsys, *files)
    assert status == 1 and len(found) > 20 and len(errors) > 10
    told = {line.partition(": ")[0] for line in errors}
    assert told <= {str(file) for file in files}
    assert not any("Traceback" in line or "given up" in line for line in errors)
    read = {each["file"] for each in found}
    # Named together, some go together: what is in another's channel has no rows of its own.
    assert len(told | read) > 0.9 * len(files)
