import aiosqlite


async def save(rows, path):
    async with aiosqlite.connect(path) as con:  # expect: raw-connect:warning
        await con.executemany("INSERT INTO live_odds VALUES (?, ?)", rows)
        await con.commit()


async def main(name):
    async with aiosqlite.connect(":memory:") as con:
        await con.execute(f"SELECT * FROM dogs WHERE dog_name = '{name}'")  # expect: built-sql:warning
