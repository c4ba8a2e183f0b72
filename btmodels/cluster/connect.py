"""Connect to a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from pathlib import Path
from types import ModuleType

from btmodels.errors import EngineError

LOCAL = "local"
"""In place of an address: a Ray on this machine for the time of the command."""

SECONDS = 10.0
"""Until an address counts as dead."""

AGAIN = "what it has written is complete: start the cluster and give the command again"

_log = logging.getLogger(__name__)

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
    try:
        if ":" in address:  # Ray itself waits for minutes
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), SECONDS).close()
        ray.init(
            address,
            ignore_reinit_error=True,
            log_to_driver=False,
            logging_level="error",
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"There is no Ray cluster at {address}.") from error
    if address != LOCAL:
        head = ray.get_runtime_context().gcs_address
        threading.Thread(target=_watch, args=(ray, head), daemon=True).start()
    return ray


def _watch(ray: ModuleType, head: str) -> None:
    """Warn once the head is lost: a minute later Ray ends the process without a word."""
    host, _, port = head.rpartition(":")
    while ray.is_initialized():
        try:
            socket.create_connection((host, int(port)), SECONDS).close()
        except OSError:
            if ray.is_initialized():
                _log.warning(
                    f"The head of the cluster at {head} does not answer, so this command will end; {AGAIN}."
                )
            return
        time.sleep(1)
