"""Download the data set from Kaggle with `kagglehub` in a separate process, so that no page waits.

That process runs `fetch`; `Download` starts it and reports its progress. `kagglehub` caches files and
resumes interrupted downloads.
"""

from __future__ import annotations

import atexit
import re
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from btmodels.dataset import cohort
from btmodels.errors import CohortError, DownloadError

DATASET = "mateuszbuda/lgg-mri-segmentation"
"""Public on Kaggle; no account is needed."""

_PROGRESS = re.compile(r"(\d+)%\|[^|]*\|\s*([\d.]+[kMGT]?)/([\d.]+[kMGT]?)")
_STOPPED = (
    "The download was stopped. What has arrived is kept: the next attempt continues from there."
)
_ENDED = "The download ended for an unknown reason. Try again: what has arrived is kept."


@dataclass(frozen=True)
class Progress:
    """The progress of a download.

    Attributes:
        step: "idle" before the first start; "done" and "failed" until the next.
        share: Downloaded fraction of the file, 0 to 1; 0 while that is unknown.
        message: A sentence for a visitor; empty while there is nothing to say.
    """

    step: Literal["idle", "running", "done", "failed"]
    share: float = 0.0
    message: str = ""


def fetch() -> Path:
    """Download the data set, or find it in kagglehub's cache.

    Returns:
        The folder of patients.

    Raises:
        DownloadError: kagglehub is not installed, the download failed, or it is not the data set.
    """
    try:
        import kagglehub
    except ImportError:
        raise DownloadError(
            "The package kagglehub is not installed here: pip install -r requirements.txt brings it."
        ) from None
    try:
        root = cohort.find_root(kagglehub.dataset_download(DATASET))
        cohort.read_cohort(root)
    except CohortError as error:
        raise DownloadError(f"The download from Kaggle is not the data set: {error}") from error
    except (OSError, zipfile.BadZipFile) as error:  # requests raises kinds of OSError
        raise DownloadError(
            f"The data set could not be downloaded ({type(error).__name__}). Is this machine online, "
            "and is there room on its disk? What has arrived is kept, so try again."
        ) from error
    return root.resolve()


def remember(root: Path) -> None:
    """Record where the data set is, so that `btmodels.dataset.cohort.data_root` finds it after a restart.

    Raises:
        DownloadError: The record cannot be written.
    """
    try:
        cohort.DOWNLOADED.parent.mkdir(parents=True, exist_ok=True)
        cohort.DOWNLOADED.write_text(f"{root}\n", encoding="utf-8")
    except OSError as error:
        raise DownloadError(
            "The data set was downloaded, but its location cannot be recorded: the project's folder "
            "is not writable. Name the folder in BT_DATA_DIR."
        ) from error


class Download:
    """A download that runs at most once at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress = Progress("idle")
        self._process: subprocess.Popen | None = None
        self._stopped = False

    def progress(self) -> Progress:
        """Return the progress, without waiting."""
        with self._lock:
            return self._progress

    def start(self) -> None:
        """Start the download unless it is running; return at once."""
        with self._lock:
            if self._progress.step == "running":
                return
            self._progress = Progress("running", message="Asking Kaggle…")
            self._stopped = False
            self._process = subprocess.Popen(
                [sys.executable, "-m", "btmodels.dataset.download"],
                cwd=Path(__file__).resolve().parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            process = self._process
        threading.Thread(target=self._follow, args=(process,), daemon=True).start()

    def stop(self) -> None:
        """Stop the download; what has arrived is kept."""
        with self._lock:
            if self._process and self._process.poll() is None:
                self._stopped = True
                self._process.terminate()

    def _follow(self, process: subprocess.Popen) -> None:
        last = ""
        for line in process.stderr:  # in text mode, carriage returns also end lines
            found = _PROGRESS.search(line)
            if found:
                share, words = int(found[1]) / 100, f"{found[2]}B of {found[3]}B"
                # The bar stays at 100% while the archive is unpacked.
                unpacking = Progress("running", 1.0, "Unpacking…")
                self._tell(Progress("running", share, words) if share < 1 else unpacking)
            elif line.strip():
                last = line.strip()
        said = process.stdout.read().split("\n")
        process.stdout.close()
        process.stderr.close()
        if process.wait() != 0:
            # An unexpected exception ends in a traceback, which must not be shown to a visitor.
            known = _STOPPED if self._stopped else last if last.endswith(".") else _ENDED
            self._tell(Progress("failed", message=known))
            return
        try:
            remember(Path(said[-2]))  # after any output of kagglehub
            self._tell(Progress("done", 1.0))
        except DownloadError as error:
            self._tell(Progress("failed", message=str(error)))

    def _tell(self, progress: Progress) -> None:
        with self._lock:
            self._progress = progress


@lru_cache(maxsize=1)
def get_download() -> Download:
    """Return the one download of this process; it ends with the process."""
    download = Download()
    atexit.register(download.stop)
    return download


def main() -> int:
    """Fetch and print the folder, or a sentence on standard error; return the exit status."""
    try:
        sys.stdout.write(f"{fetch()}\n")
    except DownloadError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
