"""Measure the site's speed on this machine, and the size and speed of each network.

Each time is compared with another from the same run: ratios vary less between machines and loads.

Results are written to ``assets/metrics/bench.json``: the ``command``, the ``machine`` (the processor,
cores and versions behind all times) and ``rows`` of ``name``, ``value``, ``unit``, ``against`` and
``ratio``; the last two are null where nothing is compared. Rows by name:

- ``rerun``, ``first_page``, ``first_mask``, ``next_mask``, ``analyze``, ``engine``: milliseconds, as the
  functions of these names say.
- ``profile/start/<part>``: CPU milliseconds that the networks' process takes to start, by part
  (`train.bench.profile.start_seconds`); ``profile/next_mask/<part>``: milliseconds until each part of that
  answer is there (`train.bench.start.next_mask_parts`); ``profile/rerun/elements``: page elements that a
  rerun sends, and ``/server``: its CPU milliseconds, both against the same without networks.
- ``rate/alone``, ``rate/together``: slices per second of the engine with both networks, one after the other
  and all at once, against the target.
- ``network/<name>/parameters``: parameters of the network with that registry name, trained or counted.
- ``network/<name>/multiply_adds``: multiply-adds of one forward pass for one slice (see
  `btmodels.networks.multiply_adds`); a network whose record asks for flips makes two passes.
- ``network/<name>/megabytes``: size of its weights files, in millions of bytes.
- ``network/<name>/slice_ms``: milliseconds for one slice as the site runs it, flips included, from pixels
  to probability map or verdict, against the same with ``model.predict``.
- ``stage/<stage>``: milliseconds of one stage for a slice, against ``stage/all``, from file to PNG;
  ``stage/prepare`` is a part of ``classify`` and ``segment``.
- ``runtime/<name>/<way>``: milliseconds for one slice as the ``site`` runs it; against that, with
  ``onnxruntime``, with ``openvino_float32`` and ``openvino_bfloat16`` where OpenVINO is installed, with
  compiled ``keras`` and with ``predict``.
- ``peak/product_<numbers>``: billions of multiply-adds per second of a large matrix product in the dtype
  that networks compute in on this machine; ``peak/<name>``: those of a network's forward pass for eight
  slices, against the product measured beside it.
- ``training/<name>/float32``, ``/bfloat16``: slices per second in training, the latter against the former.
- ``users_<n>/p50``, ``/p95``: milliseconds until all results for a new slice arrive, with n visitors
  at once; ``/errors``: number of errors; ``/slices_per_second``: throughput of all of them together,
  against the engine alone when it gets such slices in one call; ``/server_cpu``, ``/engine_cpu``:
  CPU milliseconds for each slice; ``/server``, ``/engine``, ``/others``, ``/all``: memory of
  the processes afterwards, in millions of bytes, against that before any visitor came.
- ``steady_50/…``: 50 visitors for two minutes while the worker is killed twice: ``slices`` requested,
  ``kills``, ``errors``, and ``memory`` at the end, in millions of bytes, against that after each of
  the patients has been seen once.
- ``patient_60/viewer``: until the viewer has the 60 slices of a patient; ``/gallery``: until all of them
  are segmented; ``/server_cpu``, ``/engine_cpu``: as above; ``/again``: for the next visitor.
  ``cohort_110/first``, ``/again``: until the table of 110 patients arrives. Milliseconds, against the
  target.
- ``uploads_<n>/server``, ``/engine``, ``/others``, ``/all``: memory of the processes after n uploads
  by one visitor, in millions of bytes, against before; ``/slope``: thousands of bytes more per upload.
- ``class_50/…``: 50 visitors who upload DICOM series and zips for five minutes while the worker is killed
  twice: ``uploads``, ``kills``, ``errors``, ``server``: peak memory of the web process, in millions of
  bytes, against the target, and ``server_left``: its memory after all have left, against before.
- ``lesson_30/…``: 30 browsers on this very machine that all start two networks at once in *Train one now*.
  ``browsers``: how many were open in time, and ``stepped``: how many of those showed a step within twenty
  seconds. The longest milliseconds until a ``first_mask`` and the loss of a ``first_step`` are on the page,
  and to analyze a new ``slice`` meanwhile, against the targets; ``browser_<n>/first_step``: those of
  each browser. The browsers run at a lower priority than the site, since a class brings its own computers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from btmodels import registry
from btmodels.errors import BrainTumorError
from train import options
from train.bench import (
    class_training,
    class_uploads,
    load,
    memory,
    networks,
    profile,
    runtimes,
    stages,
    throughput,
)
from train.bench.rows import Row, row
from train.bench.start import first_mask, first_page, next_mask, rerun
from train.provenance import machine, read_json, write_json

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
    "lesson_": "lesson",
}
"""Measurement group by the prefix of a row's name; any other row is its own group."""


PEAK_CALLS = 5
"""Calls of the matrix product and of each network: a batch of the slowest takes a second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    whose = "holds the weights that the networks' rows speak of, and gets the result"
    options.add(parser, "--assets", help=whose)
    parser.add_argument("--out", type=Path, help="write the result to this file instead")
    parser.add_argument("--reruns", type=int, default=50, help="of each kind; defaults to 50")
    parser.add_argument(
        "--browsers", type=int, default=30, help="that train at once in a lesson; defaults to 30"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=_order(),
        metavar="NAME",
        help=f"measure just these of {', '.join(_order())}; the file keeps its other rows",
    )


def main(args: argparse.Namespace) -> int:
    """Print the rows as they arrive, and write them all."""
    # Measure only what every clone has.
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
        for name in registry.recorded(args.assets) if {NETWORKS, "peak"} & set(chosen) else ():
            registry.verify_weights(name, args.assets)
        print(machine())
        print(f"{'':<32}{'value':>16}{'against':>12}{'ratio':>8}{'aim':>10}")
        rows = [made for name in chosen for made in _measured(name, args)]
    except (BrainTumorError, OtherMachine) as error:
        print(f"Nothing was measured. {error}", file=sys.stderr)
        return 1
    rows = sorted(kept + rows, key=lambda made: _order().index(_group(made)))
    content = {"command": "python -m train bench", "machine": machine(), "rows": rows}
    write_json(path, content)
    return 0


class OtherMachine(Exception):
    """The file's rows come from another machine and cannot be mixed with new ones."""


def _others(path: Path, chosen: Sequence[str]) -> list[Row]:
    """Return the rows of a file that are not measured again."""
    content = read_json(path)
    if not content:
        return []
    if content["machine"] != machine():
        raise OtherMachine(
            f"{path.name} was measured on {content['machine']}, this is {machine()}. Measure all of it "
            "(without --only), or write to another file (--out)."
        )
    known = set(_order()) - set(chosen)
    return [made for made in content["rows"] if _group(made) in known]


def _group(made: Row) -> str:
    name = made["name"]
    return next((group for begin, group in GROUPS.items() if name.startswith(begin)), name)


def _order() -> list[str]:
    return [*ROWS, *dict.fromkeys(GROUPS.values())]


def _measured(name: str, args: argparse.Namespace) -> Iterator[Row]:
    """Measure and print the rows of a group."""
    if name in GROUPS.values():
        for made in _grouped(name, args):
            yield _printed(made, "")
    else:
        measure, aim = ROWS[name]
        value, against = measure(args.reruns)
        yield _printed(row(name, value, "ms", against), aim)


def _grouped(name: str, args: argparse.Namespace) -> Iterator[Row]:
    trained = registry.recorded(args.assets)
    measure: dict[str, Callable[[], Iterator[Row]]] = {
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
        "lesson": lambda: class_training.class_training_rows(max(1, args.browsers)),
    }
    return measure[name]()


def _printed(made: Row, aim: str) -> Row:
    value, unit, against = made["value"], made["unit"], made["against"]
    compared = against is not None
    print(
        f"{made['name']:<32}{_figure(value)} {unit:<2}"
        + (f"{against:>9.1f} {unit:<2}{value / against:>8.2f}{aim:>10}" if compared else ""),
        flush=True,
    )
    return made | {
        "value": value if isinstance(value, int) else round(value, 2),
        "against": round(against, 2) if compared else None,
        "ratio": round(value / against, 3) if compared else None,
    }


def _figure(value: float) -> str:
    return f"{value:>13,}" if isinstance(value, int) else f"{value:>13.1f}"


ROWS: dict[str, tuple[Callable[[int], tuple[float, float]], str]] = {
    "rerun": (rerun, "<= 1.2"),
    "first_page": (first_page, "<= 1"),
    "first_mask": (first_mask, "<= 1"),
    "next_mask": (next_mask, "<= 1"),
    "analyze": (networks.analyze, "<= 0.4"),
    "engine": (networks.engine, "<= 1.1"),
}
