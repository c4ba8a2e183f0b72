"""Terms with explanations in the lessons' text."""

from __future__ import annotations

import html
import re

from ui.lessons import markup
from ui.shared.content import sections

FILE = "lessons/glossary.md"

_MARK = re.compile(r"\[\[([^\]|]+)(?:\|([^\]|]+))?\]\]")
_PLACE = re.compile("\ue000(\\d+)\ue001([.,:;?!)]*)")


def terms() -> dict[str, str]:
    """Return explanations by term, in file order."""
    return {term: text for term, text in sections(FILE).items() if term}


def marked(text: str) -> list[str]:
    """Return the terms marked in a text, without repeats, in order.

    Args:
        text: Markdown with ``[[Dice]]``, or ``[[masks|mask]]`` if the text spells the term differently.
    """
    return list(dict.fromkeys(_term(match) for match in _MARK.finditer(text)))


def plain(text: str) -> str:
    """Return a text without its marks."""
    return _MARK.sub(lambda match: match[1], text)


def html_of(text: str) -> str:
    """Return a text as HTML in which each marked term is a button that opens its explanation."""
    found: list[re.Match] = []

    def hold(match: re.Match) -> str:
        # Private-use characters hide the terms from the Markdown parser.
        found.append(match)
        return f"\ue000{len(found) - 1}\ue001"

    def button(match: re.Match) -> str:
        term = found[int(match[1])]
        # A line may break between a button and the mark behind it, even at a word joiner.
        return (
            f'<span class="whole"><button type="button" class="term" aria-expanded="false" '
            f'data-term="{html.escape(_term(term))}">{html.escape(term[1])}</button>{match[2]}</span>'
        )

    return _PLACE.sub(button, markup.blocks(_MARK.sub(hold, text)))


def explanations(text: str) -> dict[str, str]:
    """Return the explanations of a text's marked terms, as HTML by term."""
    known = terms()
    return {term: markup.line(known[term]) for term in marked(text) if term in known}


def _term(match: re.Match) -> str:
    return match[2] or match[1]
