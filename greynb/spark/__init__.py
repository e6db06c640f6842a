"""Analytics computed by Spark Connect, over exactly the Parquet files of one snapshot of a DuckLake."""
