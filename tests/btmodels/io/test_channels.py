"""Channels of one case that tell a number, as nnU-Net and the Decathlon have them."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest

from btmodels.io.channels import read_description
from tests.btmodels.case_files import AFFINE, FLAIR, POST, PRE, Files, flipped, patient, volume
from tests.btmodels.reading import pixels, read, texts

ORDERS = {"FLAIR": FLAIR, "T1w": PRE, "t1gd": POST, "T2w": FLAIR}


def numbered(stem: str, number: int = 0, channels=(PRE, FLAIR, POST)) -> Files:
    """One file for each channel, as nnU-Net names them."""
    return {
        f"{stem}_{place:04d}.nii": volume(patient(number)[channel])
        for place, channel in enumerate(channels)
    }


def described(key: str, *names: str) -> bytes:
    return json.dumps({"name": "x", key: dict(enumerate(names)), "numTraining": 2}).encode()


@pytest.mark.parametrize("folder", ["", "imagesTr/"])
def test_numbered_files_are_one_case_and_asked_about(folder):
    batch = read(numbered(f"{folder}case") | numbered(f"{folder}other", 1), bulk=True)
    assert [found.title for found in batch.studies] == ["case_0000.nii", "other_0000.nii"]
    assert "volumes of case_0000.nii to case_0002.nii are. The first was taken" in texts(batch)
    assert len({(scan.case, scan.channel_of) for scan in batch.scans}) == 2
    own = [scan.id for scan in batch.scans if scan.name.startswith("case")]
    told = dict(zip(own, ("pre", "flair", "post"), strict=True))
    batch = read(numbered(f"{folder}case") | numbered(f"{folder}other", 1), told, bulk=True)
    first, second = batch.studies
    assert {first.title, second.title} == {"case_0001.nii", "other_0000.nii"}
    found = first if first.title == "case_0001.nii" else second
    np.testing.assert_array_equal(pixels(found), patient().transpose(1, 2, 3, 0))
    assert not any("Nothing says" in note for note in found.slices[0].notes)


@pytest.mark.parametrize("key", ["channel_names", "modality"])
def test_what_lies_beside_tells_the_channels(key):
    files = numbered("imagesTr/case") | {"dataset.json": described(key, "T1", "T2-FLAIR", "T1ce")}
    files["labelsTr/case.nii"] = volume(patient()[FLAIR] > 150)
    (found,) = (batch := read(files, bulk=True)).studies
    np.testing.assert_array_equal(pixels(found), patient().transpose(1, 2, 3, 0))
    assert found.slices[0].truth is not None and not batch.notes and not batch.errors
    assert all(scan.channel_of == "" for scan in batch.scans)


def test_the_decathlons_order_is_read():
    own = [patient()[channel][:, ::-1].transpose(2, 1, 0) for channel in ORDERS.values()]
    data = nibabel.Nifti1Image(np.stack(own, axis=-1), flipped(AFFINE)).to_bytes()
    files = {"Task01/imagesTr/BRATS_001.nii": data}
    (found,) = (batch := read(files, bulk=True)).studies
    assert "Nothing in the files says which sequences the 4 volumes of BRATS_001.nii are" in texts(
        batch
    )
    files["Task01/dataset.json"] = described("modality", *ORDERS)
    (found,) = (batch := read(files, bulk=True)).studies
    np.testing.assert_array_equal(pixels(found), patient().transpose(1, 2, 3, 0))
    (note,) = batch.notes
    assert "volume 4 is a sequence that the networks do not know" in note.text


@pytest.mark.parametrize(
    "names",
    [("p_0001", "p_0002"), ("flair_0000", "flair_0001"), ("p_0000", "p_0002"), ("p_0000",)],
)
def test_numbers_of_patients_are_no_channels(names):
    files = {f"{name}.nii": volume(patient(at)[FLAIR]) for at, name in enumerate(names)}
    batch = read(files, bulk=True)
    assert len(batch.studies) == len(names)
    assert all(scan.channel_of == "" for scan in batch.scans)


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"[" * 9999, b'{"modality": ["MR"]}', b'{"modality": {"1": "T1"}}']
)
def test_what_describes_no_channels_is_a_file_like_any_other(data):
    assert read_description(data) == ()
    batch = read(numbered("case") | {"dataset.json": data}, bulk=True)
    assert len(batch.studies) == 1 and "1 file is not a slice and was skipped" in texts(batch)
