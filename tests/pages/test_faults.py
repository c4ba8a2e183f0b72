"""Messages of a page whose files or networks disappear while it is open."""

from __future__ import annotations

import shutil

import pytest

from tests import fakes


@pytest.mark.parametrize("page", ["patients", "analyze", "scoreboard", "about"])
def test_a_data_folder_that_vanishes_takes_no_page_along(open_page, cohort, page):
    app = open_page(page)
    assert not app.exception
    shutil.rmtree(cohort)
    app.run()
    assert not app.exception
    again = open_page(page)  # somebody else, who comes later
    assert not again.exception


def test_a_patient_whose_folder_vanished_gets_a_sentence(open_page, cohort):
    assert not open_page("patients", patient=fakes.PATIENTS[0]).exception
    shutil.rmtree(cohort / fakes.PATIENTS[1])  # known by name since, never read
    app = open_page("patients", patient=fakes.PATIENTS[1])
    assert not app.exception
    said = [error.value for error in app.error]
    assert len(said) == 1 and fakes.PATIENTS[1] in said[0]
