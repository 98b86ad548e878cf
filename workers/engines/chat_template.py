"""Chat templates of Hugging Face tokenizer folders, rendered without transformers."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from workers.engines.errors import EngineRefused, UnfitRequest

_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")


class TokenizerFolderError(EngineRefused):
    """The tokenizer folder lacks what is needed; the message names the folder and the file."""


class ChatTemplate:
    """A compiled template. It is data from a model folder, so it runs in jinja2's sandbox."""

    def __init__(self, source: str, special_tokens: Mapping[str, str]) -> None:
        self._template = _environment().from_string(source)
        self._special_tokens = dict(special_tokens)

    @classmethod
    def from_folder(cls, folder: Path) -> "ChatTemplate":
        """Read ``chat_template.jinja``, or the template inside ``tokenizer_config.json``.

        Raises ``TokenizerFolderError`` when the folder has neither.
        """
        config = read_json(folder / "tokenizer_config.json")
        separate = folder / "chat_template.jinja"
        source = separate.read_text(encoding="utf-8") if separate.is_file() else _embedded(config.get("chat_template"))
        if source is None:
            raise TokenizerFolderError(
                f"tokenizer folder {folder} has no chat template (chat_template.jinja, or chat_template in "
                "tokenizer_config.json); add the file from the model's repository"
            )
        return cls(source, _special_tokens(config))

    def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The prompt text, ending where the assistant's turn begins.

        Raises ``UnfitRequest`` when the template declines the messages (for example roles that do not alternate).
        """
        try:
            return self._template.render(
                messages=[dict(message) for message in messages],
                tools=None,
                documents=None,
                add_generation_prompt=True,
                **self._special_tokens,
            )
        except (jinja2.TemplateError, TypeError, KeyError) as error:
            # Templates are programs: one that adds None to a string raises TypeError for messages it does not expect.
            raise UnfitRequest(
                f"the model's chat template declined the messages: {error}; change their roles or order, or ask "
                "another model"
            ) from error


def vocabulary_size(folder: Path) -> int:
    """Number of ids the model's embedding has. Raises ``TokenizerFolderError`` when config.json does not say."""
    config = read_json(folder / "config.json")
    size = config.get("vocab_size", config.get("text_config", {}).get("vocab_size"))
    if not isinstance(size, int):
        raise TokenizerFolderError(
            f"{folder / 'config.json'} has no vocab_size; copy the model's own config.json there"
        )
    return size


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TokenizerFolderError(
            f"cannot read {path}: {error}; set `tokenizer` in tandem.toml to the model's folder"
        ) from error
    if not isinstance(value, dict):
        raise TokenizerFolderError(f"{path} holds {type(value).__name__}, expected an object")
    return value


def _embedded(template: object) -> str | None:
    if isinstance(template, str):
        return template
    if isinstance(template, list):
        named = {entry["name"]: str(entry["template"]) for entry in template}
        return named.get("default")
    return None


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    values = {name: config.get(name) for name in _SPECIAL}
    texts = {name: value["content"] if isinstance(value, dict) else value for name, value in values.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


class _Generation(jinja2.ext.Extension):
    """``{% generation %}`` marks what the assistant wrote, for training; here its content is passed through."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it as an instance variable

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    # The names and settings that model authors rely on; they are what transformers gives templates.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    functions: dict[str, Callable[[str], str]] = {"raise_exception": _decline, "strftime_now": _now}
    environment.globals.update(functions)
    return environment


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes HTML characters, which would change the prompt.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _decline(message: str) -> str:
    raise jinja2.TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().strftime(form)
