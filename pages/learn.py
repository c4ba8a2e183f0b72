"""Learn: lessons on the real networks, each with a question that it answers."""

from ui.lessons import page
from ui.shared.content import sections

page.draw(sections("cards/learn.md"))
