"""What a worker is asked to fail by; free of TensorFlow, as the web process is."""

from __future__ import annotations

import sys
from pathlib import Path

from btmodels.errors import EngineError
from btmodels.inference.engine import Engine


def in_tensorflow(assets: Path) -> None:
    import tensorflow as tf

    tf.reshape(tf.zeros(3), [2])


if __name__ == "__main__":
    from tests.btmodels import failing

    engine = Engine()
    try:
        engine.ask(failing.in_tensorflow)
    except EngineError as error:
        print(error)  # noqa: T201
    engine.close()
    print("tensorflow" in sys.modules)  # noqa: T201
