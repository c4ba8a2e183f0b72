"""A running site for operators: metrics, logs, and a shutdown that finishes open requests."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.ui.site import asgi
from tests.ui.site.running import ROOT, free_port, running
from ui.site import logs, metrics, shutdown

SECRET_PATH = "/analyze?patient=SYNT_AA_0001_20260101&slice=7"


def figures(text: str) -> dict[str, float]:
    """Values by name and labels, as ``bt_engine{state="off"}``."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "page"),
        ("/analyze", "page"),
        ("/wp-login.php", "page"),
        ("/_stcore/upload_file/session/file", "upload"),
        ("/_stcore/stream", "stream"),
        ("/media/0123.png", "media"),
        ("/planes/token", "planes"),
        ("/health", "operators"),
        ("/metrics", "operators"),
    ],
)
def test_an_address_counts_by_its_kind_alone(path, kind):
    assert metrics.kind_of(path) == kind


def test_requests_of_slices_are_counted_from_question_to_answer():
    def now(sample: tuple[str, dict[str, str]]) -> float:
        return metrics.registry.get_sample_value(*sample) or 0.0

    answered, failed = (
        ("bt_slices_total", {"outcome": outcome}) for outcome in ("answered", "failed")
    )
    before = now(answered), now(failed)
    good, bad, errand = Future(), Future(), Future()
    metrics.watch(3, good)
    metrics.watch(2, bad)
    metrics.watch(0, errand)
    assert metrics.under_way() == 3
    assert metrics.registry.get_sample_value("bt_slices_waiting") == 5
    good.set_result([])
    bad.set_exception(ValueError())
    errand.set_result(None)
    assert metrics.under_way() == 0
    assert metrics.registry.get_sample_value("bt_slices_waiting") == 0
    assert (now(answered) - before[0], now(failed) - before[1]) == (3, 2)


def test_metrics_and_logs_name_no_one(tmp_path):
    log = tmp_path / "log.txt"
    with running(log=log, BT_LOG="json") as site:
        assert site.get(SECRET_PATH)[0] == 200
        url = f"ws://127.0.0.1:{site.port}/_stcore/stream"
        with connect(url, origin=site.address, subprotocols=["streamlit"]):
            during = figures(site.get("/metrics")[1].decode())
        status, text = site.get("/metrics")
    assert status == 200
    found = figures(text.decode())
    assert (during["bt_visitors"], found["bt_visitors"]) == (1, 0)
    assert found['bt_requests_total{kind="page",status="200"}'] == 1
    assert found['bt_request_seconds_count{kind="page"}'] == 1
    assert found['bt_engine{state="off"}'] == 1 and found['bt_engine{state="warm"}'] == 0
    assert found["bt_slices_waiting"] == 0
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes"] > 10_000_000
    # From the line on with which logging begins; before it Streamlit prints where the site is.
    lines = log.read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    requests = [event for event in events if event["message"] == "request"]
    assert {"kind": "page", "method": "GET", "status": 200}.items() <= requests[0].items()
    assert any(event["message"] == "visit" for event in events)
    for secret in ("SYNT_AA", "slice=7", "127.0.0.1:"):
        assert secret not in text.decode()
        assert secret not in "\n".join(line for line in lines if line.startswith("{"))


def test_a_token_opens_the_metrics():
    with running(BT_METRICS_TOKEN="only for Prometheus") as site:
        assert site.get("/metrics")[0] == 401
        assert site.get("/metrics", Authorization="Bearer only for Prometheu")[0] == 401
        assert site.get("/metrics", Authorization="Bearer only for Prometheus")[0] == 200


def test_a_log_of_another_kind_is_refused(monkeypatch):
    monkeypatch.setenv("BT_LOG", "xml")
    with pytest.raises(ValueError, match="BT_LOG"):
        logs.configure()


def test_every_figure_of_the_dashboard_is_one_of_ours():
    dashboard = json.loads((ROOT / "deploy/grafana.json").read_text(encoding="utf-8"))
    asked = " ".join(
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    )
    names = set(re.findall(r"\b(?:bt|process)_\w+", asked))
    assert len(names) >= 10
    metrics.REQUESTS.labels("page", "200")
    metrics.REFUSED.labels("login")
    metrics.SLICES.labels("failed")
    metrics.REQUEST_SECONDS.labels("page")
    known = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    # The worker has a process only while it runs; its figures are those of the web process.
    known |= {f"bt_worker_{name}" for name in known if name.startswith("process_")}
    assert names - known == set()


def wait_closed(site, seconds: float) -> float:
    """Send SIGTERM; return how long the process took to end."""
    started = time.monotonic()
    site.process.send_signal(signal.SIGTERM)
    site.process.wait(seconds)
    return time.monotonic() - started


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_restart_keeps_the_port_with_visitors_there():
    port = free_port()
    with running(port=port) as site:
        url = f"ws://127.0.0.1:{port}/_stcore/stream"
        with connect(url, origin=site.address, subprotocols=["streamlit"]) as visitor:
            assert wait_closed(site, 15) < 10
            # 1012: "service restart", on which a browser tries again by itself.
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    visitor.recv(timeout=5)
        assert closed.value.rcvd.code == 1012
        assert site.process.returncode in (0, -signal.SIGTERM)
    with running(port=port) as site:
        assert site.get("/health")[0] == 200


DRAIN = """
import asyncio, json, os, signal, threading, time
from ui.site import shutdown

events = []
signal.signal(signal.SIGTERM, lambda *_: events.append("end"))
waiting = threading.Event()
waiting.set()
shutdown.finish_first(lambda: float(waiting.is_set()))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(1.5)
assert shutdown.is_stopping() and events == [], events
if {second}:
    os.kill(os.getpid(), signal.SIGTERM)
else:
    waiting.clear()
    time.sleep({patience})
print(json.dumps(events))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize(("second", "patience"), [(False, 2.0), (True, 0.0)])
def test_running_answers_go_out_before_the_server_ends(second, patience):
    code = DRAIN.format(second=second, patience=patience)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["end"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_an_answer_that_never_comes_does_not_keep_the_server():
    code = DRAIN.format(second=False, patience=0).split("time.sleep(1.5)")[0]
    code += "time.sleep(2.5)\nprint(json.dumps(events))"
    environment = {"BT_STOP_SECONDS": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["end"]


def test_nobody_new_comes_in_while_the_server_ends(monkeypatch):
    async def inside(scope, receive, send):
        await send({"type": "inside"})

    async def ask(**scope):
        sent = []

        async def send(message):
            sent.append(message)

        await shutdown.NoNewVisitors(inside, ("/",))({"headers": []} | scope, None, send)
        return sent

    stopping = threading.Event()
    monkeypatch.setattr(shutdown, "_stopping", stopping)
    page = {"type": "http", "method": "GET", "path": "/"}
    assert asgi.run(ask(**page))[0]["type"] == "inside"
    stopping.set()
    answer = asgi.run(ask(**page))
    assert answer[0]["status"] == 503 and b"restart" in answer[1]["body"]
    handshake = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    answer = asgi.run(ask(**handshake, path="/_stcore/stream"))
    assert (answer[0]["type"], answer[0]["status"]) == ("websocket.http.response.start", 503)
    # Files of those who are here still go out.
    assert asgi.run(ask(**page | {"path": "/media/x.png"}))[0]["type"] == "inside"
