"""Chat models: messages in, tokens out, over a local engine or any provider LiteLLM knows; behaviour is added by wrapping."""
