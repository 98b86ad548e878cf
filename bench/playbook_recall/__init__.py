"""How fast the playbook finds what it knows, and what its guard lets through."""
