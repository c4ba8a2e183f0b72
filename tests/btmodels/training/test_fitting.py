"""Training learns, resumes after ``kill -9`` to the very same weights, and refuses a mixed-up folder."""

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from btmodels.networks.unet import build_unet
from btmodels.training.fitting import FitConfig, finished, fit, read_state, read_weights
from btmodels.training.losses import bce_dice
from tests.btmodels import fit_tiny
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
    folder, lines = tmp_path_factory.mktemp("straight"), []
    fit_tiny.main(folder, lines.append)
    return folder, lines


def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(straight, tmp_path):
    killed = start(tmp_path)
    for line in killed.stdout:
        if line.startswith("epoch 2/"):  # it is in its third epoch now
            break
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=30)
    killed.stdout.close()
    assert killed.returncode == -signal.SIGKILL
    lines = []
    fit_tiny.main(tmp_path, lines.append)
    assert lines[0].startswith("going on after epoch")
    assert lines[-1].startswith("weights ") and lines[-1] == straight[1][-1]


@pytest.mark.usefixtures("eager")
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


@pytest.mark.usefixtures("eager")
def test_a_folder_of_another_configuration_is_refused(tmp_path):
    config = FitConfig(epochs=1, batch_size=4)

    def run(which: FitConfig) -> None:
        model = build_unet((16, 16, 3), (2, 4))
        fit(model, bce_dice, FewSquares, lambda current: 0.0, which, tmp_path)

    run(config)
    with pytest.raises(ValueError, match="another configuration"):
        run(replace(config, seed=1))


@pytest.mark.usefixtures("eager")
def test_with_patience_training_stops_early(tmp_path):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.3, 0.4])
    config = FitConfig(epochs=9, learning_rate=1e-3, batch_size=4, validate_every=1, patience=4)
    model, lines = build_unet((16, 16, 3), (2, 4)), []
    state = fit(
        model, bce_dice, FewSquares, lambda current: next(scores), config, tmp_path, lines.append
    )
    assert state["epochs"] == 6 and state["best_epoch"] == 2, (
        "four validations without a better one"
    )
    assert lines[-1] == "stopped early: no better score for 4 validations"
    assert finished(state) and finished(read_state(tmp_path / "checkpoint.npz"))
    assert not finished(read_state(tmp_path / "best.npz")), "which was written in mid-run"

    again = build_unet((16, 16, 3), (2, 4))
    assert fit(again, bce_dice, FewSquares, lambda current: 1.0, config, tmp_path)["epochs"] == 6


@pytest.mark.usefixtures("eager")
def test_the_moving_average_is_kept_and_validated(tmp_path):
    seen = []
    model = build_unet((16, 16, 3), (4, 8))

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0].copy())

    validated = []

    def validate(current) -> float:
        validated.append(current.get_weights()[0].copy())
        return float(len(validated))

    config = FitConfig(epochs=2, num_slices=8, batch_size=4, validate_every=1, ema=0.9)
    fit(model, bce_dice, FewSquares, validate, config, tmp_path, callbacks=(Watch(),))
    average = seen[0].astype(np.float64)
    for step, weight in enumerate(seen):
        kept = min(0.9, (1 + step) / (10 + step))
        average = kept * average + (1 - kept) * weight
    checkpoint = tmp_path / "checkpoint.npz"
    assert np.allclose(read_weights(checkpoint, averaged=True)[0], average, atol=1e-6)
    assert (read_weights(checkpoint)[0] == seen[-1]).all()
    assert (validated[-1] == read_weights(checkpoint, averaged=True)[0]).all()
    assert (model.get_weights()[0] == validated[-1]).all(), "the best is what is left"
    with pytest.raises(KeyError):
        read_weights(tmp_path / "best.npz", averaged=True)


@pytest.mark.usefixtures("eager")
def test_a_run_that_goes_on_ends_with_the_same_average(tmp_path):
    def train(folder: Path, stop_after: int | None = None) -> np.ndarray:
        keras.utils.set_random_seed(0)
        model = build_unet((16, 16, 3), (4, 8))
        config = FitConfig(epochs=2, num_slices=8, batch_size=4, validate_every=2, ema=0.9)

        def data(epoch: int) -> FewSquares:
            if epoch == stop_after:
                raise KeyboardInterrupt
            return FewSquares(epoch)

        fit(model, bce_dice, data, lambda model: 0.0, config, folder)
        return read_weights(folder / "checkpoint.npz", averaged=True)[0]

    straight = train(tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_after=1)
    assert np.allclose(train(tmp_path / "stopped"), straight, atol=1e-6)
