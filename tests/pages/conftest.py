"""Pages under AppTest: the whole site in this process, with a stand-in for the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

import btmodels.dataset.cohort
from tests import fakes

ROOT = Path(__file__).resolve().parents[2]


class _Router(PagesManager):
    # AppTest takes a folder pages/ for Streamlit's old kind of site and would leave out the frame.
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        PagesManager.uses_pages_directory = False


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    """A data folder with two small patients as ``BT_DATA_DIR``, and one patient bundled."""
    root = fakes.write_cohort(tmp_path / "data")
    bundled = fakes.write_cohort(tmp_path / "samples", fakes.BUNDLED)
    monkeypatch.setattr(btmodels.dataset.cohort, "samples_root", lambda assets=None: bundled)
    monkeypatch.setenv("BT_DATA_DIR", str(root))
    st.cache_resource.clear()
    return root


@pytest.fixture
def open_page(cohort, monkeypatch):
    """Open a page of the site, with an engine of the test's choosing."""

    monkeypatch.setattr(app_test, "PagesManager", _Router)

    def open_(page: str, fake: fakes.FakeEngine | None = None, **query: str) -> AppTest:
        fakes.use(monkeypatch, fake or fakes.FakeEngine())
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{page}.py").run()

    return open_


def words_of(app: AppTest) -> str:
    """All that a page says, in one string."""
    kinds = (app.markdown, app.caption, app.warning, app.error, app.info, app.title, app.header)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
