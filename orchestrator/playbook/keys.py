"""Where the playbook lives in Redis: for each owner, one vector set and one index for each kind, a hash an entry."""

import hashlib
from dataclasses import dataclass

from orchestrator.playbook.entry import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one owner, in one slot of a cluster: names of owners are not ours to put into keys."""

    prefix: str

    def vectors(self, kind: Kind) -> str:
        """The vector set: element id, attributes pair, version, topic and status."""
        return f"{self.prefix}:{kind}:vectors"

    def values(self, kind: Kind) -> str:
        """A sorted set: element id, score what the entry is worth. The index of what there is."""
        return f"{self.prefix}:{kind}:values"

    def entry(self, entry: str) -> str:
        return f"{self.prefix}:entry:{entry}"

    @property
    def topics(self) -> str:
        """The vector set of topics: element id, attribute form."""
        return f"{self.prefix}:topics"

    @property
    def topic_times(self) -> str:
        """A sorted set: topic id, score when it was last seen."""
        return f"{self.prefix}:topics:times"

    @property
    def loose(self) -> str:
        """The vector set of questions like no topic's, attribute form."""
        return f"{self.prefix}:loose"

    @property
    def loose_times(self) -> str:
        return f"{self.prefix}:loose:times"

    def topic(self, topic: str) -> str:
        return f"{self.prefix}:topic:{topic}"

    def active(self, topic: str) -> str:
        """The set of a topic's entries that may be used: promoted ones and candidates."""
        return f"{self.prefix}:topic:{topic}:active"

    @property
    def pinned(self) -> str:
        """A hash: pinned entry's id, its topic's id. What they need never expires."""
        return f"{self.prefix}:pinned"

    @property
    def swept(self) -> str:
        """Is there for a while after expired entries were taken out of the indexes."""
        return f"{self.prefix}:swept"

    def renewed(self, topic: str) -> list[str]:
        """What ``renew.lua`` keeps when ``topic`` is of use, in its order."""
        indexes = [of(kind) for kind in KINDS for of in (self.vectors, self.values)]
        of_topics = [self.topics, self.topic_times, self.loose, self.loose_times]
        return [self.pinned, self.topic(topic), self.active(topic), *of_topics, *indexes]

    def trial(self, trial: str) -> str:
        """What a run, or a trial in shadow, has added already: it is learned from once."""
        return f"{self.prefix}:trial:{trial}"


def keys_of(owner: str) -> Keys:
    return Keys(f"{{tandem:playbook:{hashlib.sha256(owner.encode()).hexdigest()[:32]}}}")
