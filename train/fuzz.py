"""``python -m train fuzz``: damage thousands of files at random and record how reading them ends.

Reading a damaged file must give slices or an error message within limits of time and memory, and never
another exception, a hang or a dead process. The result goes into ``assets/metrics/fuzz.json``: by format
the number of ``files`` and of each outcome: ``decoded``, ``refused`` with a message, ``given_up`` (too
slow, or the end of the reading process) and ``uncaught`` (a defect, with its kinds under ``defects``); the
numbers of the files given up; the slowest file in seconds, and the peak memory of the reading process, in
millions of bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from btmodels.errors import DecodeError
from btmodels.io.batch import InputFile, read_batch
from btmodels.io.sandbox import Reader
from train import options
from train.fuzz_seeds import Seed, pack_zip, seeds
from train.provenance import command_line, versions, write_json

SECONDS = 2.0
"""Time limit for a file."""

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Values that tend to break lengths and offsets."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of reading a file: ``decoded``, ``refused``, ``given_up`` or ``uncaught``, and the kind
    of defect; the seconds it took, and the process's peak memory so far in bytes."""

    kind: str
    defect: str = ""
    seconds: float = 0.0
    memory: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=20_000, help="files; defaults to 20,000")
    parser.add_argument("--seed", type=int, default=0)
    options.add(parser, "--assets")


def main(args: argparse.Namespace) -> int:
    document = run(args.count, args.seed)
    document |= {"command": command_line(args.words), "versions": versions()}
    path = args.assets / "metrics" / "fuzz.json"
    write_json(path, document)
    print(
        json.dumps(
            {key: document[key] for key in ("formats", "defects", "slowest_seconds")}, indent=1
        )
    )
    return 1 if document["defects"] else 0


def run(count: int, seed: int = 0) -> dict:
    """Read ``count`` damaged files, each made from one of `seeds`, and return the outcomes."""
    sound = list(seeds())
    formats: dict[str, Counter] = {each.kind: Counter() for each in sound}
    defects: Counter = Counter()
    given_up: list[int] = []
    slowest, memory = 0.0, 0
    reader = Reader(SECONDS, patience=1)
    try:
        for number in range(count):
            one = sound[number % len(sound)]
            data = damaged(one, sound, np.random.default_rng((seed, number)))
            outcome = read(reader, data, one.name)
            formats[one.kind].update(["files", outcome.kind])
            if outcome.kind == "given_up":
                given_up.append(number)
            if outcome.defect:
                defects[f"{one.kind}: {outcome.defect}"] += 1
            slowest, memory = max(slowest, outcome.seconds), max(memory, outcome.memory)
            if number % 1000 == 999:
                print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
    finally:
        reader.close()
    return {
        "count": count,
        "seed": seed,
        "seeds": len(sound),
        "limit_seconds": SECONDS,
        "formats": {kind: dict(sorted(counts.items())) for kind, counts in formats.items()},
        "defects": dict(defects),
        "given_up": given_up,
        "slowest_seconds": round(slowest, 3),
        "memory_megabytes": round(memory / 1e6),
    }


def read(reader: Reader, data: bytes, name: str) -> Outcome:
    """Read a file as the site does, in the reader's process."""
    try:
        return reader.run(name, attempt, data, name)
    except DecodeError:  # not caught by `attempt`: time is up, or the process ended
        return Outcome("given_up", seconds=SECONDS)


def attempt(data: bytes, name: str) -> Outcome:
    """Read a file, including all files in a zip, and never raise."""
    import resource

    began = time.perf_counter()
    kind, defect = "decoded", ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if not read_batch([InputFile(name, name, data)]).studies:
                kind = "refused"
        except Exception as error:  # every one of them is a defect
            kind, defect = "uncaught", type(error).__name__
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Outcome(kind, defect, time.perf_counter() - began, memory)


def damaged(seed: Seed, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Damage a file, half of the time with valid checksums.

    Otherwise a decoder that stops at the first wrong checksum would never be tested further. So a PNG's
    checksums are corrected, or its damaged rows are compressed again, and damaged files are zipped again.
    """
    if rng.random() < 0.5:
        return damage(seed.data, others, rng)
    if seed.kind == "PNG":
        if rng.random() < 0.5:
            return _right_checksums(damage(seed.data, others, rng))
        return _with_rows(seed.data, lambda rows: damage(rows, others, rng))
    if seed.kind == "zip":
        with zipfile.ZipFile(io.BytesIO(seed.data)) as source:
            if source.testzip():  # a member is damaged already
                return damage(seed.data, others, rng)
            entries = [(entry.filename, source.read(entry)) for entry in source.infolist()]
        which = int(rng.integers(len(entries)))
        return pack_zip(
            [
                (name, damage(data, others, rng) if i == which else data)
                for i, (name, data) in enumerate(entries)
            ]
        )
    return damage(seed.data, others, rng)


def _right_checksums(png: bytes) -> bytes:
    """Correct the checksum of each chunk of a PNG, as far as the chunk lengths are valid."""
    content, at = bytearray(png), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(content)


def _with_rows(png: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Decompress the rows of a PNG, change them, and compress them into one chunk."""
    at, before, rows, after = 8, [], b"", []
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kind, body, end = png[at + 4 : at + 8], png[at + 8 : at + 8 + size], at + 12 + size
        if kind == b"IDAT":
            rows += body
        else:
            (after if rows else before).append(png[at:end])
        at = end
    packed = zlib.compress(change(zlib.decompress(rows)))
    chunk = len(packed).to_bytes(4, "big") + b"IDAT" + packed + bytes(4)
    return _right_checksums(b"".join([png[:8], *before, chunk, *after]))


def damage(data: bytes, others: list[Seed], rng: np.random.Generator) -> bytes:
    """Change a file in one to four places: flip bits, set numbers, delete, double or replace spans."""
    content = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not content:
            break
        # Half of all damage goes to the headers.
        reach = min(len(content), 512) if rng.random() < 0.5 else len(content)
        at = int(rng.integers(reach))
        length = int(rng.integers(1, 65))
        match rng.integers(8):
            case 0 | 1 | 2:
                content[at] ^= 1 << int(rng.integers(8))
            case 3 | 4:
                size = int(rng.choice([1, 2, 4]))
                number = int(rng.choice(NUMBERS)) % 256**size
                order = "little" if rng.random() < 0.5 else "big"
                content[at : at + size] = number.to_bytes(size, order)
            case 5:
                del content[at : at + length]
            case 6:
                content[at:at] = content[at : at + length]
            case _:
                other = others[int(rng.integers(len(others)))].data
                start = int(rng.integers(len(other)))
                content[at : at + length] = other[start : start + length]
    if rng.random() < 0.05:
        del content[int(rng.integers(len(content) + 1)) :]
    return bytes(content)
