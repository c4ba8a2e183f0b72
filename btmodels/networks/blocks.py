"""Blocks that several networks share. Each takes and returns a tensor; ``name`` prefixes layer names."""

from __future__ import annotations

from collections.abc import Sequence

from keras import initializers, layers


def check_shape(input_shape: Sequence[int], levels: int) -> None:
    """Reject an input that cannot be halved ``levels - 1`` times.

    Raises:
        ValueError: Rows or columns are not multiples of ``2 ** (levels - 1)``.
    """
    divisor = 2 ** (levels - 1)
    rows, cols = input_shape[:2]
    if rows % divisor or cols % divisor:
        raise ValueError(
            f"Rows and columns must be multiples of {divisor} for {levels} levels. "
            f"Received: input_shape={tuple(input_shape)}"
        )


def conv(x, filters: int, name: str, kernel: int = 3, bias: bool = True):
    """Same-padded convolution, (batch, rows, cols, c) to (batch, rows, cols, filters)."""
    return layers.Conv2D(
        filters,
        kernel,
        padding="same",
        use_bias=bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def norm(x, name: str):
    """Batch normalization."""
    # Batch statistics converge fast with shuffled patients; 0.99 would lag behind in short trainings.
    return layers.BatchNormalization(momentum=0.95, epsilon=1e-3, name=name)(x)


def norm_relu(x, name: str):
    """Batch normalization, then ReLU."""
    return layers.ReLU(name=f"{name}_relu")(norm(x, f"{name}_bn"))


def conv_relu(x, filters: int, name: str, convs: int = 2, kernel: int = 3):
    """Convolutions with ReLU; two of 3 x 3 are the unit of the U-Net (Ronneberger et al. 2015)."""
    for step in range(1, convs + 1):
        x = conv(x, filters, f"{name}_conv{step}", kernel)
        x = layers.ReLU(name=f"{name}_relu{step}")(x)
    return x


def residual_unit(x, filters: int, name: str):
    """Pre-activation residual unit (He et al. 2016, arXiv:1603.05027), as ResUNet uses it.

    Normalization, ReLU and 3 x 3 convolution, twice; added to the input, which a 1 x 1 convolution projects
    to ``filters`` channels if needed.

    Args:
        x: (batch, rows, cols, c).
        filters: Channels of the output.
        name: Prefix of the layers' names.
    """
    y = x
    for step in (1, 2):
        y = norm_relu(y, f"{name}_{step}")
        y = conv(y, filters, f"{name}_{step}_conv", bias=step == 2)
    shortcut = x if x.shape[-1] == filters else conv(x, filters, f"{name}_shortcut", kernel=1)
    return layers.Add(name=f"{name}_add")([y, shortcut])


def merge_up(x, skip, filters: int, name: str, convs: int = 1):
    """One decoder level for a pretrained encoder: transposed convolution, concatenation with the skip,
    then ``convs`` 3 x 3 convolutions, each with batch normalization and ReLU.

    Args:
        x: (batch, rows, cols, c).
        skip: (batch, 2 rows, 2 cols, s).
        filters: Channels of the output.
        name: Prefix of the layers' names.
        convs: Number of convolutions.
    """
    x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"{name}_up")(x)
    x = layers.Concatenate(name=f"{name}_skip")([x, skip])
    for step in range(1, convs + 1):
        x = norm_relu(conv(x, filters, f"{name}_conv{step}", bias=False), f"{name}_{step}")
    return x


def logits(x, name: str = "logits"):
    """1 x 1 convolution to one channel of logits, in float32 under any policy.

    The initial bias corresponds to a prior of about 2% tumor pixels (Lin et al. 2017, arXiv:1708.02002).
    With a bias of 0, the background starts at probability 1/2. A step of Adam moves a weight by at most
    about the learning rate, so the background would dominate the Dice during the first epochs.
    """
    start = initializers.Constant(-4.0)
    return layers.Conv2D(1, 1, dtype="float32", bias_initializer=start, name=name)(x)
