"""Generates: engines, chat models, the ledger they charge, the decode lease and the Celery app."""
