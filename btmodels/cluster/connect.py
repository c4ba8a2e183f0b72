"""Connect to a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from types import ModuleType

from btmodels.errors import EngineError

LOCAL = "local"
"""In place of an address: a Ray on this machine for the time of the command."""

SECONDS = 10.0
"""Until an address counts as dead."""

ROOT = Path(__file__).resolve().parents[2]


def connect(address: str) -> ModuleType:
    """Connect to a cluster, and return Ray, silent except for errors.

    Args:
        address: ``HOST:PORT``, ``auto`` for the cluster that this machine belongs to, or `LOCAL`.

    Raises:
        EngineError: Ray is not installed, or there is no cluster at the address.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise EngineError("Ray is missing: pip install -r requirements-cluster.txt.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        if ":" in address:  # Ray itself waits for minutes
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), SECONDS).close()
        ray.init(
            None if address == LOCAL else address,
            ignore_reinit_error=True,
            log_to_driver=False,
            logging_level="error",
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"There is no Ray cluster at {address}.") from error
    return ray
