"""Analytics on DuckLake: a catalogue, in a file or PostgreSQL, and Parquet files; read and published to."""
