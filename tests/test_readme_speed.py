"""The README's times are those that `make bench` measured."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SECONDS = (
    ("first page after the server's start", "first_page", 1.5),
    ("first mask after the server's start, nothing warm", "first_mask", 5.0),
    ("20 visitors at once: 95th percentile until a new slice is analyzed", "users_20/p95", 5.0),
    ("60 slices of a patient, all segmented", "patient_60/gallery", 3.0),
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
    """Return the README's table of speed, as it must stand there."""
    content = json.loads((ROOT / "assets" / "metrics" / "bench.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in content["rows"]}
    found = [
        f"| {words} | {rows[name]['value'] / 1000:.1f} s | {aim:.1f} s |"
        for words, name, aim in SECONDS
    ]
    found += [f"| {words} | {rows[name]['ratio']:.2f} | {aim} |" for words, name, aim in RATIOS]
    return [*found, f"Measured on {content['machine']}."]


def test_every_time_is_a_measured_one():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in lines():
        assert line in readme, line
