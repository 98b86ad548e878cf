"""The doors: OpenAI-compatible API, native API, command line. They start runs and tail their events."""
