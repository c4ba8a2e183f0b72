"""Scoreboard: each network's scores, the patients behind them, and how to check them; from assets alone."""

import streamlit as st

from ui.scoreboard import page
from ui.shared.content import sections

text = sections("cards/scoreboard.md")

st.title(text.get("Headline", "Scoreboard"), anchor=False)
page.draw_headline()
page.draw_tabs(text)
