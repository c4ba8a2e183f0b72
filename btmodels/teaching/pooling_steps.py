"""Downsample and upsample grids step by step: max pooling, upsampling, transposed convolution.

A test compares the last step of each with the Keras layer of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[int, int, int, int]
"""First and last row, first and last column."""


@dataclass(frozen=True, eq=False)
class PoolingStep:
    """One step: the positions read and written, and the output after it.

    Attributes:
        read: Positions in the input.
        written: Positions in the output.
        output: float64, (rows, cols); NaN where nothing has been written yet.
    """

    read: Box
    written: Box
    output: np.ndarray


def max_pool(grid: np.ndarray, size: int = 2) -> list[PoolingStep]:
    """Keep the largest value of each window.

    Args:
        grid: (rows, cols), multiples of ``size``.
        size: Rows and columns of a window, and the stride.

    Raises:
        ValueError: The windows do not fill the grid.
    """
    _check(grid, size)
    rows, cols = grid.shape
    if rows % size or cols % size:
        raise ValueError(f"Windows must fill the grid. Received: {grid.shape}, size={size}")
    output = np.full((rows // size, cols // size), np.nan)
    steps = []
    for row in range(rows // size):
        for col in range(cols // size):
            window = (row * size, (row + 1) * size - 1, col * size, (col + 1) * size - 1)
            output[row, col] = grid[window[0] : window[1] + 1, window[2] : window[3] + 1].max()
            steps.append(PoolingStep(window, (row, row, col, col), output.copy()))
    return steps


def upsample(grid: np.ndarray, factor: int = 2) -> list[PoolingStep]:
    """Repeat each value in a square: nearest-neighbor upsampling.

    Args:
        grid: (rows, cols).
        factor: Rows and columns of a square.
    """
    # Squares that do not overlap: a transposed convolution with ones.
    return transpose_convolve(grid, np.ones((factor, factor)), factor)


def transpose_convolve(grid: np.ndarray, kernel: np.ndarray, stride: int = 2) -> list[PoolingStep]:
    """Add the kernel, multiplied by each value, to the output; overlapping products add up.

    If ``stride`` does not divide the kernel's size, some positions get more products than their neighbors,
    which causes checkerboard artifacts (Odena, Dumoulin, Olah 2016, doi:10.23915/distill.00003).

    Args:
        grid: (rows, cols).
        kernel: (size, size).
        stride: At most the kernel's size, because a larger one would leave gaps.

    Raises:
        ValueError: The stride would leave gaps, or the kernel is not square.
    """
    _check(grid, stride)
    size = len(kernel)
    if kernel.shape != (size, size) or stride > size:
        raise ValueError(
            "A kernel is square and no smaller than the stride. "
            f"Received: kernel={kernel.shape}, stride={stride}"
        )
    rows, cols = grid.shape
    output = np.full(((rows - 1) * stride + size, (cols - 1) * stride + size), np.nan)
    steps = []
    for row in range(rows):
        for col in range(cols):
            top, left = row * stride, col * stride
            square = top, top + size - 1, left, left + size - 1
            stamped = output[square[0] : square[1] + 1, square[2] : square[3] + 1]
            stamped[:] = np.nan_to_num(stamped) + kernel * grid[row, col]
            steps.append(PoolingStep((row, row, col, col), square, output.copy()))
    return steps


def _check(grid: np.ndarray, step: int) -> None:
    if grid.ndim != 2 or not grid.size or step < 1:
        raise ValueError(f"A grid has rows and columns. Received: {grid.shape}, step={step}")
