"""``python -m train combine``: make the ensemble from its members.

Nothing is trained, and no weights are written: the ensemble uses those of its members. Its record lists
their SHA-256. Threshold, flips and clean-up are chosen on the validation patients, as for any other
segmenter.
"""

from __future__ import annotations

import argparse

import keras

from btmodels import registry, weights
from btmodels.errors import BrainTumorError
from btmodels.networks.ensemble import MEMBERS
from train import options
from train.fit.publish import make_record
from train.provenance import write_json

NAME = "ensemble"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", required=True)
    options.add(parser, "--assets")
    parser.add_argument("--patients", type=int, help="use only so many patients of each subset")


def main(args: argparse.Namespace) -> int:
    keras.config.set_dtype_policy("float32")  # as the site computes
    spec, model, records = registry.get(NAME), weights.build(NAME), {}
    try:
        for member in MEMBERS:
            trained, records[member] = weights.load(member, args.assets)
            model.get_layer(member).set_weights(trained.get_weights())
        hashes = {name: record.sha256 for name, record in records.items()}
        sha256, origin = registry.members_sha256(hashes), {registry.MEMBERS_KEY: hashes}
        record = make_record(spec, model, sha256, _state(records), args, origin)
    except BrainTumorError as error:
        print(error)
        return 1
    path = registry.record_path(NAME, args.assets)
    write_json(path, record)
    print(f"wrote {path.name}")
    return 0


def _state(records: dict[str, registry.Record]) -> dict:
    """Return the equivalent of a run's state: the members' total epochs and time, without a history."""
    extras = [record.extra for record in records.values()]
    return {
        "complete": all(record.complete for record in records.values()),
        "epochs": sum(extra["epochs"] for extra in extras),
        "best_epoch": None,
        "seconds": sum(extra["training_seconds"] for extra in extras),
        "history": [],
        "config": {},
    }
