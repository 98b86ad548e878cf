"""Every policy of two models that write one answer, beside both models alone."""
