"""Slices and predictions as bytes for HTTP: NumPy's ``npz`` without pickles."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np

from btmodels.slices import Prediction


def pack_images(images: Sequence[np.ndarray]) -> bytes:
    """Return slices as one request body.

    Args:
        images: uint8, (rows, cols, 3) each, of any sizes.
    """
    return _pack({str(index): image for index, image in enumerate(images)})


def unpack_images(body: bytes) -> list[np.ndarray]:
    """Undo `pack_images`.

    Raises:
        ValueError: The body holds anything other than slices.
    """
    arrays = _unpack(body)
    images = [arrays[key] for key in sorted(arrays, key=int)]
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"A slice must be uint8, (rows, cols, 3), not {image.shape}.")
    return images


def pack_predictions(predictions: Sequence[Prediction]) -> bytes:
    """Return predictions as one response body."""
    maps = {str(index): each.probability_map for index, each in enumerate(predictions)}
    probabilities = np.array([each.tumor_probability for each in predictions], np.float64)
    return _pack({"probabilities": probabilities} | maps)


def unpack_predictions(body: bytes) -> list[Prediction]:
    """Undo `pack_predictions`.

    Raises:
        ValueError: The body holds anything other than predictions.
    """
    arrays = _unpack(body)
    if "probabilities" not in arrays:
        raise ValueError("The response holds no probabilities.")
    return [
        Prediction(float(probability), arrays[str(index)])
        for index, probability in enumerate(arrays["probabilities"])
    ]


def _pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    body = io.BytesIO()
    np.savez(body, **arrays)
    return body.getvalue()


def _unpack(body: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as found:
            return {key: found[key] for key in found.files}
    except (EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError("The body is no npz archive.") from error
