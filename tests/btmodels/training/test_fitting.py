"""Training learns, resumes after ``kill -9`` to the very same weights, and refuses a mixed-up folder."""

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from btmodels.networks.unet import build_unet
from btmodels.training.fitting import FitConfig, finished, fit, read_state
from btmodels.training.losses import bce_dice
from tests.btmodels.fit_tiny import EPOCHS, Squares

ROOT = Path(__file__).resolve().parents[3]


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.btmodels.fit_tiny", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1"},
    )


class FewSquares(Squares):
    """Two steps an epoch."""

    def __len__(self) -> int:
        return 2


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> tuple[Path, list[str]]:
    """A run that nobody disturbs: its folder and its lines."""
    folder = tmp_path_factory.mktemp("straight")
    out, _ = start(folder).communicate(timeout=180)
    return folder, out.splitlines()


def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(straight, tmp_path):
    killed = start(tmp_path)
    for line in killed.stdout:
        if line.startswith("epoch 2/"):  # it is in its third epoch now
            break
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=30)
    killed.stdout.close()
    assert killed.returncode == -signal.SIGKILL
    out, _ = start(tmp_path).communicate(timeout=180)
    lines = out.splitlines()
    assert lines[0].startswith("going on after epoch")
    assert lines[-1].startswith("weights ") and lines[-1] == straight[1][-1]


def test_a_disk_that_fills_up_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    config = FitConfig(epochs=2, num_slices=8, batch_size=4, validate_every=2)
    model = build_unet((16, 16, 3), (4, 8))
    arguments = bce_dice, FewSquares, lambda model: 0.0, config, tmp_path
    saved = []

    def full(descriptor: int) -> None:
        saved.append(descriptor)
        if len(saved) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("btmodels.training.fitting.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            fit(model, *arguments)
    assert len(saved) == 2
    assert {file.name for file in tmp_path.iterdir()} == {"checkpoint.npz"}
    assert read_state(tmp_path / "checkpoint.npz")["epochs"] == 1
    assert fit(model, *arguments)["epochs"] == 2


def test_a_run_learns_and_keeps_its_history(straight):
    folder, lines = straight
    assert float(lines[-2].split()[1]) > 0.9
    rows = read_state(folder / "checkpoint.npz")["history"]
    assert [row["epoch"] for row in rows] == [e + 1 for e in range(EPOCHS)]
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_a_folder_of_another_configuration_is_refused(tmp_path):
    config = FitConfig(epochs=1, batch_size=4)

    def run(which: FitConfig) -> None:
        model = build_unet((16, 16, 3), (2, 4))
        fit(model, bce_dice, Squares, lambda current: 0.0, which, tmp_path)

    run(config)
    with pytest.raises(ValueError, match="another configuration"):
        run(replace(config, seed=1))


def test_with_patience_training_stops_early(tmp_path):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.3, 0.4])
    config = FitConfig(epochs=9, learning_rate=1e-3, batch_size=4, validate_every=1, patience=4)
    model, lines = build_unet((16, 16, 3), (2, 4)), []
    state = fit(
        model, bce_dice, Squares, lambda current: next(scores), config, tmp_path, lines.append
    )
    assert state["epochs"] == 6 and state["best_epoch"] == 2, (
        "four validations without a better one"
    )
    assert lines[-1] == "stopped early: no better score for 4 validations"
    assert finished(state) and finished(read_state(tmp_path / "checkpoint.npz"))
    assert not finished(read_state(tmp_path / "best.npz")), "which was written in mid-run"

    again = build_unet((16, 16, 3), (2, 4))
    assert fit(again, bce_dice, Squares, lambda current: 1.0, config, tmp_path)["epochs"] == 6
