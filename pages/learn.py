"""Learn: lessons on the real networks, each with a question that it answers."""

from ui import learn
from ui.content import sections

learn.draw(sections("cards/learn.md"))
