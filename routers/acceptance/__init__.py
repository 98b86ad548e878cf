"""How probably an attempt is right, from the evidence on the answer's side, and what to do with that."""
