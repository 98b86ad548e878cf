"""What a judging model's verdicts are worth: its scores, and how often answers with such a score were right."""
