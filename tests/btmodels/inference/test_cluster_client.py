"""The site's side of a cluster: slices by HTTP, tried again while a replica is replaced."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from urllib3.util import Retry

from btmodels import paths, registry
from btmodels.errors import EngineError, WeightsError
from btmodels.inference import cluster_client
from btmodels.inference.cluster_client import ClusterClient
from btmodels.inference.engine import Engine
from btmodels.inference.wire import (
    pack_images,
    pack_predictions,
    unpack_images,
    unpack_predictions,
)
from btmodels.slices import Prediction

NETWORKS = "resunet", "resnet50"
SLICES = [np.full((4, 6, 3), 7, np.uint8), np.full((5, 5, 3), 9, np.uint8)]


class Replica(BaseHTTPRequestHandler):
    """Answers each slice with its first value, after as many failures as the server has left."""

    def do_GET(self):
        self._answer(200, json.dumps({"device": "CPU, 2 cores", "problems": {}}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        query = parse_qs(urlsplit(self.path).query)
        assert (query["segmenter"], query["classifier"]) == ([NETWORKS[0]], [NETWORKS[1]])
        if self.server.failures:
            self.server.failures -= 1
            return self._answer(self.server.status, json.dumps({"error": "Altered."}).encode())
        predictions = [
            Prediction(float(each[0, 0, 0]) / 10, each[..., 0]) for each in unpack_images(body)
        ]
        self._answer(200, pack_predictions(predictions), self.server.weights)

    def _answer(self, status: int, body: bytes, weights: str = ""):
        self.send_response(status)
        self.send_header("X-Weights", weights)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(port: int = 0) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", port), Replica) as server:
        server.failures, server.status = 0, 503
        server.weights = ",".join(registry.load_record(name).sha256 for name in NETWORKS)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.address = f"ray://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


@pytest.fixture
def cluster(monkeypatch):
    quick = Retry(3, backoff_factor=0, status_forcelist=(503,), allowed_methods=None)
    monkeypatch.setattr(cluster_client, "RETRIES", quick)
    with serving() as server:
        yield server


def test_slices_and_predictions_come_back_as_they_went():
    assert all(map(np.array_equal, unpack_images(pack_images(SLICES)), SLICES))
    sent = [Prediction(0.25, SLICES[0][..., 0]), Prediction(1.0, SLICES[1][..., 0])]
    back = unpack_predictions(pack_predictions(sent))
    assert [each.tumor_probability for each in back] == [0.25, 1.0]
    assert all(
        np.array_equal(a.probability_map, b.probability_map)
        for a, b in zip(sent, back, strict=True)
    )
    assert unpack_images(pack_images([])) == [] == unpack_predictions(pack_predictions([]))


@pytest.mark.parametrize(
    "body", [b"", b"no archive", pack_predictions([]), pack_images(SLICES)[:-9]]
)
def test_a_body_that_holds_no_slices_is_refused(body):
    with pytest.raises(ValueError):
        unpack_images(body)


def test_an_engine_on_a_cluster_asks_it_and_waits_for_a_new_replica(cluster, monkeypatch):
    monkeypatch.setenv("BT_ENGINE", cluster.address)
    cluster.failures = 2
    engine = Engine()
    try:
        engine.start()
        found = engine.predict(SLICES)
        assert [each.tumor_probability for each in found] == [0.7, 0.9]
        assert [each.probability_map.shape for each in found] == [(4, 6), (5, 5)]
        until = time.monotonic() + 10
        while engine.status().state != "warm" and time.monotonic() < until:
            time.sleep(0.02)
        status = engine.status()
        place = cluster.address.removeprefix("ray://")
        assert (status.state, status.pid) == ("warm", None)
        assert status.device == f"cluster at {place}: CPU, 2 cores"
    finally:
        engine.close()


def test_slices_wait_for_a_head_that_starts_again(cluster, monkeypatch):
    slow = Retry(200, backoff_factor=0.1, backoff_max=0.1, allowed_methods=None)
    monkeypatch.setattr(cluster_client, "RETRIES", slow)
    client = ClusterClient(cluster.address, paths.ASSETS)
    cluster.shutdown()
    cluster.server_close()
    answers = [client.submit(SLICES, NETWORKS) for _ in range(3)]
    time.sleep(0.2)
    assert not any(answer.done() for answer in answers)
    with serving(cluster.server_port):
        found = [[each.tumor_probability for each in answer.result(30)] for answer in answers]
    assert found == [[0.7, 0.9]] * 3 and not client.failure
    client.close()


@pytest.mark.parametrize(
    ("status", "failures", "weights", "error", "words"),
    [
        (409, 1, "", WeightsError, "Altered"),
        (400, 1, "", EngineError, "status 400"),
        (503, 99, "", EngineError, "does not answer"),
        (200, 0, "other", EngineError, "other weights"),
    ],
)
def test_what_a_cluster_cannot_do_is_said(cluster, status, failures, weights, error, words):
    cluster.status, cluster.failures, cluster.weights = status, failures, weights
    client = ClusterClient(cluster.address, paths.ASSETS)
    with pytest.raises(error, match=words):
        client.submit(SLICES, NETWORKS).result()
    client.close()


def test_without_a_cluster_the_engine_says_so(cluster, monkeypatch):
    cluster.shutdown()
    cluster.server_close()
    monkeypatch.setenv("BT_ENGINE", cluster.address)
    engine = Engine()
    with pytest.raises(EngineError, match="does not answer"):
        engine.predict(SLICES)
    assert engine.status().state == "failed"
    engine.close()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(EngineError, match="ray://HOST:PORT"):
        ClusterClient("ray://", paths.ASSETS)
