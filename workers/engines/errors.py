"""What goes wrong between Tandem and an engine."""


class EngineError(Exception):
    """Base of the faults below; the message names the engine, the value and the way out."""


class EngineUnavailable(EngineError):
    """The server cannot be reached, or broke off in the middle of an answer."""


class EngineRefused(EngineError):
    """The server declined the request (for example a prompt longer than its context)."""


class TokenOutOfVocabulary(EngineError):
    """A prompt holds an id the model does not have; sending it would end some servers."""

    def __init__(self, engine: str, token: int, vocabulary: int) -> None:
        super().__init__(
            f"token id {token} is outside the vocabulary of engine {engine!r} (0 to {vocabulary - 1}); "
            "the ids come from another tokenizer: run `tandem doctor` to compare the tokenizers"
        )


def check_ids(engine: str, ids: tuple[int, ...], vocabulary: int) -> None:
    """Raise ``TokenOutOfVocabulary`` for the first id that the model does not have."""
    for token in ids:
        if not 0 <= token < vocabulary:
            raise TokenOutOfVocabulary(engine, token, vocabulary)
