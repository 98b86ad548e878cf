"""The route with the best expected value: predicted success less what it costs."""

import math

from routers.estimators.protocol import Prediction, Predictions


def value(prediction: Prediction, price: float) -> float:
    """``price``: how much predicted success one unit of cost must buy (λ)."""
    return prediction.success - price * prediction.cost


def best_route(
    predictions: Predictions, price: float, *, fallback: str | None = None, most_tokens: float = math.inf
) -> str:
    """argmax P − λ · cost over the routes that are expected to fit ``most_tokens`` and are proven against the
    ``fallback``, which needs no proof. Where nothing fits, the fallback, else the route with the fewest tokens."""
    allowed = {
        route: prediction
        for route, prediction in predictions.items()
        if prediction.tokens <= most_tokens and (prediction.proven or route == fallback)
    }
    if allowed:
        return max(allowed, key=lambda route: value(allowed[route], price))
    if fallback is not None and fallback in predictions:
        return fallback
    return min(predictions, key=lambda route: predictions[route].tokens)
