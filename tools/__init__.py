"""Checks and acts: the Python sandbox and the verifiers."""
