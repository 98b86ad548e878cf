"""Whether a question is like those that a router was trained on: where it is not, what was learned says nothing."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from agents.problem import AnswerForm
from routers.estimators.features import Array, Features
from routers.estimators.protocol import State
from routers.estimators.table import Table

_NEAREST = 5
_STRANGE_SHARE = 0.1
_KEPT = 4000
_FEWEST_OF_A_FORM = 20


@dataclass(frozen=True, slots=True)
class Familiarity:
    """``vectors`` (n, dimensions) of training questions. ``threshold``: the mean cosine to the five nearest that all
    but one in ten training questions reach among the others. ``forms``: those of at least twenty questions."""

    vectors: Array
    threshold: float
    forms: tuple[AnswerForm, ...]

    def strange(self, features: Features) -> str | None:
        """Why nothing is known of such a question, as half a sentence; None where it is familiar."""
        if features.form not in self.forms:
            return f"it was not trained on answers of the form {features.form!r}"
        similarity = self.vectors @ features.vector
        near = float(np.sort(similarity)[-_NEAREST:].mean())
        if near < self.threshold:
            return f"it is unlike the training questions (similarity {near:.2f}, below {self.threshold:.2f})"
        return None

    def state(self) -> State:
        values = {"threshold": self.threshold, "forms": list(self.forms)}
        return State("familiarity", values, {"vectors": self.vectors})

    @classmethod
    def restored(cls, state: State) -> "Familiarity":
        forms = cast(tuple[AnswerForm, ...], tuple(state.values["forms"]))
        return cls(state.arrays["vectors"], state.values["threshold"], forms)


def fit_familiarity(table: Table, seed: int = 0) -> Familiarity:
    rows: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(table))[:_KEPT]
    vectors = table.vectors[np.sort(rows)]
    keys = np.asarray(table.split_keys)[np.sort(rows)]
    similarity = vectors @ vectors.T
    # A question's variants with other numbers would make everything look familiar.
    similarity[keys[:, None] == keys[None, :]] = -1.0
    near = np.sort(similarity, axis=1)[:, -_NEAREST:].mean(axis=1)
    counts = {form: table.forms.count(form) for form in sorted(set(table.forms))}
    forms = tuple(form for form, count in counts.items() if count >= _FEWEST_OF_A_FORM)
    return Familiarity(vectors, float(np.quantile(near, _STRANGE_SHARE)), forms)
