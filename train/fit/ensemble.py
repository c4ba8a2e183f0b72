"""``python -m train combine``: make the ensemble's weights from those of its members.

Nothing is trained. The members' committed weights are put into one network and one file, and threshold,
flips and clean-up are chosen on the validation patients as for any other segmenter.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from btmodels import paths, registry, weights
from btmodels.errors import BrainTumorError
from btmodels.networks.ensemble import MEMBERS
from train.fit.publish import publish

NAME = "ensemble"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder kaggle_3m, or its parent")
    parser.add_argument("--assets", type=Path, default=paths.ASSETS)
    parser.add_argument("--patients", type=int, help="use only so many patients of each subset")


def main(args: argparse.Namespace) -> int:
    spec, model = registry.get(NAME), weights.build(NAME)
    records = {}
    try:
        for member in MEMBERS:
            trained, records[member] = weights.load(member, args.assets)
            model.get_layer(member).set_weights(trained.get_weights())
        publish(spec, model, _state(records), args, {"members": _hashes(records)})
    except BrainTumorError as error:
        print(error)
        return 1
    return 0


def _hashes(records: dict[str, registry.Record]) -> dict[str, str]:
    return {name: record.sha256 for name, record in records.items()}


def _state(records: dict[str, registry.Record]) -> dict:
    """What a run's state would be: the members' epochs and time together, no history of its own."""
    extras = [record.extra for record in records.values()]
    return {
        "complete": all(record.complete for record in records.values()),
        "epochs": sum(extra["epochs"] for extra in extras),
        "best_epoch": None,
        "seconds": sum(extra["training_seconds"] for extra in extras),
        "history": [],
        "config": {},
    }
