"""A scripted engine: llama.cpp's HTTP protocol with replies from a script, for tests and latency measurements."""
