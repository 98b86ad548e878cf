"""Routers and the answer-side policy beside every constant and the oracle, from stored outcomes."""
