"""Decides: the LangGraph controller, runs, settings and the composition root."""
