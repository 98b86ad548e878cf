"""Chat models: messages in, tokens out, over a local engine or any provider; behaviour is added by wrapping."""
