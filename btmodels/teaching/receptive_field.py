"""The receptive field and cost of a network of a given depth and width, computed without building it.

The numbers are those of `btmodels.networks.unet.build_unet` and `build_sequential`: a test builds these
with Keras, compares the counts, and measures the receptive field by gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

FLOAT_BYTES = 4
"""Bytes of a float32, the dtype of the site's computations."""


@dataclass(frozen=True)
class Stage:
    """Convolutions at one resolution, including the pooling or upsampling before them.

    Attributes:
        name: ``enc1`` … ``bottleneck`` … ``dec1`` of a U, ``level1`` … of a chain; ``logits`` ends both.
        size: Rows and columns of its feature maps.
        channels: Output channels.
        sees: Maximum rows and columns of the receptive field of its units.
        parameters: Number of trainable parameters.
        multiply_adds: Number of multiply-adds for one slice.
        values: Number of activations of its layers, with ReLU in place.
    """

    name: str
    size: int
    channels: int
    sees: int
    parameters: int
    multiply_adds: int
    values: int


@dataclass(frozen=True)
class Architecture:
    """The architecture of a network, without its layers.

    Attributes:
        kind: "u": encoder, decoder and skips, as in `build_unet`. "chain": all at full resolution.
        widths: Channels of each level: for a U from full resolution to the bottleneck, for a chain in
            order.
        convs: Convolutions per level (for a U, in encoder and decoder).
        kernel: Rows and columns of the kernels, odd.
        size: Rows and columns of the slice.
        channels: Channels of the slice.

    Raises:
        ValueError: The slice cannot be halved that often, or a number is out of range.
    """

    kind: Literal["u", "chain"]
    widths: tuple[int, ...]
    convs: int = 2
    kernel: int = 3
    size: int = 128
    channels: int = 3

    def __post_init__(self) -> None:
        if not self.widths or self.convs < 1 or self.kernel % 2 == 0:
            raise ValueError(
                "A network needs a width a level, a convolution at least and an odd kernel. "
                f"Received: widths={self.widths}, convs={self.convs}, kernel={self.kernel}"
            )
        if self.kind == "u" and self.size % 2 ** (len(self.widths) - 1):
            raise ValueError(
                f"The slice cannot be halved {len(self.widths) - 1} times. Received: size={self.size}"
            )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, from input to output."""
        return tuple(self._u() if self.kind == "u" else self._chain())

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds of one forward pass for one slice."""
        return sum(stage.multiply_adds for stage in self.stages)

    def window(self, name: str, unit: int) -> tuple[int, int]:
        """Return the receptive field of a unit in rows of the slice; columns are the same.

        Args:
            name: Name of the stage.
            unit: Row in the stage's feature maps, from 0.

        Returns:
            First and last row, within the slice.
        """
        return self._window(name, unit, unit, clip=True)

    def _chain(self) -> Iterator[Stage]:
        before, area = self.channels, self.size**2
        for level, width in enumerate(self.widths, start=1):
            parameters, work = self._convolutions(before, width)
            name = f"level{level}"
            values = self.convs * width * area
            sees = self._sees(name, 1)
            yield Stage(name, self.size, width, sees, parameters, work * area, values)
            before = width
        yield self._head(before, f"level{len(self.widths)}")

    def _u(self) -> Iterator[Stage]:
        depth = len(self.widths)
        before = self.channels
        for level, width in enumerate(self.widths, start=1):
            size = self.size >> (level - 1)
            name = f"enc{level}" if level < depth else "bottleneck"
            parameters, work = self._convolutions(before, width)
            pooled = before * size**2 if level > 1 else 0
            values = self.convs * width * size**2 + pooled
            sees = self._sees(name, 1)
            yield Stage(name, size, width, sees, parameters, work * size**2, values)
            before = width
        for level in range(depth - 1, 0, -1):
            size, width = self.size >> (level - 1), self.widths[level - 1]
            name = f"dec{level}"
            parameters, work = self._convolutions(2 * width, width)
            up = 4 * before * width
            # Outputs of the transposed convolution, the concatenation and the convolutions.
            values = (width + 2 * width + self.convs * width) * size**2
            yield Stage(
                name,
                size,
                width,
                self._sees(name, 2 ** (depth - level)),
                parameters + up + width,
                work * size**2 + up * (size // 2) ** 2,
                values,
            )
            before = width
        yield self._head(before, "dec1" if depth > 1 else "bottleneck")

    def _convolutions(self, before: int, width: int) -> tuple[int, int]:
        # Return the parameters of a level's convolutions, and their multiply-adds per position.
        inputs = [before] + [width] * (self.convs - 1)
        work = sum(self.kernel**2 * each * width for each in inputs)
        return work + self.convs * width, work

    def _head(self, before: int, last: str) -> Stage:
        sees = self._sees(last, 2 ** (len(self.widths) - 1))
        area = self.size**2
        return Stage("logits", self.size, 1, sees, before + 1, before * area, area)

    def _sees(self, name: str, phases: int) -> int:
        # Far from the border; in the decoder, it depends on the unit's position in its pooling window.
        windows = (self._window(name, unit, unit, clip=False) for unit in range(phases))
        return max(last - first + 1 for first, last in windows)

    def _window(self, name: str, first: int, last: int, clip: bool) -> tuple[int, int]:
        depth = len(self.widths)
        if name == "logits":
            name = (
                f"level{depth}" if self.kind == "chain" else "dec1" if depth > 1 else "bottleneck"
            )
        reach = self.convs * (self.kernel // 2)
        if self.kind == "chain":
            reach *= int(name.removeprefix("level"))
            return self._within(first - reach, last + reach, 1, clip)
        level = depth if name == "bottleneck" else int(name[3:])
        first, last = self._within(first - reach, last + reach, level, clip)
        if not name.startswith("dec"):
            if level == 1:
                return first, last
            return self._window(f"enc{level - 1}", 2 * first, 2 * last + 1, clip)
        # The inputs are the level below and the skip, which starts at the end of the encoder's level.
        below = "bottleneck" if level + 1 == depth else f"dec{level + 1}"
        beside = f"enc{level}"
        ways = [
            self._window(below, first // 2, last // 2, clip),
            self._window(beside, first, last, clip),
        ]
        return min(way[0] for way in ways), max(way[1] for way in ways)

    def _within(self, first: int, last: int, level: int, clip: bool) -> tuple[int, int]:
        if not clip:
            return first, last
        return max(first, 0), min(last, (self.size >> (level - 1)) - 1)


def mirrored(filters: int, levels: int) -> tuple[int, ...]:
    """Return the widths of a chain with the convolutions of a U but without its pooling.

    Example:
        >>> mirrored(8, 3)
        (8, 16, 32, 16, 8)
    """
    down = [filters * 2**level for level in range(levels)]
    return (*down, *down[-2::-1])
