"""Errors whose messages visitors can read.

BrainTumorError
├── DecodeError        a file cannot be read as a slice
│   └── FormatError    because it is a picture or volume of a format that is not read
├── CohortError        a data folder is not laid out as expected
├── DownloadError      the data set could not be fetched
├── ExportError        a result cannot be written in the form that was asked for
├── WeightsError       weights are missing, altered or of another version
├── GraphError         the finished graph of a network is missing or altered
└── EngineError        the process that holds the networks cannot answer

Every message is one sentence that can be shown on a page as is: it names the file or the network, what
was found and what was expected. It never contains a path of the server.
"""


class BrainTumorError(Exception):
    """Base of all errors that this package raises on purpose."""


class DecodeError(BrainTumorError):
    """A file cannot be read as a slice."""


class FormatError(DecodeError):
    """A file is a picture or a volume of a known but unsupported format."""


class CohortError(BrainTumorError):
    """A data folder is not laid out as the data set is."""


class DownloadError(BrainTumorError):
    """The data set could not be fetched from Kaggle."""


class ExportError(BrainTumorError):
    """A result cannot be written in the form that was asked for."""


class WeightsError(BrainTumorError):
    """Weights are missing, altered, unfinished beyond use, or fit another network."""


class GraphError(BrainTumorError):
    """The finished graph of a network is missing or altered; Keras can still answer."""


class EngineError(BrainTumorError):
    """The worker process that holds the networks is off, broken or too slow."""
