"""Traces of runs for OpenTelemetry collectors, without the text of anybody's messages."""
