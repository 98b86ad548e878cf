"""A mix of two routes drawn by chance: what any router between them has to beat at the same cost."""

import hashlib
from dataclasses import dataclass, replace

from routers.estimators.constant import Averages, fit_averages
from routers.estimators.features import Features
from routers.estimators.protocol import Fit, Predictions, State
from routers.estimators.table import Table

_CERTAIN = 1e6


@dataclass(frozen=True, slots=True)
class RandomMix:
    """Sends ``share`` of the questions to ``dear``. The draw is the question's own, so that the same question always
    gets the same route; the route that was not drawn counts as unproven and as hopeless."""

    averages: Averages
    cheap: str
    dear: str
    share: float
    seed: int

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.cheap, self.dear)

    def predict(self, features: Features) -> Predictions:
        digest = hashlib.sha256(f"{self.seed}\0{features.text}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64 < self.share
        known = self.averages.by_route
        chosen, other = (self.dear, self.cheap) if drawn else (self.cheap, self.dear)
        return {chosen: known[chosen], other: replace(known[other], success=-_CERTAIN, proven=False)}

    def state(self) -> State:
        mix = {"cheap": self.cheap, "dear": self.dear, "share": self.share, "seed": self.seed}
        return State("random-mix", {**self.averages.state().values, **mix})

    @classmethod
    def restored(cls, state: State) -> "RandomMix":
        mix = {name: state.values[name] for name in ("cheap", "dear", "share", "seed")}
        return cls(Averages.restored(state), **mix)


def random_mix(cheap: str, dear: str, share: float) -> Fit:
    def fit(table: Table, seed: int) -> RandomMix:
        return RandomMix(fit_averages(table), cheap, dear, share, seed)

    return fit
