"""What goes wrong between a model's name and its bytes."""


class ModelFileError(Exception):
    """Base of the faults below; the message names the file, the value and the way out."""


class MirrorFailed(ModelFileError):
    """One mirror could not give the file; the next one is tried."""


class ModelUnavailable(ModelFileError):
    """No mirror gave the file, or there is no room for it."""
