"""The list of pages and the frame around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from btmodels.engine import get_engine
from ui.content import sections
from ui.document import routes

HERE = Path(__file__).parent


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Warm the engine up while the server starts; end its process with the server."""
    get_engine().start()
    try:
        yield
    finally:
        get_engine().close()


def frame() -> None:
    """Draw the page that the address names, between navigation and notice."""
    notice = sections("cards/notice.md").get("", "")
    st.set_page_config(
        page_title="Brain tumor segmentation",
        page_icon=HERE / "assets" / "figures" / "favicon.png",
        layout="wide",
        menu_items={"About": notice},
    )
    pages = [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/analyze.py", title="Analyze", icon=":material/biotech:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ]
    st.navigation(pages, position="top").run()
    st.caption(notice)


# `streamlit run` finds `app` by reading this file, serves it, and runs the file again as a script
# for each visit: imported it is the server, run it is the site.
if __name__ == "__main__":
    frame()
else:
    app = st.App(__file__, lifespan=lifespan, routes=routes(["/", "/analyze", "/about"]))
