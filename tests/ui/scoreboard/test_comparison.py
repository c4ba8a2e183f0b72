"""Tables of networks: columns that suit the smallest of them, too."""

from __future__ import annotations

from btmodels import registry
from ui.results import costs, scores
from ui.scoreboard import comparison


def test_a_small_network_has_parameters():
    network = next(n for n in scores.networks() if n.spec.name == registry.get("sequential").name)
    columns = {each.title: each for each in comparison.cost_columns({})}
    column = columns["Parameters, millions"]
    millions = column.of((network, costs.cost_of(network.spec.name, network.record)))
    assert float(column.config["type_config"]["format"] % millions) > 0
