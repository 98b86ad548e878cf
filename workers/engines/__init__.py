"""Token-level engines behind one protocol: token ids in, ids and top-k log-probabilities out."""
