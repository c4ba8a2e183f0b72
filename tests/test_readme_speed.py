"""The README's times are those that `make bench` measured."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SECONDS = (
    ("first page after the server's start", "first_page", 1.5),
    ("first mask after the server's start, nothing warm", "first_mask", 2.0),
    ("the next mask right after that, for a second visitor", "next_mask", 0.15),
    ("20 visitors at once: 95th percentile until a new slice is analyzed", "users_20/p95", 2.0),
    ("50 visitors at once: the same", "users_50/p95", 5.0),
    ("60 slices of a patient, all segmented", "patient_60/gallery", 2.0),
)
VALUES = (
    ("20 visitors at once: slices a second", "users_20/slices_per_second", "{:.0f}", "20"),
    (
        "20 visitors at once: processor of the server for a new slice",
        "users_20/server_cpu",
        "{:.0f} ms",
        "35 ms",
    ),
    (
        "memory of all processes after a visitor's first slices",
        "users_1/all",
        "{:.0f} MB",
        "600 MB",
    ),
    ("memory of the web process after 50 visitors", "users_50/server", "{:.0f} MB", "500 MB"),
)
RATIOS = (
    ("a page's rerun with networks, against without", "rerun", "at most 1.2"),
    ("a new slice, against `model.predict`", "analyze", "at most 0.4"),
    ("the engine, against its bare networks", "engine", "at most 1.1"),
    (
        "20 visitors at once: slices a second, against the engine alone",
        "users_20/slices_per_second",
        "at least 0.7",
    ),
    ("memory after 1,000 uploads, against before", "uploads_1000/all", "at most 1.1"),
    (
        "memory after two minutes of 50 visitors and two killed workers, against before",
        "steady_50/memory",
        "at most 1.1",
    ),
)


def lines() -> list[str]:
    """Return the README's table of speed and the figures of its reasons, as they must stand there."""
    content = json.loads((ROOT / "assets" / "metrics" / "bench.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in content["rows"]}
    found = [
        f"| {words} | {rows[name]['value'] / 1000:.1f} s | {aim:g} s |"
        for words, name, aim in SECONDS
    ]
    found += [
        f"| {words} | {form.format(rows[name]['value'])} | {aim} |"
        for words, name, form, aim in VALUES
    ]
    found += [f"| {words} | {rows[name]['ratio']:.2f} | {aim} |" for words, name, aim in RATIOS]
    return [*found, f"Measured on {content['machine']}.", *reasons(rows)]


def reasons(rows: dict[str, dict]) -> list[str]:
    """Return what the README says of the profiles, figure by figure."""

    def value(name: str) -> float:
        return rows[name]["value"]

    return [
        f"a visitor alone waits {value('users_1/p50') / 1000:.1f} s",
        *(
            f"{value(f'{what}/server_cpu'):.0f} ms in the server and "
            f"{value(f'{what}/engine_cpu'):.0f} ms in the engine"
            for what in ("users_20",)
        ),
    ]


def plain(text: str) -> str:
    """Join lines, as a reader does."""
    return " ".join(text.split())


def test_every_time_is_a_measured_one():
    readme = plain((ROOT / "README.md").read_text(encoding="utf-8"))
    for line in lines():
        assert line in readme, line
