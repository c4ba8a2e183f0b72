"""Logs for operators: with ``BT_LOG=json`` one line of JSON per event."""

from __future__ import annotations

import logging
import os
import sys

import streamlit.logger
from pythonjsonlogger.json import JsonFormatter

FORMAT = "BT_LOG"
_OURS = "site"
_FIELDS = "%(levelname)s %(name)s %(message)s"


def configure() -> None:
    """Configure all loggers of the web process by the variable `FORMAT`.

    Raises:
        ValueError: It is neither ``json`` nor empty.
    """
    wanted = os.environ.get(FORMAT, "")
    if wanted not in ("", "json"):
        raise ValueError(f"{FORMAT} must be empty or 'json', not {wanted!r}.")
    if not wanted:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(_FIELDS, rename_fields={"levelname": "level"}, timestamp="time")
    )
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    # They would log clients, and addresses with patients' names; `metrics` suffices.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # Streamlit gives each of its and uvicorn's loggers its own handler, including later ones.
    streamlit.logger.setup_formatter = _pass_on
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("streamlit", "uvicorn", "websockets"):
            _pass_on(logging.getLogger(name))


def _pass_on(logger: logging.Logger) -> None:
    logger.handlers.clear()
    logger.propagate = True
