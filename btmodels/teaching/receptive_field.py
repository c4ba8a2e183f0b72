"""The receptive field and cost of a network of a given depth and width, counted before it is built.

The counts are those of `btmodels.networks.unet.build_unet` and `build_sequential`: a test builds them
with Keras, counts again, and follows gradients to the border of what a pixel sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

FLOAT_BYTES = 4
"""Of one number in float32, in which the site computes."""


@dataclass(frozen=True)
class Stage:
    """Convolutions at one resolution, with what leads to them.

    Attributes:
        name: ``enc1`` … ``bottleneck`` … ``dec1`` of a U, ``level1`` … of a chain; ``logits`` ends both.
        size: Rows and columns of its maps.
        channels: Maps that it hands on.
        sees: Rows and columns of the slice that one of its units depends on, at most.
        parameters: Numbers that training sets.
        multiply_adds: For one slice.
        values: Numbers in the maps that its layers give out, ReLU in place.
    """

    name: str
    size: int
    channels: int
    sees: int
    parameters: int
    multiply_adds: int
    values: int


@dataclass(frozen=True)
class Blueprint:
    """A network on paper.

    Attributes:
        kind: "u": down, up and skips, as `build_unet`. "chain": all at full resolution.
        widths: Channels of each level: of a U from full resolution to the bottleneck, of a chain in
            the order of its levels.
        convs: Convolutions a level (of a U, each way).
        kernel: Their rows and columns, odd.
        size: Rows and columns of the slice.
        channels: Of the slice.

    Raises:
        ValueError: The slice cannot be halved that often, or there is nothing to build.
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
        """All stages, in the order in which a slice passes them."""
        return tuple(self._u() if self.kind == "u" else self._chain())

    @property
    def parameters(self) -> int:
        """Numbers that training sets."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        """Of one pass for one slice."""
        return sum(stage.multiply_adds for stage in self.stages)

    def window(self, name: str, unit: int) -> tuple[int, int]:
        """Tell which rows (or columns: they are alike) of the slice a unit of a stage depends on.

        Args:
            name: Of the stage.
            unit: Row of the stage's maps, from 0.

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
            # Transposed convolution, what it gives joined with the skip, then the convolutions.
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
        # Parameters of a level's convolutions, and their multiply-adds a position.
        inputs = [before] + [width] * (self.convs - 1)
        work = sum(self.kernel**2 * each * width for each in inputs)
        return work + self.convs * width, work

    def _head(self, before: int, last: str) -> Stage:
        sees = self._sees(last, 2 ** (len(self.widths) - 1))
        area = self.size**2
        return Stage("logits", self.size, 1, sees, before + 1, before * area, area)

    def _sees(self, name: str, phases: int) -> int:
        # Far from the border; above a pooling it matters where in its window a unit lies.
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
        # Up from below, and over the skip, which begins where the encoder's level ends.
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
    """Widths of the chain that has a U's convolutions and none of its poolings: up and down again.

    Example:
        >>> mirrored(8, 3)
        (8, 16, 32, 16, 8)
    """
    down = [filters * 2**level for level in range(levels)]
    return (*down, *down[-2::-1])
