"""Full-text search over a folder of documents, in SQLite's FTS5."""
