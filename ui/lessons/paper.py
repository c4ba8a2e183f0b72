"""Common top of what a lesson prints: title, question, link with a code that phones read, and figure."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import segno

from btmodels.paths import ASSETS
from ui.lessons import glossary, markup

KEY = "lesson"
"""Query parameter that names the lesson; all others belong to the lesson."""

STYLE = """<style>
.head { display: grid; grid-template-columns: 1fr 26mm; gap: 6mm; align-items: start; }
.head h1 { margin: 0 0 2mm; font-size: 16pt; } .head svg { width: 26mm; height: 26mm; }
.head p { margin: 0 0 2mm; } .link { font-size: 8pt; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; max-height: 88mm; margin: 3mm auto; }
</style>"""


def address_of(lesson: str, url: str) -> str:
    """Return the link to a lesson.

    Args:
        lesson: Its name in the address.
        url: URL of any view of Learn.
    """
    return urlunsplit((*urlsplit(url)[:3], f"{KEY}={lesson}", ""))


def top(lesson: str, text: Mapping[str, str], url: str) -> str:
    """Return the top as HTML.

    Args:
        lesson: Its name in the address.
        text: Text of the lesson, by heading.
        url: URL of any view of Learn, from which the lesson's link is made.
    """
    link = address_of(lesson, url)
    code = segno.make(link, error="m", micro=False).svg_inline(border=0, omitsize=True)
    return (
        f'{STYLE}<div class="head"><div><h1>{markup.line(text["Title"])}</h1>'
        f"<p><strong>{markup.line(glossary.plain(text['Question']))}</strong></p>"
        f'<p class="link">{html.escape(link)}</p></div>{code}</div>{_figure(lesson)}'
    )


def _figure(lesson: str) -> str:
    path = ASSETS / "figures" / "lessons" / f"{lesson}.webp"
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="Figure of the lesson" src="data:image/webp;base64,{data}">'
