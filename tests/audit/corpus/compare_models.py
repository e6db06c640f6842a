import click


@click.command()
@click.option("--db", envvar=["ANALYTICS_DB_PATH", "GREYHOUND_DB_PATH"], default="greyhound_racing_data.db")  # expect: routing-differs:warning
def main(db):
    print(db)
