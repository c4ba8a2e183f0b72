"""The site's health for operators: ``/health`` as JSON, in addition to Streamlit's ``/_stcore/health``."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from btmodels.inference import engine
from ui.site import shutdown

PATH = "/health"
_started = time.monotonic()


def route() -> Route:
    """Serve `PATH`."""
    return Route(PATH, _answer)


def report() -> tuple[int, dict[str, Any]]:
    """Return an HTTP status and the health document.

    The status is 200 if the networks answer or are switched off on purpose; 503 while they warm up or the
    server is stopping, if the worker failed, or if weights that a page needs are missing or altered. The
    document contains states, networks and seconds, but no patient, file or visitor.
    """
    status = engine.get_engine().status()
    networks = {name: network.state for name, network in status.networks.items()}
    broken = [name for name in engine.NEEDED if networks.get(name) in ("missing", "altered")]
    fine = status.state in ("warm", "off") and not broken and not shutdown.is_stopping()
    return 200 if fine else 503, {
        "status": "ok" if fine else "stopping" if shutdown.is_stopping() else "not ready",
        "engine": status.state,
        "message": status.message,
        "device": status.device,
        "worker": status.pid,
        "networks": networks,
        "up_seconds": round(time.monotonic() - _started),
    }


async def _answer(request: Request) -> JSONResponse:
    code, document = report()
    return JSONResponse(document, code, headers={"Cache-Control": "no-store"})
