"""What the gateway adds to a pass-through request, beside the LiteLLM proxy."""
