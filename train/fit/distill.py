"""Knowledge distillation inside a fold: masks softened by networks that never met the fold.

After Hinton, Vinyals, Dean 2015 (arXiv:1503.02531) and, for several segmenters as teachers of one, Noothout
et al. 2022 (doi:10.1117/1.JMI.9.5.052407). The student may repeat their training or continue it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import keras
import numpy as np

from btmodels.transforms.postprocess import sigmoid
from train.fit.select import predict_logits
from train.fit.subset import Subset

TEACHERS_SHARE = 0.4
"""Weight of the teachers' mean probability in a target; below 1/2, so that a target above 1/2 is the
annotator's tumor, which augmentation looks for."""


def soften(slices: Subset, teachers: Iterable[keras.Model], without: Collection[str]) -> Subset:
    """Mix masks with the teachers' mean probability, slice by slice.

    Args:
        slices: Slices of all patients.
        teachers: Segmenters with weights, which must not have met the patients ``without``.
        without: Folders of the patients whose masks stay as they are.

    Returns:
        The slices with soft masks, uint8, 0 to 255.
    """
    chosen = np.flatnonzero(~np.isin(slices.patients, list(without)))
    taught = slices.take(chosen)
    maps = [sigmoid(predict_logits(teacher, taught)[..., 0]) for teacher in teachers]
    mean = np.mean(maps, axis=0) * 255
    masks = slices.masks.copy()
    masks[chosen] = np.rint((1 - TEACHERS_SHARE) * taught.masks + TEACHERS_SHARE * mean)
    return replace(slices, masks=masks)
