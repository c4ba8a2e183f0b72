"""Scoreboard: how good each network is, on whom, and how anyone can check it; from assets alone."""

import streamlit as st

from ui import scoreboard
from ui.content import sections

text = sections("cards/scoreboard.md")

st.title(text.get("Headline", "Scoreboard"), anchor=False)
st.markdown(text.get("Sentence", ""))
if choice := scoreboard.choose(text):
    scoreboard.draw(choice, text)
