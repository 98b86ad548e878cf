"""The OpenAI-compatible door: its own shapes in and out, with Tandem's additions under ``tandem``."""
