"""Read arrays from a PyTorch file without PyTorch, whose wheel brings gigabytes of CUDA.

The layout is that of PyTorch before 1.6: five pickles (a magic number, a version, the machine, the tensors
without their values, the storage keys), then the values of each storage. Pickles can run code, so these
may build only a dictionary of tensors.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
DAMAGE = (pickle.UnpicklingError, EOFError, LookupError, AttributeError, TypeError, OverflowError)
"""Exceptions that reading damaged pickles raises, besides ValueError."""

DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Reader(pickle.Unpickler):
    """Builds only a dictionary of tensors, on storages whose values are read afterward."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed.")

    def persistent_load(self, pid: tuple) -> np.ndarray:
        _, dtype, key, _, count, *_ = pid
        return self.storages.setdefault(key, np.empty(count, dtype))


def _tensor(values: np.ndarray, offset: int, shape: tuple, strides: tuple, *_: Any) -> np.ndarray:
    # NumPy raises an error if a tensor would extend beyond its storage.
    steps = [step * values.itemsize for step in strides]
    return np.ndarray(shape, values.dtype, values, offset * values.itemsize, steps)


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a file, in file order.

    Raises:
        ValueError: The file has another format, or contains anything but float32 and int64 tensors.
    """
    with path.open("rb") as file:
        try:
            if _Reader(file).load() != MAGIC:
                raise pickle.UnpicklingError("The magic number is missing.")
            for _ in ("version", "machine"):
                _Reader(file).load()
            tensors = _Reader(file)
            found = tensors.load()
            for values in map(tensors.storages.__getitem__, _Reader(file).load()):
                count = int.from_bytes(file.read(8), "little")
                if count != len(values) or file.readinto(values) < values.nbytes:
                    raise EOFError("Values are missing.")
            return dict(found)
        except (*DAMAGE, ValueError) as error:
            raise ValueError(f"{path.name} is no file of PyTorch's tensors: {error}") from error
