"""The Scoreboard's tab *Published*: others' results, and the agreement between human readers."""

from __future__ import annotations

import streamlit as st

from ui.results import published
from ui.shared.tables import table

Text = dict[str, str]
Column = st.column_config


def draw_publications(text: Text) -> None:
    """Draw published figures with their protocols, and studies of human readers."""
    st.markdown(text.get("Published figures", ""))
    table(
        published.table(),
        {
            "System": Column.TextColumn(width=250),
            "Published": Column.TextColumn(
                width=345, help="Mean and median are taken over patients; a plain Dice is not."
            ),
            "Split by": Column.TextColumn(
                width=150, help="What the split separated: patients or slices."
            ),
            "Tested on": Column.TextColumn(help="Patients, unless it says slices.", width=190),
            "Selected on them": Column.TextColumn(
                help="Whether the network or its settings were chosen by this score."
            ),
            "Source": Column.LinkColumn(display_text="source", width="small"),
        },
        "published",
        "Published systems with their figures, protocols and sources.",
        whole=True,
    )
    with st.expander("Each protocol in words", icon=":material/rule:"):
        st.markdown(published.protocols())
    st.header("Human readers", anchor=False)
    st.markdown(text.get("Human readers", ""))
    st.markdown(published.readers())
