"""What became of attempts, kept as Parquet files: the data that routers are trained on."""
