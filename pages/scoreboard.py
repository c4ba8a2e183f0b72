"""Scoreboard: how good each network is, on whom, and how anyone can check it; from assets alone."""

import streamlit as st

from ui.scoreboard import page
from ui.shared.content import sections

text = sections("cards/scoreboard.md")

st.title(text.get("Headline", "Scoreboard"), anchor=False)
page.draw_headline()
page.draw_tabs(text)
