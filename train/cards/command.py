"""``python -m train cards``: a model card for every network that has a record.

A card has the format of model hubs: YAML front matter for machines, Markdown below for people. Its figures
come from the weights' record, their scores, ``bench.json``, ``detection.json`` and the split; its prose
comes from ``assets/cards/templates``: ``every.md`` for all networks, ``segment.md`` or ``classify.md`` by
task, and one file for each network. A card is never edited: it is rewritten when any of these change.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from btmodels import paths, registry
from btmodels.dataset.split import load_split
from btmodels.errors import BrainTumorError
from train import options
from train.cards import failures, sections, training
from train.cards.facts import SUBSETS, Facts
from train.cards.markdown import read_sections, yaml
from train.provenance import read_json

TEMPLATES = paths.ASSETS / "cards" / "templates"
"""Written manually, so they serve every assets folder."""


PUBLISHED = paths.ASSETS / "metrics" / "published.json"
"""Figures published by others, also entered manually."""

NOTICE = paths.ASSETS / "cards" / "notice.md"
"""The notice at the end of every page of the site."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--assets")


def main(args: argparse.Namespace) -> int:
    """Write all cards, and remove those of networks that have no record."""
    try:
        cards = {name: card(name, args.assets) for name in registry.recorded(args.assets)}
    except (BrainTumorError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    folder = cards_folder(args.assets)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.stem not in cards:
            path.unlink()
    for name, text in cards.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(f"wrote {len(cards)} model cards: {', '.join(cards)}")
    return 0


def cards_folder(assets: Path = paths.ASSETS) -> Path:
    """Return the folder of the cards; each is named after its network."""
    return assets / "cards" / "models"


def card(name: str, assets: Path = paths.ASSETS) -> str:
    """Return the card of a network, in Markdown.

    Args:
        name: Registry name.
        assets: Folder with weights, record, scores, benchmark and split.

    Raises:
        WeightsError: Its weights are missing or not the recorded ones.
        CohortError: There is no split.
        FileNotFoundError: It has no template.
    """
    facts = gather(name, assets)
    stems = "every", facts.spec.task, name
    every, task, own = (read_sections(TEMPLATES / f"{stem}.md") for stem in stems)
    lines = [
        f"---\n{yaml(sections.front_matter(facts))}\n---",
        f"# {facts.spec.title}",
        own["Role"],
        f"**{NOTICE.read_text(encoding='utf-8').strip()}**",
    ]
    if not facts.record.complete:
        lines.append("**The training of these weights has not been finished.**")
    for heading, texts in _parts(facts, every, task, own).items():
        lines += [f"## {heading}", *filter(None, texts)]
    lines.append(
        "*Written by `python -m train cards` from the files above and `metrics/bench.json`; edit "
        "[the words](../templates/every.md), not this file.*"
    )
    return "\n\n".join(lines) + "\n"


def _parts(
    facts: Facts, every: dict[str, str], task: dict[str, str], own: dict[str, str]
) -> dict[str, list[str]]:
    """Return paragraphs by heading. Text for the network itself replaces that for its task."""
    words = task | own
    return {
        "Description": [sections.description(facts, words)],
        "Intended use": [every["Intended use"]],
        "Out of scope": [every["Out of scope"]],
        "Training data": [every["Training data"], sections.split_table(facts)],
        "Training procedure": [
            own.get("Origin", ""),
            words["Training procedure"],
            training.training_table(facts),
            training.dials_table(facts.record, facts.spec.task),
        ],
        "Evaluation": [sections.evaluation(facts, words).replace("{experts}", _experts())],
        "Limitations": [failures.limitations(facts, [own.get("Limits", ""), every["Limits"]])],
        "Speed and size": [sections.speed(facts)],
        "Files": [sections.files(facts)],
        "How to load": [words["How to load"].replace("{name}", facts.spec.name)],
        "How to cite": [every["How to cite"]],
        "License": [every["License"]],
    }


def _experts() -> str:
    found = read_json(PUBLISHED)["experts"]
    return f"{found['mean_dice']:.2f} ± {found['spread']:.2f} ([{found['source']}]({found['url']}))"


def gather(name: str, assets: Path = paths.ASSETS) -> Facts:
    """Read the content of a card.

    Raises:
        WeightsError: The network's weights are missing or not the recorded ones.
        CohortError: There is no split.
    """
    record = registry.verify_weights(name, assets)
    content = read_json(registry.metrics_path(name, assets)) or {}
    found = {subset: content[subset] for subset in SUBSETS if subset in content}
    scored = {key: each for key, each in found.items() if each["weights_sha256"] == record.sha256}
    bench = read_json(assets / "metrics" / "bench.json") or {}
    detection = read_json(assets / "metrics" / "detection.json") or {}
    judged = name in (source["name"] for source in detection.get("sources", []))
    judged = judged and registry.get(name).task == "segment"
    lead = f"network/{name}/"
    return Facts(
        spec=registry.get(name),
        record=record,
        weights=registry.weights_files(name, assets),
        scored=scored,
        stale=tuple(key for key in found if key not in scored),
        split=load_split(assets),
        verdicts=[row for row in detection.get("rows", []) if judged and row["by"] == "segmenter"],
        bench={
            row["name"].removeprefix(lead): row
            for row in bench.get("rows", [])
            if row["name"].startswith(lead)
        },
        machine=bench.get("machine", ""),
    )
