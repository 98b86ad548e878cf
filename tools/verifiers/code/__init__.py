"""Checks of functions: examples in a docstring, asserts that a model wrote, run in the sandbox."""
