"""Data-parallel training on several devices or machines by `keras.distribution`, with Keras on JAX.

Each process runs the same program. The variables ``KERAS_DISTRIBUTION_JOB_ADDRESSES``, ``…_NUM_PROCESSES``
and ``…_PROCESS_ID`` tell Keras which process it is; without them there is one. Weights are the same on all
devices. Each step's loss and batch statistics are those of the whole batch.
"""

from __future__ import annotations

import os

import keras


def start() -> None:
    """Distribute what is built from now on over all devices of all processes.

    Raises:
        ValueError: Keras runs on another backend than JAX.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(
            "Training on several devices needs Keras on JAX: set KERAS_BACKEND=jax. "
            f"Received: KERAS_BACKEND={keras.backend.backend()}"
        )
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        keras.distribution.initialize()
    # Keras shards only datasets of TensorFlow by itself; `own_part` shards ours.
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def processes() -> tuple[int, int]:
    """Return this process's number, from 0, and the number of processes."""
    if keras.distribution.distribution() is None:
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def wait_for_all() -> None:
    """Return when all processes have come here."""
    if processes()[1] > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices("wait_for_all")


def own_part(batches: keras.utils.PyDataset) -> keras.utils.PyDataset:
    """Return this process's slices of each batch.

    Args:
        batches: The same in all processes, with as many slices as a multiple of the number of devices.
    """
    return _OwnPart(batches) if processes()[1] > 1 else batches


class _OwnPart(keras.utils.PyDataset):
    def __init__(self, batches: keras.utils.PyDataset):
        super().__init__(workers=batches.workers, max_queue_size=batches.max_queue_size)
        self.batches = batches
        self.number, self.count = processes()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int):
        return keras.tree.map_structure(self._part, self.batches[step])

    def _part(self, batch):
        size = len(batch) // self.count
        return batch[self.number * size : (self.number + 1) * size]


def local_copy(model: keras.Model) -> keras.Model:
    """Return a copy of the network on this process's first device; the network itself if there is no
    distribution."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return model
    keras.distribution.set_distribution(None)
    try:
        copy = type(model).from_config(model.get_config())
        copy.set_weights(model.get_weights())
    finally:
        keras.distribution.set_distribution(distribution)
    return copy


def leave(model: keras.Model) -> tuple[keras.Model, bool]:
    """End the distribution, in all processes together; the first may then work on for long.

    Returns:
        The result of `local_copy`, and whether this process is the first.
    """
    copy, (number, count) = local_copy(model), processes()
    keras.distribution.set_distribution(None)
    if count > 1:
        import jax

        jax.distributed.shutdown()
    return copy, number == 0
