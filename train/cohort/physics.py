"""Tissues, the signal equations of the three sequences, and the artifacts of a scanner.

Relaxation times follow Stanisz et al. 2005 (doi:10.1002/mrm.20605) and Bottomley et al. 1984
(doi:10.1118/1.595535), rounded, for 1.5 T; the long T2 of fat is its apparent T2 in a fast spin echo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RELAXIVITY = 4.5
"""Relaxivity of a gadolinium agent, per second and millimole per liter."""


@dataclass(frozen=True)
class Tissue:
    """Relaxation times in ms, proton density relative to water, agent in mmol/l after injection.

    ``flows``: blood leaves the slice before the echo is read (flow void), so it is dark before injection.
    """

    t1: float
    t2: float
    density: float
    agent: float = 0.0
    flows: bool = False


TISSUES = {
    "air": Tissue(1000, 50, 0.0),
    "white": Tissue(680, 82, 0.71, 0.02),
    "gray": Tissue(980, 92, 0.82, 0.04),
    "fluid": Tissue(4200, 1600, 1.0),
    "bone": Tissue(500, 20, 0.12),
    "marrow": Tissue(420, 80, 0.52, 0.05),
    "fat": Tissue(270, 125, 0.86, 0.02),
    "muscle": Tissue(900, 48, 0.78, 0.12),
    "skin": Tissue(600, 60, 0.75, 0.15),
    "dura": Tissue(900, 45, 0.45, 0.7),
    "mucosa": Tissue(1100, 120, 0.85, 0.9),
    "vein": Tissue(1300, 180, 0.9, 1.9, flows=True),
    "artery": Tissue(1300, 180, 0.75, 1.4, flows=True),
    "choroid": Tissue(1150, 140, 0.85, 1.3),
    "spots": Tissue(1050, 140, 0.80, 0.02),
    "infiltrated": Tissue(1400, 158, 0.87, 0.03),
    "core": Tissue(1750, 185, 0.89, 0.06),
    "rim": Tissue(1250, 140, 0.86, 0.55),
    "cyst": Tissue(2600, 420, 0.97, 0.0),
}
CODES = {name: code for code, name in enumerate(TISSUES)}


@dataclass(frozen=True)
class Sequence:
    """A sequence's times in ms; an ``inversion`` of 0 means a plain spin echo."""

    repetition: float
    echo: float
    inversion: float = 0.0
    injected: bool = False


def signal(tissue: Tissue, sequence: Sequence) -> float:
    """Return the magnitude of a spin echo, or of an inversion recovery with spin-echo readout.

    Inversion recovery: ``PD |1 - 2 exp(-TI / T1) + exp(-(TR - TE) / T1)| exp(-TE / T2)``; spin echo:
    ``PD (1 - exp(-TR / T1)) exp(-TE / T2)``. The agent shortens T1: ``1 / T1 + r1 C``.
    """
    t1, density = tissue.t1, tissue.density
    if sequence.injected:
        t1 = 1 / (1 / t1 + RELAXIVITY * tissue.agent / 1000)
    elif tissue.flows:
        density *= 0.12
    decay = np.exp(-sequence.echo / tissue.t2)
    if sequence.inversion:
        late = np.exp(-(sequence.repetition - sequence.echo) / t1)
        grown = abs(1 - 2 * np.exp(-sequence.inversion / t1) + late)
    else:
        grown = 1 - np.exp(-sequence.repetition / t1)
    return float(density * grown * decay)


def signals(sequence: Sequence, spread: dict[str, float]) -> np.ndarray:
    """Return each tissue's signal by code, float32; ``spread`` scales a tissue's T2 in this patient."""
    table = np.zeros(len(TISSUES), np.float32)
    for name, tissue in TISSUES.items():
        own = Tissue(
            tissue.t1,
            tissue.t2 * spread.get(name, 1.0),
            tissue.density,
            tissue.agent,
            tissue.flows,
        )
        table[CODES[name]] = signal(own, sequence)
    return table


@dataclass(frozen=True)
class Scanner:
    """Acquisition artifacts of one channel.

    Attributes:
        matrix: Acquired share of k-space along rows and columns; the rest is filled with zeros.
        noise: Noise of the real and imaginary parts, in units of white matter's signal.
        motion: Phase error of some echoes, in radians.
    """

    matrix: tuple[float, float]
    noise: float
    motion: float


def acquire(picture: np.ndarray, scanner: Scanner, unit: float, rng: np.random.Generator):
    """Pass a picture through k-space: truncation (ringing), motion (ghosts), noise (Rician).

    Args:
        picture: Signal, (rows, cols).
        unit: Signal of white matter.

    Returns:
        float64, (rows, cols), 0 or more.
    """
    rows, cols = picture.shape
    spectrum = np.fft.fftshift(np.fft.fft2(picture))
    row = (np.arange(rows) - rows // 2)[:, None] / (rows / 2)
    col = (np.arange(cols) - cols // 2)[None, :] / (cols / 2)
    reach = np.hypot(row / scanner.matrix[0], col / scanner.matrix[1])
    # Outer k-space is slightly attenuated, as by T2 decay during the echo train.
    kept = (abs(row) < scanner.matrix[0]) & (abs(col) < scanner.matrix[1])
    window = kept * (1 - 0.45 * np.clip(reach, 0, 1) ** 3)
    jumps = np.repeat(rng.standard_normal(rows // 8 + 1), 8)[:rows, None]
    phase = np.exp(1j * scanner.motion * jumps * (abs(row) > 0.06))
    noise = rng.standard_normal((2, rows, cols)) * scanner.noise * unit * np.sqrt(rows * cols)
    noise = (noise[0] + 1j * noise[1]) * kept
    return np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum * window * phase + noise)))
