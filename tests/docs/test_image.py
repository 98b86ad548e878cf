"""What the container image promises, read from its Dockerfile: Docker cannot build here."""

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def test_the_volume_belongs_to_the_user_that_the_image_runs_as() -> None:
    text = (_ROOT / "Dockerfile").read_text()
    [volume] = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    [user] = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    # As root, so before USER; and what is done to a folder after VOLUME is not kept.
    as_root = text[: min(text.index("\nUSER "), text.index("\nVOLUME "))]
    assert f"install --directory --owner {user} --group {user} {volume}\n" in as_root
    assert f"- data:{volume}\n" in (_ROOT / "compose.yaml").read_text()
