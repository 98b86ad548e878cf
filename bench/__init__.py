"""Benchmarks, each one file; ``bench/results`` holds their data and plots."""
