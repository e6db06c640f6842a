"""Cutting SQL into tokens and statements."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.databases.sqltext import Dialect, pointed, split_statements, tokens

DIALECTS = st.sampled_from(["duckdb", "sqlite", "postgresql"])
PIECES = r"""SELECT ' '' " ` [ ] { } ( ) -- /* */ ; :a :: := $b $$ $t$ ? -> ->> x 1 1.5e3 . , é e' \ @c"""
SQLISH = st.lists(st.sampled_from([*PIECES.split(), " ", "\t", "\n", "\r\n"]), max_size=40).map("".join)


def found(sql: str, dialect: Dialect, kind: str) -> list[str]:
    return [token.text for token in tokens(sql, dialect) if token.kind == kind]


@given(st.one_of(SQLISH, st.text()), DIALECTS)
def test_the_tokens_of_any_text_joined_are_the_text(sql: str, dialect: Dialect) -> None:
    cut = tokens(sql, dialect)
    assert "".join(token.text for token in cut) == sql
    assert [sql[token.start : token.end] for token in cut] == [token.text for token in cut]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ':a'",
        "SELECT 'it''s :a'",
        'SELECT ":a", "x"":a"',
        "SELECT 1 -- :a",
        "SELECT 1 /* :a \n $b */",
        "SELECT 'x' /* -- */ || ' :a'",
        "SELECT col ->> '$.a'",
    ],
)
@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_quoted_and_commented_text_holds_no_parameters(sql: str, dialect: Dialect) -> None:
    assert found(sql, dialect, "parameter") == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a::int, b::date",
        "SELECT x[a:b], x[1:2], x[:n], x[1:n], x[(a):b], f(x)[a:n]",
        "SELECT 'abc'[1:n]",
        "SELECT {'a':x, b:y, end:z, c :w}",
        "SELECT MAP {'a':x}",
        "SELECT total:amount, 'x':y FROM t:runners",
        "SELECT f(a := b)",
        "SELECT $$ :a $b $$, $tag$ :a $$ $b $tag$",
        r"SELECT E'it\'s :a'",
        "SELECT /* a /* b */ :a */ 1",
        "SELECT list_transform(l, x -> x + 1)",
        "SELECT 1 WHERE a$b = 1",
        "SELECT @ -5",
    ],
)
def test_punctuation_of_duckdb_is_no_parameter(sql: str) -> None:
    assert found(sql, "duckdb", "parameter") == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT :a", [":a"]),
        ("WHERE x=:a AND y>=:b", [":a", ":b"]),
        ("WHERE x IN(:a)", [":a"]),
        ("LIMIT:n OFFSET:m", [":n", ":m"]),
        ("CASE WHEN:a THEN:b ELSE:c END", [":a", ":b", ":c"]),
        ("SELECT :a::int", [":a"]),
        ("SELECT [:a, :b]", [":a", ":b"]),
        ("SELECT x[$a:$b]", ["$a", "$b"]),
        ("SELECT {'k': :v, 'l'::w}", [":v"]),
        ("SELECT x REGEXP :pattern", [":pattern"]),
        ("SELECT x -> :path", [":path"]),
        ("ROWS BETWEEN :n PRECEDING AND CURRENT ROW", [":n"]),
        ("SELECT -$a, 1-- c\r+$b", ["$a", "$b"]),
        ("SELECT :größe", [":größe"]),
    ],
)
def test_parameters_of_duckdb_are_found_where_a_value_may_stand(sql: str, expected: list[str]) -> None:
    assert found(sql, "duckdb", "parameter") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT [x:a], `:b`, :c", [":c"]),
        ("SELECT $a, x=:b", ["$a", ":b"]),
        ("SELECT $$, :a, $$", [":a"]),
        ("SELECT 1 -- c\r:a\n:b", [":b"]),
    ],
)
def test_parameters_of_sqlite_follow_its_own_quoting(sql: str, expected: list[str]) -> None:
    assert found(sql, "sqlite", "parameter") == expected


@pytest.mark.parametrize(
    "sql", ["", " \n", ";", ";;\r\n ;", "-- nothing", "/* nothing */;", "/* never closed"]
)
def test_text_without_statements_gives_none(sql: str) -> None:
    assert split_statements(sql, "sqlite") == []


def test_statements_know_their_line_and_offset_whatever_the_newlines() -> None:
    sql = "-- first\r\nSELECT 1;\r\n\r\n  SELECT ';' ; -- last\r\n;"
    assert split_statements(sql, "duckdb") == [("SELECT 1", 2, 10), ("SELECT ';'", 4, 25)]


@pytest.mark.parametrize("opening", ["CREATE TRIGGER", "create temp trigger", "CREATE TEMPORARY TRIGGER"])
def test_a_trigger_is_one_statement(opening: str) -> None:
    trigger = (
        f"{opening} tr AFTER INSERT ON t BEGIN\n UPDATE t SET n = CASE WHEN n THEN 1 END;\n"
        " SELECT 'x; END;'; -- ; END;\nEND"
    )
    cut = split_statements(f"{trigger};\nSELECT 1", "sqlite")
    assert [statement.text for statement in cut] == [trigger, "SELECT 1"]
    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE t (n)")
    con.execute(cut[0].text)
    con.close()


@given(
    st.lists(
        st.sampled_from(["SELECT 1", "SELECT ';'", 'SELECT ";"', "SELECT 1 -- ;\n", "/* ; */ VALUES (1)"])
    )
)
def test_sqlite_finds_every_piece_complete(parts: list[str]) -> None:
    cut = split_statements(";".join(parts), "sqlite")
    assert len(cut) == len(parts)
    assert all(sqlite3.complete_statement(statement.text + "\n;") for statement in cut)


def jumbled(pieces: str, rounds: int) -> list[str]:
    """Short statements of pieces in any order, the same ones each time; some of them parse."""
    chance = random.Random(1)
    choice = [*pieces.split(), " ", " ", " ", "\n", "\r"]
    return ["SELECT " + "".join(chance.choices(choice, k=chance.randint(1, 7))) for _ in range(rounds)]


def test_duckdb_itself_finds_the_same_parameters_and_statements() -> None:
    pieces = r"""' '' " -- /* */ $$ $t$ $t$b $b $c a$b E' e'\' [ ] { } ( ) , + :: 1 1.5 'x' x ; SELECT ->
        || 'a:b' "q" 1e5 0x1 $tt$ é E'\\' /*/*"""
    parsed = 0
    for sql in jumbled(pieces, 20_000):
        try:
            theirs = duckdb.extract_statements(sql)
        except duckdb.Error:
            continue
        parsed += 1
        names = {name.lower() for each in theirs for name in each.named_parameters}
        ours = {name[1:].lower() for name in found(sql, "duckdb", "parameter")}
        assert (ours, len(split_statements(sql, "duckdb"))) == (names, len(theirs)), sql
    assert parsed > 1_000


class Asked(dict[str, int]):
    """Gives sqlite3 a value for every parameter, and remembers for which."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __missing__(self, name: str) -> int:
        self.names.add(name)
        return 1


def test_sqlite_itself_finds_the_same_parameters() -> None:
    pieces = r"""' '' " -- /* */ $b :c [ ] ` ) , + 1 1.5 'x' x SELECT || 'a:b' "q" 1e5 0x1 é"""
    parsed = 0
    with closing(sqlite3.connect(":memory:")) as con:
        for sql in jumbled(pieces, 20_000):
            asked = Asked()
            try:
                con.execute(f"EXPLAIN {sql}", asked)
            except sqlite3.Error:
                continue
            if not any("$" in name for name in asked.names):  # :a$b is one name to SQLite, and none of Python
                parsed += 1
                assert {name[1:] for name in found(sql, "sqlite", "parameter")} == asked.names, sql
    assert parsed > 1_000


@given(SQLISH, DIALECTS)
def test_statements_stand_where_they_say(sql: str, dialect: Dialect) -> None:
    for statement in split_statements(sql, dialect):
        assert sql[statement.offset :].startswith(statement.text)


def test_a_place_is_shown_with_its_line_and_carets_under_it() -> None:
    sql = "SELECT 1,\r\n\t:nmae\nFROM t"
    assert pointed(sql, sql.index(":"), 5) == "line 2: \t:nmae\n        \t^^^^^"


@given(SQLISH, st.data())
def test_any_place_can_be_shown(sql: str, data: Any) -> None:
    shown = pointed(sql, data.draw(st.integers(0, len(sql))))
    assert shown.startswith("line ")
    assert shown.endswith("^")
