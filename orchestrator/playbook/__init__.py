"""The playbook: strategies that worked, with measured outcomes, recalled for similar problems."""
