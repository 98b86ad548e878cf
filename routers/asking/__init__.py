"""How probable signs in the words of a question make it that it lacks something."""
