"""What estimators know of a question."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.problem import AnswerForm

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """What is known before anything is spent; ``vector`` as an ``Embedder`` gives it."""

    text: str
    form: AnswerForm
    vector: Array
