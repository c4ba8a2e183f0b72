"""The test files of pydicom and nibabel, each of which gives slices or a clear sentence.

They lie in the wheels. Sampled here; all of them with BT_FULL=1, one by one in a process of its own whose
time and memory are measured.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nibabel
import pydicom
import pytest

from btmodels.errors import DecodeError
from btmodels.io.dicom.file import DicomFile
from btmodels.io.read import read_file
from tests.btmodels.reading import read

FULL = os.environ.get("BT_FULL") == "1"
SECONDS, MEGABYTES = 5.0, 1_000


def wheel_files() -> list[Path]:
    roots = Path(pydicom.__file__).parent / "data", Path(nibabel.__file__).parent
    files = [file for root in roots for file in root.rglob("*") if file.is_file()]
    return sorted(
        file
        for file in files
        if "data" in file.parent.parts[-3:] or "dicomdirtests" in file.parts
        if file.suffix not in (".py", ".pyc")
    )


FILES = wheel_files()
# All of a kind that can be slices, and every fifth of what cannot.
SAMPLE = [
    file
    for index, file in enumerate(FILES)
    if FULL or index % 5 == 0 or file.suffix in (".nii", ".gz")
    if FULL or file.name != "philips_mprage.dcm.gz"  # several seconds
]


def check(data: bytes, name: str) -> str:
    """Read a file as the site does; return "" if there are slices, else the sentence."""
    try:
        content = read_file(data, name)
    except DecodeError as error:
        sentence = str(error)
        assert sentence.startswith(name[:120]) and sentence.endswith("."), sentence
        assert "/" not in sentence.replace(name, ""), "no path of the server"
        assert not re.search(r"Error\b|Exception|Traceback|0x[0-9a-f]", sentence), sentence
        return sentence
    batch = read([(name, data)])
    slices = [each for study in batch.studies for each in study.slices]
    if not slices:  # pixels of no content, as nibabel's own files have them
        assert "it is empty" in batch.errors[0].text
        return batch.errors[0].text
    for each in slices:
        assert each.pixels.dtype == "uint8" and each.pixels.ndim == 3 and each.pixels.shape[2] == 3
        assert each.notes or not isinstance(content, DicomFile)
    return ""


def test_there_are_files_of_both():
    names = {file.name for file in FILES}
    assert {"MR_small.dcm", "DICOMDIR", "anatomical.nii", "analyze.hdr", "T1.PAR"} <= names
    assert len(FILES) > 250


@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: file.name)
def test_slices_or_a_sentence(file):
    check(file.read_bytes(), file.name)


def test_most_pictures_are_read():
    root = Path(pydicom.__file__).parent / "data" / "test_files"
    refused = {
        file.name: sentence
        for file in sorted(root.glob("*.dcm"))
        if (sentence := check(file.read_bytes(), file.name))
        and not re.search("without a picture|segmentation|without pixels", sentence)
    }
    # 12 bits of JPEG Extended have no decoder outside the GPL; the others are damaged on purpose.
    assert set(refused) == {
        "JPEG-lossy.dcm",
        "JPGExtended.dcm",
        "JPEG2000-embedded-sequence-delimiter.dcm",
        "MR_truncated.dcm",
        "badVR.dcm",
        "no_meta.dcm",
    }


CHILD = """
import resource, sys, time
from pathlib import Path
from tests.btmodels.io.test_wheel_files import check
for name in sys.argv[1:]:
    file = Path(name)
    start = time.process_time()
    check(file.read_bytes(), file.name)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{time.process_time() - start:.2f}\\t{memory}\\t{file.name}")
"""


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="a minute; BT_FULL=1 runs it")
@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
def test_no_file_takes_long_or_much():
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, FILES)],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(FILES)
    assert [row for row in rows if float(row[0]) > SECONDS] == []
    # The most that the process ever had, so that of the largest file and more.
    assert max(int(row[1]) for row in rows) < MEGABYTES
