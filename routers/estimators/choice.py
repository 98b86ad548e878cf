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
    ``fallback``, which needs no proof itself; an unproven route that fits comes before the fallback that does not.
    Where nothing fits, the fallback, else the route with the fewest tokens."""
    fitting = {route: one for route, one in predictions.items() if one.tokens <= most_tokens}
    proven = {route: one for route, one in fitting.items() if one.proven or route == fallback}
    allowed = proven or fitting
    if allowed:
        return max(allowed, key=lambda route: value(allowed[route], price))
    if fallback is not None and fallback in predictions:
        return fallback
    return min(predictions, key=lambda route: predictions[route].tokens)
