"""A stream of questions with the playbook and without it."""
