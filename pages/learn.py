"""Learn: lessons on the real networks, each answering one question."""

from ui.lessons import page
from ui.shared.content import sections

page.draw(sections("cards/learn.md"))
