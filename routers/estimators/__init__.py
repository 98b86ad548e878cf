"""What each route would come to on a question that nobody has tried yet: success, tokens, cost."""
