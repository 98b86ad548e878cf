"""Whether a question is like those that a router was trained on: where it is not, what was learned says nothing."""

from collections import Counter
from collections.abc import Mapping
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
    """By form of answer, of those with at least twenty training questions: their ``vectors`` (n, dimensions), the mean
    cosine to the five nearest that all but one in ten reach among the others (``thresholds``), and the words of the
    longest (``longest``): averaged over many words every text is like every other."""

    vectors: Mapping[AnswerForm, Array]
    thresholds: Mapping[AnswerForm, float]
    longest: Mapping[AnswerForm, int]

    def strange(self, features: Features) -> str | None:
        """Why nothing is known of such a question, as half a sentence; None where it is familiar."""
        form = features.form
        if form not in self.vectors:
            return f"it was not trained on answers of the form {form!r}"
        words, threshold = len(features.text.split()), self.thresholds[form]
        if words > self.longest[form]:
            return f"it is longer than the training questions ({words} words, theirs at most {self.longest[form]})"
        near = float(np.sort(self.vectors[form] @ features.vector)[-_NEAREST:].mean())
        if near < threshold:
            return f"it is unlike the training questions (similarity {near:.2f}, below {threshold:.2f})"
        return None

    def state(self) -> State:
        values = {"thresholds": dict(self.thresholds), "longest": dict(self.longest)}
        return State("familiarity", values, {str(form): vectors for form, vectors in self.vectors.items()})

    @classmethod
    def restored(cls, state: State) -> "Familiarity":
        vectors = cast(Mapping[AnswerForm, Array], state.arrays)
        return cls(vectors, state.values["thresholds"], state.values["longest"])


def fit_familiarity(table: Table, seed: int = 0) -> Familiarity:
    rows: NDArray[np.int64] = np.sort(np.random.default_rng(seed).permutation(len(table))[:_KEPT])
    kept = table.rows(rows)
    own = {
        form: kept.rows([index for index, one in enumerate(kept.forms) if one == form])
        for form, count in sorted(Counter(kept.forms).items())
        if count >= _FEWEST_OF_A_FORM
    }
    return Familiarity(
        {form: questions.vectors for form, questions in own.items()},
        {form: _threshold(questions) for form, questions in own.items()},
        {form: max(len(text.split()) for text in questions.texts) for form, questions in own.items()},
    )


def _threshold(questions: Table) -> float:
    keys = np.asarray(questions.split_keys)
    similarity = questions.vectors @ questions.vectors.T
    # A question's variants with other numbers would make everything look familiar.
    similarity[keys[:, None] == keys[None, :]] = -1.0
    near = np.sort(similarity, axis=1)[:, -_NEAREST:].mean(axis=1)
    return float(np.quantile(near, _STRANGE_SHARE))
