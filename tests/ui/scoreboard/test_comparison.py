"""Tables of networks: columns that suit the smallest of them, too."""

from __future__ import annotations

from btmodels import registry
from ui.results import scores
from ui.scoreboard import comparison


def test_a_small_network_has_parameters():
    network = next(n for n in scores.networks() if n.spec.name == registry.get("sequential").name)
    millions = comparison._cost_row(network)["Parameters, millions"]
    form = comparison._cost_columns({})["Parameters, millions"]["type_config"]["format"]
    assert float(form % millions) > 0
