"""The site's side of `btmodels.cluster.serve`: slices go to a cluster by HTTP. Needs no Ray here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from btmodels import registry
from btmodels.errors import EngineError, WeightsError
from btmodels.inference.wire import pack_images, unpack_predictions
from btmodels.inference.worker import WorkerInfo
from btmodels.slices import Prediction

SCHEME = "ray://"

CONNECTIONS = 32
"""Requests that a site has under way at once; the cluster joins them into batches."""

SECONDS = 5.0, 120.0
"""For a connection, and for an answer."""

RETRIES = Retry(
    total=16,
    backoff_factor=0.25,
    backoff_max=5.0,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods=None,  # asking twice for the same slices changes nothing
    raise_on_status=False,
)
"""While a replica is replaced or the head starts again: a minute."""


class ClusterClient:
    """Sends slices to a Ray Serve application. Thread-safe.

    Stands in for `btmodels.inference.dispatcher.Dispatcher` where the engine submits slices.

    Args:
        address: ``ray://HOST:PORT`` of Serve's proxy.
        assets: Folder that holds ``weights/``. The cluster must answer with the same weights.

    Raises:
        EngineError: The address is no such address.
    """

    def __init__(self, address: str, assets: Path) -> None:
        parts = urlsplit(address)
        if parts.scheme != "ray" or not parts.hostname:
            raise EngineError(f"BT_ENGINE must be ray://HOST:PORT, not {address!r}.")
        self.assets = assets
        self.device = ""
        self.failure = ""
        self.info: WorkerInfo | None = None
        self._name = f"{parts.hostname}:{parts.port or 8000}"
        self._url = f"http://{self._name}/"
        self._session = requests.Session()
        self._session.mount(self._url, HTTPAdapter(CONNECTIONS, CONNECTIONS, RETRIES))
        self._threads = ThreadPoolExecutor(CONNECTIONS, "cluster")
        self._starting = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether the cluster has answered, and nothing has failed since."""
        return self.info is not None and not self.failure

    def start(self, names: Sequence[str] = ()) -> None:
        """Begin to ask the cluster how it is, unless that is under way or was done; return at once."""
        if not self.is_running and self._starting.acquire(blocking=False):
            self._threads.submit(self._ask_how_it_is)

    def submit(
        self, images: Sequence[np.ndarray], networks: tuple[str, str], names: Sequence[str] = ()
    ) -> Future[list[Prediction]]:
        """Send slices for two networks; arguments as for `Dispatcher.submit`."""
        return self._threads.submit(self._predict, images, networks)

    def close(self) -> None:
        """Drop what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def _ask_how_it_is(self) -> None:
        try:
            answer = self._send("GET")
            device = f"cluster at {self._name}: {answer.json()['device']}"
            self.info, self.device = WorkerInfo(None, device, {}), device
        except (EngineError, ValueError, KeyError):
            pass  # `failure` says so; the next visit tries again
        finally:
            self._starting.release()

    def _predict(self, images: Sequence[np.ndarray], networks: tuple[str, str]) -> list[Prediction]:
        query = dict(zip(("segmenter", "classifier"), networks, strict=True))
        answer = self._send("POST", params=query, data=pack_images(images))
        own = ",".join(registry.verify_weights(name, self.assets).sha256 for name in networks)
        if answer.headers.get("X-Weights") != own:
            raise EngineError("The cluster answers with other weights than this site has.")
        try:
            return unpack_predictions(answer.content)
        except ValueError as error:
            raise EngineError("The answer of the cluster cannot be read.") from error

    def _send(self, method: str, **more) -> requests.Response:
        try:
            answer = self._session.request(method, self._url, timeout=SECONDS, **more)
        except requests.RequestException:
            self.failure = f"The cluster at {self._name} does not answer."
            raise EngineError(self.failure) from None
        if answer.status_code == 409:
            raise WeightsError(answer.json()["error"])
        if not answer.ok:
            self.failure = f"The cluster at {self._name} failed (status {answer.status_code})."
            raise EngineError(self.failure)
        self.failure = ""
        return answer
