"""Render the project's Markdown as escaped HTML, and as a print page without outside requests."""

from __future__ import annotations

import html

from markdown_it import MarkdownIt

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
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
"""HTML within the text is escaped, and links to scripts stay text."""


def document(title: str, body: str) -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text.
        body: HTML from the functions below.
    """
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def line(text: str) -> str:
    """Return inline Markdown as HTML, without a paragraph around it."""
    return _MARKDOWN.renderInline(" ".join(text.split()))


def blocks(text: str) -> str:
    """Return Markdown as HTML."""
    return _MARKDOWN.render(text).strip()
