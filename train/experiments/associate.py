"""``python -m train associate``: do automatic masks lead to the same findings as the expert's?

Buda, Saha, Mazurowski 2019 (doi:10.1016/j.compbiomed.2019.05.002) related three figures of a tumor's shape
to genomic subtypes. Here the same figures (`btmodels.measurement.shape`) are computed for each patient's
true mask and for the out-of-fold mask of `train crossval`. Each is tested against each genomic cluster of
data.csv with a Kruskal-Wallis test, with Holm's correction over the tests of each kind of mask. Writes
``assets/metrics/associate.json``:

- ``experiment``, ``question``, ``command``, ``quick``, ``complete``, ``lacks``, ``split_sha256``,
  ``machine``, ``versions``;
- ``crossval``: ``mean_dice``, ``network`` and ``run`` of the masks;
- ``data_sha256`` of data.csv, ``patients`` (with masks of both kinds and a row in data.csv), ``least``
  (smallest number of patients for a cluster to count), ``alpha``;
- ``figures`` (``key``, ``title``) and ``clusters`` (``column``, ``title``);
- ``tests``: for each figure and cluster column ``figure``, ``column``, ``patients``, ``groups`` (sizes by
  code), and ``truth`` and ``predicted``, each with ``values`` (by code), ``h``, ``p``, ``p_holm`` (null
  where there is nothing to test);
- ``agreement``: for each figure ``spearman`` between truth and prediction over patients, ``patients``;
- ``same``: number of tests below ``alpha`` after correction for ``both``, ``truth_only``,
  ``predicted_only`` and ``neither``.

Rows of data.csv are not copied: each test lists its values by cluster, in ascending order, without
patients.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from btmodels import registry
from btmodels.dataset import cohort
from btmodels.measurement import shape
from btmodels.slices import Patient
from train import options
from train.experiments import common
from train.experiments.folds import read_masks
from train.experiments.slices import source_assets
from train.provenance import read_crossval, write_json

QUESTION = "Do automatic masks lead to the same findings on shape and genes as the expert's?"

FIGURES = (
    ("ellipsoid_ratio", "Bounding-ellipsoid ratio"),
    ("margin_fluctuation", "Margin fluctuation"),
    ("angular_deviation", "Angular deviation"),
)
"""The three figures of Buda et al. 2019."""

CLUSTERS = (
    ("RNASeqCluster", "RNA sequencing"),
    ("MethylationCluster", "DNA methylation"),
    ("miRNACluster", "microRNA"),
    ("CNCluster", "Copy number"),
    ("RPPACluster", "Protein array"),
    ("OncosignCluster", "Oncosign"),
    ("COCCluster", "Cluster of clusters"),
)

LEAST = 3
"""A cluster with fewer patients is left out of a test."""

ALPHA = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", "--assets", "--runs")
    parser.add_argument("--masks", type=Path, help="the folder of `train crossval`'s run")
    parser.add_argument(
        "--quick", action="store_true", help="made-up patients; masks are made from the truth"
    )


def main(args: argparse.Namespace) -> int:
    if not options.spares_committed(args):
        return 2
    try:
        values, source = _quick_values() if args.quick else _values(args)
    except FileNotFoundError as error:
        print(f"There are no masks of a cross-validation: {error}. Run train crossval first.")
        return 1
    body = analyze(values)
    document = {
        **common.describe_run(args, QUESTION, quick=args.quick),
        "split_sha256": cohort.split_sha256(source_assets(args)),
        **source,
        **body,
    }
    write_json(args.assets / "metrics" / "associate.json", document)
    print(f"{body['patients']} patients; tests below {ALPHA}: {body['same']}")
    return 0


def _values(args: argparse.Namespace) -> tuple[dict[str, dict], dict]:
    network = registry.get("default").name
    scored = read_crossval(args.assets, network)
    if not scored:
        raise FileNotFoundError(f"crossval_{network}.json")
    parent = args.masks or args.runs / "experiments" / scored["run"]
    patients = {p.folder: p for p in cohort.read_cohort(args.data)}
    rows = cohort.read_patient_data(args.data)
    values = {}
    folds = sorted(parent.glob("fold-*/masks.npz"))
    if not folds:
        raise FileNotFoundError(parent.name)
    for path in folds:
        for folder, masks in read_masks(path).items():
            values[folder] = common.once(
                parent / "shapes" / f"{folder}.json",
                lambda folder=folder, masks=masks: _of_patient(patients[folder], masks),
            )
    for folder, entry in values.items():
        row = rows.get(folder[: cohort.PATIENT_KEY], {})
        entry["clusters"] = [row.get(column) for column, _ in CLUSTERS]
    table = cohort.find_root(args.data) / "data.csv"
    return values, {
        "crossval": {key: scored[key] for key in ("mean_dice", "network", "run")},
        "data_sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
    }


def _of_patient(patient: Patient, masks: dict[int, np.ndarray]) -> dict:
    files = [file for file in patient.files if file.number in masks]
    truth = np.stack([cohort.read_slice(patient, file).truth for file in files])
    predicted = np.stack([masks[file.number][:, : truth.shape[2]] for file in files])
    return {"truth": figures_of(truth), "predicted": figures_of(predicted)}


def figures_of(masks: np.ndarray) -> list[float | None]:
    """Return the figures of a stack of masks, in the order of `FIGURES`; None where undefined."""
    found = shape.describe(masks)
    return [
        None if value is None else round(float(value), 6)
        for value in (getattr(found, key) for key, _ in FIGURES)
    ]


def analyze(values: dict[str, dict]) -> dict:
    """Test every figure of both kinds of masks against every cluster.

    Args:
        values: ``truth``, ``predicted`` and ``clusters`` by patient.

    Returns:
        The file's results (see the module docstring).
    """
    from scipy import stats

    known = [entry for entry in values.values() if any(entry["clusters"])]
    tests, agreement = [], []
    for index, (figure, _) in enumerate(FIGURES):
        # Use the same patients for both kinds of masks, so that the two tests are comparable.
        usable = [
            each for each in known if None not in (each["truth"][index], each["predicted"][index])
        ]
        pairs = [(entry["truth"][index], entry["predicted"][index]) for entry in usable]
        rho = stats.spearmanr(pairs).statistic if len(pairs) > 2 else np.nan
        agreement.append(
            {
                "figure": figure,
                "spearman": None if np.isnan(rho) else float(rho),
                "patients": len(pairs),
            }
        )
        for cluster, (column, _) in enumerate(CLUSTERS):
            groups: dict[str, list[dict]] = {}
            for entry in usable:
                if code := entry["clusters"][cluster]:
                    groups.setdefault(code, []).append(entry)
            groups = {code: groups[code] for code in sorted(groups) if len(groups[code]) >= LEAST}
            row = {
                "figure": figure,
                "column": column,
                "patients": sum(map(len, groups.values())),
                "groups": {code: len(group) for code, group in groups.items()},
            }
            for kind in ("truth", "predicted"):
                samples = [[entry[kind][index] for entry in group] for group in groups.values()]
                row[kind] = {
                    "values": {
                        code: sorted(sample) for code, sample in zip(groups, samples, strict=True)
                    },
                    **kruskal(samples),
                }
            tests.append(row)
    for kind in ("truth", "predicted"):
        corrected = holm([row[kind]["p"] for row in tests])
        for row, value in zip(tests, corrected, strict=True):
            row[kind]["p_holm"] = value
    return {
        "patients": len(known),
        "least": LEAST,
        "alpha": ALPHA,
        "figures": [{"key": key, "title": title} for key, title in FIGURES],
        "clusters": [{"column": column, "title": title} for column, title in CLUSTERS],
        "tests": tests,
        "agreement": agreement,
        "same": _same(tests),
    }


def kruskal(samples: Sequence[Sequence[float]]) -> dict:
    """Return ``h`` and ``p`` of the Kruskal-Wallis test (1952, J Am Stat Assoc 47:583); None for fewer
    than two groups or if all values are equal."""
    from scipy import stats

    flat = [value for sample in samples for value in sample]
    if len(samples) < 2 or len(set(flat)) < 2:
        return {"h": None, "p": None}
    found = stats.kruskal(*samples)
    return {"h": round(float(found.statistic), 4), "p": float(f"{found.pvalue:.4g}")}


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for multiple tests (Holm 1979, Scand J Statist 6:65); None stays None."""
    order = sorted((value, index) for index, value in enumerate(values) if value is not None)
    corrected: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (value, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * value))
        corrected[index] = largest
    return corrected


def _same(tests: Sequence[dict]) -> dict[str, int]:
    below = Counter(
        tuple(
            row[kind]["p_holm"] is not None and row[kind]["p_holm"] < ALPHA
            for kind in ("truth", "predicted")
        )
        for row in tests
    )
    return {
        "both": below[True, True],
        "truth_only": below[True, False],
        "predicted_only": below[False, True],
        "neither": below[False, False],
    }


def _quick_values() -> tuple[dict[str, dict], dict]:
    """Return synthetic patients with made-up clusters and true masks shifted by one row, for a trial
    run."""
    values = {}
    for index, patient in enumerate(cohort.read_cohort(cohort.samples_root())[:6]):
        files = patient.files[::3]
        truth = np.stack([cohort.read_slice(patient, file).truth for file in files])
        masks = {f.number: np.roll(t, 1, 0) for f, t in zip(files, truth, strict=True)}
        values[patient.folder] = _of_patient(patient, masks) | {
            "clusters": [str(index % 2 + 1)] * len(CLUSTERS)
        }
    return values, {"crossval": None, "data_sha256": None}
