"""The verifiers: what a model answered, and whether two answers are the same."""
