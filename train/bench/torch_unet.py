"""The U-Net of `btmodels.networks.unet` in PyTorch, to be timed beside it.

PyTorch is an extra of development (requirements-bench.txt): nothing else imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import torch
from keras import ops
from torch import nn


class UNet(nn.Module):
    """As `btmodels.networks.unet.build_unet`, from (batch, 3, rows, cols) to logits of one channel."""

    def __init__(self, filters: Sequence[int] = (16, 32, 64, 128, 256), channels: int = 3) -> None:
        super().__init__()
        self.encoder = nn.ModuleList()
        for width in filters:
            self.encoder.append(_two(channels, width))
            channels = width
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        for width in reversed(filters[:-1]):
            self.up.append(nn.ConvTranspose2d(channels, width, 2, stride=2))
            self.decoder.append(_two(2 * width, width))
            channels = width
        self.logits = nn.Conv2d(channels, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        crossing = []
        for level, block in enumerate(self.encoder):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            crossing.append(x)
        for up, block, skip in zip(self.up, self.decoder, crossing[-2::-1], strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
        return self.logits(x)


def _two(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding="same"),
        nn.ReLU(),
    )


def copy_of(model: keras.Model) -> UNet:
    """Return the PyTorch network with a Keras U-Net's own weights, ready to answer.

    Args:
        model: From `btmodels.networks.unet.build_unet` with joined skips and two convolutions a level.

    Raises:
        ValueError: Layers and weights of the two do not match.
    """
    kernels = [layer for layer in model.layers if layer.weights]
    ups = [layer for layer in kernels if isinstance(layer, keras.layers.Conv2DTranspose)]
    filters = [layer.filters for layer in reversed(ups)] + [ups[0].kernel.shape[-1]]
    copy = UNet(filters, model.input.shape[-1])
    with torch.no_grad():
        for layer, own in zip(kernels, _in_order(copy), strict=True):
            # Keras: (rows, cols, in, out), transposed (rows, cols, out, in); here the last two first.
            kernel = ops.convert_to_numpy(layer.kernel).transpose(3, 2, 0, 1)
            if own.weight.shape != kernel.shape:
                raise ValueError(f"{layer.name} has {kernel.shape}, its copy {own.weight.shape}.")
            own.weight.copy_(torch.tensor(kernel.copy()))
            own.bias.copy_(torch.tensor(ops.convert_to_numpy(layer.bias).copy()))
    return copy.eval()


def _in_order(copy: UNet) -> list[nn.Module]:
    found = [part for block in copy.encoder for part in block if isinstance(part, nn.Conv2d)]
    for up, block in zip(copy.up, copy.decoder, strict=True):
        found += [up, *(part for part in block if isinstance(part, nn.Conv2d))]
    return [*found, copy.logits]
