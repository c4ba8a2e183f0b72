"""Data-parallel training: two devices, and two processes, have the losses of one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from btmodels.training.fitting import read_state
from tests.train.tiny import make_assets, make_data
from tests.ui.site.running import ROOT, free_port
from train.__main__ import main

FIT = """
import sys
from btmodels import registry
from tests.train.tiny import SEGMENTER
from train.__main__ import main
registry.SPECS["unet"] = SEGMENTER
sys.exit(main(sys.argv[1:]))
"""
TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}


def begin(folder, *more: str, **variables: str) -> subprocess.Popen:
    words = ["fit", "unet", "--data", folder / "data", "--assets", folder / "assets"]
    words += ["--runs", folder / "runs", "--policy", "float32", *more]
    words += ["--epochs", "2", "--num-slices", "64", "--learning-rate", "0.02"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"} | variables
    return subprocess.Popen([sys.executable, "-c", FIT, *words], env=environment)


def finish(folder, *started: subprocess.Popen) -> list[float]:
    """Wait for the processes, and return the loss of each epoch and the validation's score."""
    assert [each.wait(600) for each in started] == [0] * len(started)
    (checkpoint,) = folder.glob("runs/unet-*/stage-1/checkpoint.npz")
    history = read_state(checkpoint)["history"]
    return [row["loss"] for row in history] + [history[-1]["score"]]


@pytest.mark.slow
def test_two_devices_and_two_processes_have_the_losses_of_one(tmp_path):
    pytest.importorskip("jax")
    folders = [tmp_path / name for name in ("one", "devices", "processes")]
    for folder in folders:
        make_data(folder / "data")
        make_assets(folder / "assets")
    one, devices, processes = folders
    expected = finish(one, begin(one))
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    documented = re.search(r"same losses, (\S+) and (\S+)\.", text).groups()
    np.testing.assert_allclose(expected[:2], [*map(float, documented)], atol=5e-4)
    found = finish(devices, begin(devices, "--distribute", **TWO_DEVICES))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    together = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    started = [
        begin(processes, "--distribute", KERAS_DISTRIBUTION_PROCESS_ID=str(number), **together)
        for number in range(2)
    ]
    np.testing.assert_allclose(finish(processes, *started), expected, rtol=1e-4)
    records = [folder / "assets/weights/unet.weights.h5" for folder in folders]
    assert all(each.exists() for each in records)


def test_another_backend_is_refused_with_a_sentence(tmp_path, capsys):
    words = ["fit", "unet", "--data", str(tmp_path), "--distribute"]
    assert main(words) == 2
    assert "needs Keras on JAX: set KERAS_BACKEND=jax" in capsys.readouterr().out
