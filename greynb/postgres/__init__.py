"""PostgreSQL: staging cells, loads and publications through psycopg 3, imported when first needed."""
