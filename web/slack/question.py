"""What is asked in Slack, as the bot takes it in."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class SharedFile(BaseModel):
    """A file as Slack describes it; ``size`` in bytes."""

    model_config = ConfigDict(frozen=True)

    name: str
    media_type: str
    size: int
    url: str
    mode: str = "hosted"


class Question(BaseModel):
    """A message that wants an answer, or a button that asks an earlier question again.

    ``ts`` is the message's own time and name, ``thread`` that of the thread's first message, ``place`` the kind of
    conversation. ``text`` is as Slack wrote it. ``harder_than`` names the run whose question is to be answered at more
    effort, and ``asked_by`` whose run that was.
    """

    model_config = ConfigDict(frozen=True)

    enterprise: str | None = None
    team: str
    channel: str
    place: Literal["direct", "channel"] = "channel"
    user: str
    ts: str
    thread: str
    text: str = ""
    files: tuple[SharedFile, ...] = ()
    harder_than: str | None = None
    asked_by: str | None = None

    @property
    def key(self) -> str:
        """What makes two deliveries the same question: Slack sends a mention under two event ids."""
        again = f":harder:{self.harder_than}" if self.harder_than else ""
        return f"{self.team}:{self.channel}:{self.ts}{again}"

    @property
    def owner(self) -> str:
        return owner_of(self.team, self.user)

    @property
    def thread_id(self) -> str:
        """The thread's id as runs know it."""
        return f"slack:{self.team}:{self.channel}:{self.thread}"


class Work(BaseModel):
    """A question under way, as much of it as another gateway needs to finish it. ``pages`` are the times (names) of
    the messages already posted as its answer, ``control`` that of the message with the stop button."""

    question: Question
    run: str | None = None
    pages: list[str] = []
    control: str | None = None
    attempts: int = 1


def owner_of(team: str, user: str) -> str:
    """The owner of a Slack user's runs: both ids come from a request that Slack has signed."""
    return f"slack:{team}:{user}"
