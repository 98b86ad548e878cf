"""The local stack: Redis, engines, worker and gateway as children of one foreground process."""
