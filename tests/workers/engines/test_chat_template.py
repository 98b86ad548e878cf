"""Chat templates as model folders bring them. SmolLM2's own is compared with transformers in test_sglang.py."""

import json
from pathlib import Path

import pytest

from workers.engines.chat_template import ChatTemplate, TokenizerFolderError, vocabulary_size
from workers.engines.errors import EngineRefused

USER = [{"role": "user", "content": '<b>"hi"</b> & 日本 {{ 7*7 }}'}]


def test_special_tokens_blocks_and_loop_controls_work_as_in_transformers() -> None:
    source = (
        "{{ bos_token }}{% for m in messages %}\n"
        "    {%- if m.role == 'system' %}{% continue %}{% endif %}\n"
        "    {% if m.role == 'user' %}\n"
        "U:{{ m.content }}\n"
        "    {% endif %}\n"
        "    {% generation %}{{ m.content | tojson }}{% endgeneration %}\n"
        "{% endfor %}\n"
        "{% if add_generation_prompt %}A:{% endif %}"
    )
    rendered = ChatTemplate(source, {"bos_token": "<s>"}).render([{"role": "system", "content": "s"}, *USER])
    assert (
        rendered == "<s>" + "U:" + USER[0]["content"] + "\n" + json.dumps(USER[0]["content"], ensure_ascii=False) + "A:"
    )


def test_a_template_declines_messages_it_does_not_know() -> None:
    template = ChatTemplate("{{ raise_exception('roles must alternate') }}", {})
    with pytest.raises(EngineRefused, match="roles must alternate"):
        template.render(USER)


def test_a_template_cannot_reach_python() -> None:
    template = ChatTemplate("{{ messages.__class__.__mro__[1].__subclasses__() }}", {})
    with pytest.raises(EngineRefused):
        template.render(USER)


@pytest.mark.parametrize("form", ["string", "named", "file"])
def test_reads_the_forms_in_which_folders_keep_templates(tmp_path: Path, form: str) -> None:
    source = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"
    config: dict[str, object] = {"bos_token": {"content": "<s>", "lstrip": False}, "eos_token": "</s>"}
    if form == "string":
        config["chat_template"] = source
    elif form == "named":
        config["chat_template"] = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": source}]
    else:
        (tmp_path / "chat_template.jinja").write_text(source, encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert ChatTemplate.from_folder(tmp_path).render(USER) == f"<s>{USER[0]['content']}</s>"


def test_says_what_a_folder_lacks(tmp_path: Path) -> None:
    with pytest.raises(TokenizerFolderError, match=r"tokenizer_config\.json"):
        ChatTemplate.from_folder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(TokenizerFolderError, match="no chat template"):
        ChatTemplate.from_folder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TokenizerFolderError, match="vocab_size"):
        vocabulary_size(tmp_path)


def test_vocabulary_of_a_model_of_several_modalities(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"vocab_size": 1000}}))
    assert vocabulary_size(tmp_path) == 1000
