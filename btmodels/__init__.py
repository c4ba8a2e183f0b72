"""Brain-tumor segmentation as a library: decode a slice, classify it, segment it, measure the result.

Importing this package loads neither TensorFlow nor Keras; only ``btmodels.networks``, ``losses``,
``fitting``, ``weights`` and ``predict`` need them, and they are imported where a network is built.
"""

__version__ = "0.1.0"
