"""The networks as a Ray Serve application: ``serve run btmodels.cluster.serve:app``.

Each replica holds the networks of a lean worker. Ray Serve joins the requests of all sites into
batches, adds replicas while requests wait, and replaces those that die. Sites reach it by
``BT_ENGINE=ray://HOST:PORT``, where the port is that of Serve's proxy, 8000 unless it is set. It has no
login: keep it inside the network of the cluster.

``BT_SERVE_CPUS`` (default 2) are the processors of a replica. ``BT_SERVE_REPLICAS`` (default 4) is the
largest number of replicas.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import numpy as np
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from btmodels import paths, registry
from btmodels.errors import WeightsError
from btmodels.inference import worker
from btmodels.inference.engine import NEEDED
from btmodels.inference.wire import pack_predictions, unpack_images
from btmodels.slices import Prediction

MOST_REQUESTS = 16
"""Requests in a batch. The networks take one slice after the other, so more would only wait longer."""

Asked = tuple[tuple[str, str], list[np.ndarray]]
"""Registry names of segmenter and classifier, and the slices."""


@serve.deployment(
    ray_actor_options={"num_cpus": float(os.environ.get("BT_SERVE_CPUS", 2))},
    autoscaling_config={
        "min_replicas": 1,
        "max_replicas": int(os.environ.get("BT_SERVE_REPLICAS", 4)),
        "target_ongoing_requests": MOST_REQUESTS,
    },
    max_ongoing_requests=4 * MOST_REQUESTS,
)
class NetworksDeployment:
    """A replica: segmenters and classifiers of the registry, by finished graphs where there are any."""

    def __init__(self) -> None:
        self.info = worker.load(NEEDED, paths.ASSETS)

    async def __call__(self, request: Request) -> Response:
        """Answer GET with the device, and POST of slices with predictions.

        The query of a POST names ``segmenter`` and ``classifier``. Errors are 400 for a body that holds no
        slices, 404 for a network that is unknown, and 409 for weights that are missing or altered.
        """
        if request.method != "POST":
            return JSONResponse({"device": self.info.device, "problems": self.info.problems})
        try:
            names = [request.query_params.get(key, "") for key in ("segmenter", "classifier")]
            networks = registry.get(names[0]).name, registry.get(names[1]).name
            images = unpack_images(await request.body())
        except KeyError as error:
            return JSONResponse({"error": str(error)}, 404)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            hashes = [registry.verify_weights(name).sha256 for name in networks]
            predictions = await self.predict((networks, images))
        except WeightsError as error:
            return JSONResponse({"error": str(error)}, 409)
        headers = {"X-Weights": ",".join(hashes)}
        return Response(
            pack_predictions(predictions), headers=headers, media_type="application/octet-stream"
        )

    @serve.batch(max_batch_size=MOST_REQUESTS, batch_wait_timeout_s=0.005)
    async def predict(self, requests: list[Asked]) -> list[list[Prediction]]:
        """Ask the networks about the slices of several requests at once."""
        return await asyncio.to_thread(predict_together, requests)


def predict_together(requests: Sequence[Asked]) -> list[list[Prediction]]:
    """Return the predictions of each request; requests for the same networks are one batch."""
    found: dict[int, list[Prediction]] = {}
    for networks in dict.fromkeys(names for names, _ in requests):
        places = [place for place, (names, _) in enumerate(requests) if names == networks]
        images = [image for place in places for image in requests[place][1]]
        rest = iter(worker.predict(images, *networks, paths.ASSETS).predictions)
        for place in places:
            found[place] = [next(rest) for _ in requests[place][1]]
    return [found[place] for place in range(len(requests))]


app = NetworksDeployment.bind()
