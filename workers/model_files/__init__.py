"""Model files: named by the sha256 of their bytes, fetched from whichever mirror has them."""
