"""Markdown of our own as a page to print: one file, escaped, nothing loaded from outside."""

from __future__ import annotations

import html
import re
from itertools import groupby

_STYLE = """
@page { margin: 18mm; }
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem;
  color: #111; background: #fff; }
h1 { font-size: 1.7em; line-height: 1.2; } h2 { font-size: 1.2em; margin-top: 1.6em; }
h3 { font-size: 1em; margin-bottom: 0.2em; } h2, h3 { break-after: avoid; }
li, dd, blockquote { break-inside: avoid; } .answers { break-before: page; }
blockquote { margin: 0.3em 0 0.8em; padding-left: 0.8em; border-left: 3px solid #999; }
ul.boxes { list-style: "☐  "; } .write { border-bottom: 1px solid #999; height: 2.2em; }
code { font-size: 0.95em; } dt { font-weight: 600; margin-top: 0.5em; } dd { margin: 0 0 0 1em; }
.notice { color: #555; border-top: 1px solid #999; margin-top: 2rem; padding-top: 0.5rem; }
"""
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)\"&]+)\)")
_ITEM = re.compile(r"(?:[-*]|\d+\.) +(.*)")


def document(title: str, body: str) -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text.
        body: HTML, made of what the functions below return.
    """
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def line(text: str) -> str:
    """Return one run of Markdown as HTML: bold, italics, code and links; all else is escaped."""
    kept: list[str] = []

    def keep(markup: str) -> str:
        kept.append(markup)
        return f"\0{len(kept) - 1}\0"

    text = html.escape(text.replace("\0", ""), quote=False)
    text = re.sub(r"`([^`]+)`", lambda m: keep(f"<code>{m[1]}</code>"), text)
    text = _LINK.sub(lambda m: keep(f'<a href="{m[2]}">') + m[1] + keep("</a>"), text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
    return re.sub(r"\0(\d+)\0", lambda m: kept[int(m[1])], text)


def blocks(text: str) -> str:
    """Return Markdown as HTML: paragraphs, level-3 headings, and flat lists."""
    return "\n".join(_block(part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip())


def _block(part: str) -> str:
    if part.startswith("### "):
        heading, _, rest = part[4:].partition("\n")
        return f"<h3>{line(heading)}</h3>" + (f"\n{_block(rest)}" if rest.strip() else "")
    if not _ITEM.match(part):
        return f"<p>{line(' '.join(part.split()))}</p>"
    tag = "ol" if part[0].isdigit() else "ul"
    return f"<{tag}>" + "".join(f"<li>{line(item)}</li>" for item in _items(part)) + f"</{tag}>"


def _items(part: str) -> list[str]:
    # A line that begins no item goes on with the one before.
    numbered, number = [], 0
    for each in part.splitlines():
        match = _ITEM.match(each)
        number += match is not None
        numbered.append((number, match[1] if match else each.strip()))
    return [" ".join(words for _, words in group) for _, group in groupby(numbered, lambda p: p[0])]
