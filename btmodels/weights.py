"""Read and write weights: float16 in Keras's HDF5 layout. The files contain no code."""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from btmodels import paths, registry
from btmodels.errors import WeightsError

if TYPE_CHECKING:
    import keras


def build(name: str) -> keras.Model:
    """Build the network ``name`` of the registry with random weights, in float32 or the global policy."""
    spec = registry.get(name)
    module, function = spec.build.split(":")
    return getattr(importlib.import_module(module), function)(spec.input_shape, name=spec.name)


def save_float16(model: keras.Model, path: Path) -> str:
    """Write a model's weights as float16, whole or not at all.

    Half precision halves the file size and changes any score by less than 1e-3; evaluations always use
    weights that were read back. An array with values beyond float16's range, such as the variance of
    unnormalized maps, stays float32.

    Returns:
        SHA-256 of the file.

    Raises:
        ValueError: A weight is not finite.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        full, half = Path(folder, "full.weights.h5"), Path(folder, "half.weights.h5")
        model.save_weights(full)
        with h5py.File(full) as source, _compact_file(half) as target:
            # Only the layers: a compiled model also saves its optimizer.
            _copy_half(source["layers"], _create_group(target, "layers"))
        os.replace(half, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compact_file(path: Path) -> h5py.File:
    """Create a file with the headers of HDF5 1.10, a third of the size of older ones, and without
    timestamps, so that equal weights give equal hashes."""
    access, creation = h5py.h5p.create(h5py.h5p.FILE_ACCESS), h5py.h5p.create(h5py.h5p.FILE_CREATE)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    creation.set_obj_track_times(False)
    return h5py.File(h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_EXCL, creation, access))


def _create_group(parent: h5py.Group, name: str) -> h5py.Group:
    creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    creation.set_obj_track_times(False)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode(), gcpl=creation))


def _copy_half(source: h5py.Group, target: h5py.Group) -> None:
    target.attrs.update(source.attrs)
    for key, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_half(item, _create_group(target, key))
            continue
        values = np.asarray(item)
        if values.dtype == np.float32:
            if not np.isfinite(values).all():
                raise ValueError(f"A weight is not finite. Received: {item.name}")
            with np.errstate(over="ignore"):  # checked below
                half = values.astype(np.float16)
            values = half if np.isfinite(half).all() else values
        # No compression: it would save a twentieth of the size and slow each start by over a second.
        target.create_dataset(key, data=values, track_times=False)


def load_into(model: keras.Model, path: Path) -> None:
    """Load weights into a model that our code built.

    Raises:
        WeightsError: The file is not a weights file or belongs to another network.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"The file {path.name} does not hold weights of the network {model.name}."
        ) from error


def load(name: str, assets: Path = paths.ASSETS) -> tuple[keras.Model, registry.Record]:
    """Build ``name`` and give it its verified weights.

    Raises:
        WeightsError: They are missing, altered or belong to another network.
    """
    record = registry.verify_weights(name, assets)
    model = build(name)
    for member, path in registry.weights_files(name, assets).items():
        load_into(model.get_layer(member) if member else model, path)
    return model, record
