"""The native door: runs as such, with every event of their trace."""
