"""The database: API keys, runs with their outcomes, and threads; SQLite by default, Postgres by URL."""
