"""Verifiers: what can tell a right answer from a wrong one without knowing it. All implement ``agents.verifier``."""
