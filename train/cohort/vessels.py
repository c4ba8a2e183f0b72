"""Blood vessels and dura: sinuses under the skull, arteries at the base, veins in the sulci."""

from __future__ import annotations

import numpy as np

from train.cohort.fields import FieldPoints, rise, tube
from train.cohort.physics import CODES

BLOOD_AND_DURA = [CODES["vein"], CODES["dura"], CODES["artery"]]


def lay_vessels(field: FieldPoints, hull: np.ndarray, amount: float, code: np.ndarray) -> None:
    """Set the codes of points in a vessel or in the falx.

    Args:
        field: Points inside the head.
        hull: Their distance above the brain's hull in mm, (n,).
        amount: Share of visible vessels, 0 to 1.
        code: Tissue codes, uint8, (n,); changed in place.
    """
    points = field.points
    x, y, z = points
    rear = rise(y, 55, -30) * rise(z, -16, 6)
    sinus = np.hypot(x / 4.4, (hull + 0.5) / 3.4) < 0.45 + 0.65 * rear
    sagittal = sinus & (np.abs(hull) < 5) & ((z > 18) | (y < -60)) & (z > -16)
    curve = -12 - 6 * rise(np.abs(x), 20, 60)
    transverse = (np.abs(hull - 0.5) < 3) & (np.abs(z - curve) < 4) & (y < -42)
    straight = tube(points, [(0, -42, 4), (0, -78, -8), (0, -98, -8)]) < 2.2
    code[sagittal | transverse | straight] = CODES["vein"]
    falx = (np.abs(x - 0.6 * field.noise("wide")) < 0.75) & (hull < 1) & (hull > -44)
    code[falx & (code == CODES["fluid"]) & ((z > 12) | (y > 40))] = CODES["dura"]
    side = np.stack([np.abs(x), y, z])
    arteries = np.minimum.reduce([
        tube(side, [(12, -2, -40), (11, 4, -24), (13, 2, -17), (28, 6, -18), (38, 8, -12)]),
        tube(side, [(13, 2, -17), (3, 18, -14), (2, 34, -6), (2, 40, 8), (2, 24, 26)]),
        tube(side, [(0, -20, -52), (0, -17, -28), (9, -16, -18), (24, -32, -12)]),
    ])  # fmt: skip
    code[(arteries < 1.5) & (hull < -2)] = CODES["artery"]
    # Two random fields are both near zero along thin winding lines.
    fluid = (code == CODES["fluid"]) & (hull < 1.5)
    there = field.part(fluid)
    crossing = np.hypot(there.noise("vessel_a"), there.noise("vessel_b"))
    code[fluid] = np.where(crossing < 0.10 + 0.08 * amount, CODES["vein"], CODES["fluid"])
