"""The download, with a stand-in for kagglehub: progress, failure, and a folder that is found again."""

from __future__ import annotations

import sys
import time

import pytest

from btmodels.__main__ import main
from btmodels.dataset import cohort, download
from btmodels.errors import DownloadError
from tests import fakes

GOOD = """
import os, sys
def dataset_download(handle):
    assert handle == "mateuszbuda/lgg-mri-segmentation"
    print("Downloading Dataset")
    for percent in (41, 42, 43):
        sys.stderr.write(f"\\r {percent}%|####2     | 300M/714M [00:10<00:14, 28.0MB/s]")
        sys.stderr.flush()
    import time
    while not os.path.exists(os.environ["GO_ON"]):
        time.sleep(0.02)
    return os.environ["FAKE_SET"]
"""
OFFLINE = """
def dataset_download(handle):
    raise ConnectionError("https://www.kaggle.com is unreachable")
"""
ABRUPT = """
import os
def dataset_download(handle):
    os._exit(3)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a module ``kagglehub`` in the place of the real one, in child processes too."""

    def put(source: str) -> None:
        (tmp_path / "modules").mkdir(exist_ok=True)
        (tmp_path / "modules" / "kagglehub.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
        monkeypatch.syspath_prepend(str(tmp_path / "modules"))
        monkeypatch.delitem(sys.modules, "kagglehub", raising=False)

    monkeypatch.setenv("GO_ON", str(tmp_path / "go_on"))
    monkeypatch.setenv("FAKE_SET", str(tmp_path / "set"))
    monkeypatch.setattr(cohort, "DOWNLOADED", tmp_path / "data" / "downloaded.txt")
    monkeypatch.delenv("BT_DATA_DIR", raising=False)
    return put


def wait_for(running: download.Download, condition) -> download.Progress:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        progress = running.progress()
        if condition(progress):
            return progress
        time.sleep(0.02)
    pytest.fail(f"still {running.progress()}")


def test_what_was_fetched_is_found_again(stand_in, tmp_path, monkeypatch, capsys):
    root = fakes.write_cohort(tmp_path / "set")
    (tmp_path / "go_on").touch()
    stand_in(GOOD)
    assert cohort.data_root() is None
    assert main(["download"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(root)
    assert cohort.data_root() == root
    monkeypatch.setenv("BT_DATA_DIR", "")
    assert cohort.data_root() is None
    monkeypatch.setenv("BT_DATA_DIR", str(tmp_path / "other"))
    assert cohort.data_root() == tmp_path / "other"


def test_a_downloaded_folder_that_is_gone_counts_as_none(stand_in, tmp_path):
    cohort.DOWNLOADED.parent.mkdir()
    cohort.DOWNLOADED.write_text(str(tmp_path / "gone"))
    assert cohort.data_root() is None


def test_no_network_is_one_sentence(stand_in, capsys):
    stand_in(OFFLINE)
    with pytest.raises(DownloadError, match=r"ConnectionError.*online") as caught:
        download.fetch()
    assert "https" not in str(caught.value)
    assert main(["download"]) == 1
    assert capsys.readouterr().err == f"{caught.value}\n"
    assert not cohort.DOWNLOADED.exists()


def test_something_else_than_the_data_set_is_refused(stand_in, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "go_on").touch()
    stand_in(GOOD)
    with pytest.raises(DownloadError, match="not the data set"):
        download.fetch()
    assert not cohort.DOWNLOADED.exists()


def test_a_missing_package_is_one_sentence(stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DownloadError, match="kagglehub is not installed"):
        download.fetch()


def test_a_download_tells_how_far_it_is_and_keeps_nobody_waiting(stand_in, tmp_path):
    root = fakes.write_cohort(tmp_path / "set")
    stand_in(GOOD)
    running = download.Download()
    assert running.progress() == download.Progress("idle")
    begun = time.monotonic()
    running.start()
    running.start()  # a second visitor's click
    assert time.monotonic() - begun < 5
    progress = wait_for(running, lambda p: p.share == 0.42)
    assert (progress.step, progress.message) == ("running", "300MB of 714MB")
    (tmp_path / "go_on").touch()
    assert wait_for(running, lambda p: p.step != "running").step == "done"
    assert cohort.data_root() == root


def test_a_stopped_download_says_so(stand_in, tmp_path):
    stand_in(GOOD)
    running = download.Download()
    running.start()
    wait_for(running, lambda p: p.share)
    running.stop()
    progress = wait_for(running, lambda p: p.step != "running")
    assert progress.step == "failed" and "was stopped" in progress.message


@pytest.mark.parametrize(
    ("source", "words"), [(OFFLINE, "ConnectionError"), (ABRUPT, "for an unknown reason")]
)
def test_a_failed_download_says_so_and_can_be_tried_again(stand_in, source, words):
    stand_in(source)
    running = download.Download()
    for _ in range(2):
        running.start()
        progress = wait_for(running, lambda p: p.step != "running")
        assert progress.step == "failed" and words in progress.message
        assert progress.message.endswith(".") and "Traceback" not in progress.message
