"""The Scoreboard's tab *Published*: others' results, and the agreement between human readers."""

from __future__ import annotations

import streamlit as st

from ui.results import published
from ui.shared import tables

Text = dict[str, str]


def draw_publications(text: Text) -> None:
    """Draw published figures with their protocols, and studies of human readers."""
    st.markdown(text.get("Published figures", ""))
    columns = (
        tables.text("System", "system", width=250),
        tables.text(
            "Published",
            lambda each: published.figures_in_words(each["figures"]),
            width=345,
            help="Mean and median are taken over patients; a plain Dice is not.",
        ),
        tables.text(
            "Split by", "split", width=150, help="What the split separated: patients or slices."
        ),
        tables.text("Tested on", "patients", help="Patients, unless it says slices.", width=190),
        tables.text(
            "Selected on them",
            "selected",
            help="Whether the network or its settings were chosen by this score.",
        ),
        tables.TableColumn("Protocol", "protocol"),
        tables.TableColumn("Caveat", lambda each: each["caveat"] or None),
        tables.TableColumn("Protocol seen in", "read"),
        tables.link("Source", "url", display_text="source", width="small"),
    )
    alt = "Published systems with their figures, protocols and sources."
    tables.draw(published.load()["systems"], columns, "published", alt, whole=True)
    with st.expander("Each protocol in words", icon=":material/rule:"):
        st.markdown(published.protocols())
    st.header("Human readers", anchor=False)
    st.markdown(text.get("Human readers", ""))
    st.markdown(published.readers())
