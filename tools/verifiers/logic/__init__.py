"""First-order logic: formulas as a model writes them, read as data and decided by Z3 in the sandbox."""
