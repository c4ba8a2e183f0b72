"""The lessons of Learn: a module each, which draws what moves; its words are in assets/lessons."""
