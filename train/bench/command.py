"""Measure the site's speed on this machine, and the size and speed of each network.

Each time is compared with another one of the same run: machines and their load differ, ratios less.

What is measured is written to ``assets/metrics/bench.json``: the ``command``, the ``machine`` (processor,
cores and versions that all times hold for) and ``rows`` of ``name``, ``value``, ``unit``, ``against`` and
``ratio``, the last two null where nothing is compared. Rows by name:

- ``rerun``, ``first_page``, ``first_mask``, ``next_mask``, ``analyze``, ``engine``: milliseconds, as the
  functions of these names say.
- ``profile/start/<part>``: milliseconds of one processor that the networks' process takes to start, by part
  (`train.bench.profile.start_seconds`); ``profile/rerun/elements``: parts of a page that a rerun sends, and
  ``/server``: milliseconds of one processor for it, both against the same without networks.
- ``rate/alone``, ``rate/together``: slices a second of the engine with both networks, one after the other
  and all at once, against the target.
- ``network/<name>/parameters``: numbers in the network of that registry name, trained or counted.
- ``network/<name>/multiply_adds``: of one forward pass for one slice (see
  `btmodels.networks.multiply_adds`); a network whose record asks for flips makes two.
- ``network/<name>/megabytes``: its weights files, in millions of bytes.
- ``network/<name>/slice_ms``: milliseconds for one slice as the site runs it, flips included, from pixels
  to map or verdict; against the same by ``model.predict``.
- ``stage/<stage>``: milliseconds of one stage of a slice, against ``stage/all``, from file to PNG;
  ``stage/prepare`` is a part of ``classify`` and ``segment``.
- ``runtime/<name>/<way>``: milliseconds for one slice as the ``site`` asks; against it, by ``onnxruntime``
  and, where it is installed, by ``openvino_float32`` and ``openvino_bfloat16``, by compiled ``keras`` and
  by ``predict``.
- ``peak/product_<numbers>``: billions of multiply-adds a second of a large matrix product in the numbers
  that networks compute in here; ``peak/<name>``: of a network's forward pass for eight slices, against the
  product beside it.
- ``training/<name>/float32``, ``/bfloat16``: slices a second of training, the latter against the former.
- ``users_<n>/p50``, ``/p95``: milliseconds until all is there that is said of a new slice, of n visitors
  who ask at once; ``/errors``: how often they met one; ``/slices_per_second``: of all of them together,
  against the engine alone when it is handed such slices at once; ``/server_cpu``, ``/engine_cpu``:
  milliseconds of one processor for each slice; ``/server``, ``/engine``, ``/others``, ``/all``: memory of
  the processes afterwards, in millions of bytes, against before any of them came.
- ``steady_50/…``: 50 visitors for two minutes while the worker is killed twice: ``slices`` they asked for,
  ``kills``, ``errors`` they met, and ``memory`` after it, in millions of bytes, against that after a
  first slice for each.
- ``patient_60/viewer``: until the viewer has the 60 slices of a patient; ``/gallery``: until all of them
  are segmented; ``/server_cpu``, ``/engine_cpu``: as above; ``/again``: for the next visitor.
  ``cohort_110/first``, ``/again``: until the table of 110 patients is there. Milliseconds, against what is
  aimed at.
- ``uploads_<n>/server``, ``/engine``, ``/others``, ``/all``: memory of the processes after so many uploads
  by one visitor, in millions of bytes, against before; ``/slope``: thousands of bytes more with each.
- ``class_50/…``: 50 visitors who upload DICOM series and zips for five minutes while the worker is killed
  twice: ``uploads``, ``kills``, ``errors`` they met, ``server``: the most that the web process held, in
  millions of bytes, against what is aimed at, and ``server_left``: what it holds when all have left,
  against before.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from btmodels import paths, registry
from btmodels.errors import BrainTumorError
from train.bench.start import first_mask, first_page, next_mask, rerun
from train.provenance import machine, write_json

NETWORKS = "networks"

GROUPS = {
    "profile/": "profile",
    "rate/": "rate",
    "network/": NETWORKS,
    "stage/": "stages",
    "runtime/": "runtimes",
    "peak/": "peak",
    "training/": "training",
    "users": "users",
    "steady": "steady",
    "patient_": "patients",
    "cohort_": "patients",
    "uploads_": "memory",
    "class_": "class",
}
"""By how a row's name begins, what it is measured with; any other row is a group of its own."""


PEAK_CALLS = 5
"""Of the matrix product and of each network: a batch of the slowest takes a second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--assets",
        type=Path,
        default=paths.ASSETS,
        help="holds the weights that the networks' rows speak of, and gets the result",
    )
    parser.add_argument("--out", type=Path, help="write the result to this file instead")
    parser.add_argument("--reruns", type=int, default=50, help="of each kind; defaults to 50")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=_order(),
        metavar="NAME",
        help=f"measure just these of {', '.join(_order())}; the file keeps its other rows",
    )


def main(args: argparse.Namespace) -> int:
    """Print the rows as they come, and write them all."""
    # Only what every clone has is measured.
    os.environ["BT_DATA_DIR"] = ""
    os.environ.pop("BT_ENGINE", None)
    path = args.out or args.assets / "metrics" / "bench.json"
    chosen = args.only or _order()
    kept = []
    try:
        if args.only:
            kept = _others(path, chosen)
        for name in ("default", "default-classifier"):
            registry.verify_weights(name)
        for name in _trained(args.assets) if {NETWORKS, "peak"} & set(chosen) else ():
            registry.verify_weights(name, args.assets)
        print(machine())
        print(f"{'':<32}{'value':>16}{'against':>12}{'ratio':>8}{'aim':>10}")
        rows = [row for name in chosen for row in _measured(name, args)]
    except (BrainTumorError, OtherMachine) as error:
        print(f"Nothing was measured. {error}", file=sys.stderr)
        return 1
    rows = sorted(kept + rows, key=lambda row: _order().index(_group(row)))
    content = {"command": "python -m train bench", "machine": machine(), "rows": rows}
    write_json(path, content)
    return 0


class OtherMachine(Exception):
    """The file's rows were measured on another machine, with which this one's cannot stand."""


def _others(path: Path, chosen: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a file that are not to be measured anew."""
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["machine"] != machine():
        raise OtherMachine(
            f"{path.name} was measured on {content['machine']}, this is {machine()}. Measure all of it "
            "(without --only), or write to another file (--out)."
        )
    known = set(_order()) - set(chosen)
    return [row for row in content["rows"] if _group(row) in known]


def _trained(assets: Path) -> list[str]:
    return [name for name in registry.SPECS if registry.record_path(name, assets).exists()]


def _group(row: dict[str, Any]) -> str:
    name = row["name"]
    return next((group for begin, group in GROUPS.items() if name.startswith(begin)), name)


def _order() -> list[str]:
    return [*ROWS, *dict.fromkeys(GROUPS.values())]


def _measured(name: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure and print the rows of a group."""
    if name in GROUPS.values():
        for row in _grouped(name, args):
            yield _printed(row, "")
    else:
        measure, aim = ROWS[name]
        value, against = measure(args.reruns)
        yield _printed({"name": name, "value": value, "unit": "ms", "against": against}, aim)


def _grouped(name: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from train.bench import (
        class_uploads,
        load,
        memory,
        networks,
        profile,
        runtimes,
        stages,
        throughput,
    )

    trained = _trained(args.assets)
    measure: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        NETWORKS: lambda: networks.network_rows(trained, args.reruns, args.assets),
        "profile": profile.profile_rows,
        "rate": lambda: networks.rate_rows(args.reruns),
        "stages": lambda: stages.stage_rows(args.reruns),
        "runtimes": lambda: runtimes.runtime_rows(args.reruns),
        "peak": lambda: throughput.peak_rows(trained, PEAK_CALLS, args.assets),
        "training": throughput.training_rows,
        "users": load.load_rows,
        "steady": load.steady_rows,
        "patients": load.patient_rows,
        "memory": memory.memory_rows,
        "class": class_uploads.class_upload_rows,
    }
    return measure[name]()


def _printed(row: dict[str, Any], aim: str) -> dict[str, Any]:
    value, unit, against = row["value"], row.get("unit", ""), row.get("against")
    compared = against is not None
    print(
        f"{row['name']:<32}{_figure(value)} {unit:<2}"
        + (f"{against:>9.1f} {unit:<2}{value / against:>8.2f}{aim:>10}" if compared else ""),
        flush=True,
    )
    return {
        "name": row["name"],
        "value": value if isinstance(value, int) else round(value, 2),
        "unit": unit,
        "against": round(against, 2) if compared else None,
        "ratio": round(value / against, 3) if compared else None,
    }


def _figure(value: float) -> str:
    return f"{value:>13,}" if isinstance(value, int) else f"{value:>13.1f}"


def analyze(repeats: int) -> tuple[float, float]:
    """One new slice from file to overlay by the engine, against the same by ``model.predict``."""
    from train.bench import networks

    return networks.analyze(repeats)


def engine(repeats: int) -> tuple[float, float]:
    """One slice by the engine, against the bare compiled networks in this process."""
    from train.bench import networks

    return networks.engine(repeats)


ROWS: dict[str, tuple[Callable[[int], tuple[float, float]], str]] = {
    "rerun": (rerun, "<= 1.2"),
    "first_page": (first_page, "<= 1"),
    "first_mask": (first_mask, "<= 1"),
    "next_mask": (next_mask, "<= 1"),
    "analyze": (analyze, "<= 0.4"),
    "engine": (engine, "<= 1.1"),
}
