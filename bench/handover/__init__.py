"""What a hand-over between two models costs as the text before it grows."""
