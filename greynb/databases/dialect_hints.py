"""What people type out of habit of the other engine, and what to type instead: data for `diagnose`.

Every entry was tried: the left side fails in DuckDB 1.5.5 (or SQLite 3.40), the right side runs there.
What both engines accept (``ifnull``, ``GLOB``, ``group_concat``, ``printf``, ``instr``) has no entry.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Slip(NamedTuple):
    """Statement text (strings emptied) that a syntax error is probably about, and the way to write it."""

    pattern: re.Pattern[str]
    hint: str


class Rule(NamedTuple):
    """An engine's sentence, greynb's wording of it and what to do.

    Attributes
    ----------
    pattern
        Searched in the engine's sentence; ``(?P<name>…)`` is what the error is about.
    message
        A format string over the pattern's groups.
    hint
        What to do, or None.
    about
        What kind of thing ``name`` is, for suggestions: ``table``, ``column``, ``function``, ``syntax``.
    """

    pattern: re.Pattern[str]
    message: str
    hint: str | None = None
    about: str | None = None


_DATE_PARTS: Final = (
    "it is a DATE or TIMESTAMP here, not text: year(d), strftime(d, '%Y-%m') or CAST(d AS VARCHAR)"
)
_AS_TEXT: Final = (
    "it is text here: CAST(x AS DATE) makes a date of it; of numbers, `%greynb columns TABLE` shows "
    "which is none, and TRY_CAST(x AS DOUBLE) gives NULL"
)
_DATE_FORMAT: Final = "write dates as 'YYYY-MM-DD', or strptime(text, '%d/%m/%Y')"

DUCKDB_FUNCTIONS: Final = {
    "datetime": "use now() for the present, CAST(x AS TIMESTAMP) for text, d + INTERVAL 1 DAY to shift",
    "julianday": "days between dates: date_diff('day', a, b), or julian(CAST(x AS DATE))",
    "unixepoch": "use epoch(CAST(x AS TIMESTAMP)), or epoch(now())",
    "timediff": "use age(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP)), or date_diff('day', a, b)",
    "total": "use coalesce(sum(x), 0)",
    "iif": "use if(condition, a, b) or CASE WHEN",
    "likely": "leave it out: DuckDB plans by statistics",
    "unlikely": "leave it out: DuckDB plans by statistics",
    "sqlite_version": "use version(): analytics cells run in DuckDB",
    "last_insert_rowid": "it belongs to writing: use a %%staging cell with RETURNING",
    "changes": "it belongs to writing: a %%staging cell shows the rows affected",
    "quote": "use '''' || replace(x, '''', '''''') || ''''",
}

DUCKDB_RULES: Final = (
    Rule(
        re.compile(r"Table with name (?P<name>.+?) does not exist"),
        "there is no table {name!r}",
        about="table",
    ),
    Rule(
        re.compile(r'Referenced table "(?P<name>.+?)" not found'),
        "{name!r} is no table or alias of this statement",
        about="table",
    ),
    Rule(
        re.compile(r'Referenced column "(?P<name>.+?)" not found'),
        "there is no column {name!r}",
        about="column",
    ),
    Rule(
        re.compile(r'Table "(?P<table>.+?)" does not have a column named "(?P<name>.+?)"'),
        "{table!r} has no column {name!r}",
        about="column",
    ),
    Rule(
        re.compile(r"(?:Cannot compare values|can't be cast|cast).*\[\]"),
        "a list is compared with a single value",
        "a list goes with IN: WHERE x IN (:names)",
    ),
    Rule(
        re.compile(r"Function with name `__postfix does not exist"),
        "names are not quoted with backticks",
        'quote names with double quotes: "venue"',
    ),
    Rule(
        re.compile(r"Function with name (?P<name>\S+) does not exist"),
        "there is no function {name}()",
        about="function",
    ),
    Rule(re.compile(r'"glob" is a table function'), "there is no function glob()", "write x GLOB 'a*'"),
    Rule(
        re.compile(r"'(?:~~|~~\*|!~~|~~~)\((?P<types>(?:DATE|TIMESTAMP)\b.*?)\)'"),
        "LIKE and GLOB need text, not ({types})",
        _DATE_PARTS,
    ),
    Rule(
        re.compile(r"function call \"strftime\((?P<types>.*?)\)\""),
        "strftime() cannot tell its arguments: ({types})",
        "the value must be a date: strftime(CAST(x AS TIMESTAMP), '%Y-%m'); now() is the present",
    ),
    Rule(
        re.compile(r"'(?P<name>max|min)\((?P<types>\w+, .*?)\)'"),
        "{name}() does not take ({types})",
        "the larger or smaller of several values: greatest(a, b), least(a, b)",
    ),
    Rule(
        re.compile(r'best candidate function for the function call "(?P<name>.+?)\((?P<types>.*?)\)"'),
        "{name} does not take ({types})",
        "say what the text is: CAST(x AS DATE), CAST(x AS DOUBLE)",
    ),
    Rule(
        re.compile(r"'(?P<name>\w+)\((?P<types>(?:DATE|TIMESTAMP)\b.*?)\)'"),
        "{name}() does not take ({types})",
        _DATE_PARTS,
    ),
    Rule(
        re.compile(r"'(?P<name>avg|sum|median)\(BOOLEAN\)'"),
        "{name}() does not take (BOOLEAN)",
        "use avg(CAST(condition AS INTEGER)), or count(*) FILTER (condition)",
    ),
    Rule(
        re.compile(r"'(?P<name>[^'(]+)\((?P<types>VARCHAR\b.*?)\)'"),
        "{name} does not take ({types})",
        _AS_TEXT,
    ),
    Rule(
        re.compile(r"'(?P<name>[^'(]+)\((?P<types>.*?)\)'.*explicit type casts", re.S),
        "{name} does not take ({types})",
        "cast an argument: CAST(x AS VARCHAR), CAST(x AS DOUBLE)",
    ),
    Rule(
        re.compile(r"Cannot compare values of type (?P<a>\w+) and type (?P<b>\w+?)(?= - |$)"),
        "{a} cannot be compared with {b}",
        "write dates as '2025-07-01'; where a column of numbers is text, `%greynb columns TABLE` shows why, "
        "and TRY_CAST(x AS DOUBLE) compares what is a number",
    ),
    Rule(
        re.compile(r'invalid (?:date|timestamp) field format: "now"'),
        "'now' is no date in DuckDB",
        "use current_date, or now()",
    ),
    Rule(
        re.compile(r'invalid (?:date|timestamp) field format: "(?P<name>.*?)"'),
        "{name!r} is no date of the form YYYY-MM-DD",
        _DATE_FORMAT,
    ),
    Rule(
        re.compile(r"Wrong number of arguments provided to DATE function"),
        "date() takes one argument in DuckDB",
        "use d - INTERVAL 7 DAY to shift, date_trunc('month', d) for the start of a month",
    ),
    Rule(
        re.compile(r"errhint NOT IMPLEMENTED"),
        "LIMIT with a comma is not understood",
        "write LIMIT count OFFSET start",
    ),
    Rule(
        re.compile(r'column "(?P<name>.+?)" must appear in the GROUP BY'),
        "{name!r} is neither grouped by nor aggregated",
        "GROUP BY ALL groups by every plain column; any_value({name}) takes one",
    ),
    Rule(
        re.compile(r'Ambiguous reference to column name "(?P<name>.+?)" \(use: (?P<use>.*?)\)'),
        "{name!r} is a column of more than one table",
        "write {use}",
    ),
    Rule(
        re.compile(r"Could not convert string '(?P<name>.*?)' to (?P<type>\w+)", re.S),
        "the text {name!r} is no {type}",
        "TRY_CAST(x AS …) gives NULL instead",
    ),
    Rule(re.compile(r"syntax error at end of input"), "the statement ends too early", about="syntax"),
    Rule(
        re.compile(r'syntax error at or near "(?P<name>.*?)"$', re.S | re.M),
        "not understood at {name}",
        about="syntax",
    ),
    Rule(
        re.compile(r"Out of Memory Error|could not allocate|failed to (?:pin|allocate)"),
        "the query needs more memory than there is",
        "select fewer columns or rows, or aggregate before joining",
    ),
)

DUCKDB_SLIPS: Final = (
    Slip(re.compile(r"\bIS NOT (?!NULL|TRUE|FALSE|DISTINCT|UNKNOWN)\S"), "write x IS DISTINCT FROM y"),
    Slip(re.compile(r"\bIS (?!NOT|NULL|TRUE|FALSE|DISTINCT|UNKNOWN)\S"), "write x IS NOT DISTINCT FROM y"),
    Slip(re.compile(r"\bREGEXP\b"), "use regexp_matches(x, pattern)"),
    Slip(re.compile(r"\b(?:NOT INDEXED|INDEXED BY)\b"), "leave it out: DuckDB chooses by itself"),
    Slip(re.compile(r"\bCHAR \("), "use chr(65)"),
    Slip(re.compile(r"\bTIME \("), "use CAST(x AS TIME), or localtime for the present"),
    Slip(re.compile(r"`"), 'quote names with double quotes: "venue"'),
)

SQLITE_FUNCTIONS: Final = {
    "date_trunc": "use strftime('%Y-%m-01', d) or date(d, 'start of month')",
    "strptime": "for '01/07/2025': substr(x, 7) || '-' || substr(x, 4, 2) || '-' || substr(x, 1, 2)",
    "year": "use CAST(strftime('%Y', d) AS INTEGER)",
    "month": "use CAST(strftime('%m', d) AS INTEGER)",
    "day": "use CAST(strftime('%d', d) AS INTEGER)",
    "now": "use datetime('now')",
    "today": "use date('now')",
    "date_diff": "use julianday(b) - julianday(a)",
    "datediff": "use julianday(b) - julianday(a)",
    "list": "use json_group_array(x), or group_concat(x)",
    "string_agg": "use group_concat(x, ',')",
    "array_agg": "use json_group_array(x)",
    "any_value": "use min(x) or max(x)",
    "arg_max": "ORDER BY value DESC LIMIT 1, or a bare column beside max(value)",
    "arg_min": "ORDER BY value LIMIT 1, or a bare column beside min(value)",
    "median": "compute it in an %%analytics cell",
    "quantile_cont": "compute it in an %%analytics cell",
    "stddev": "compute it in an %%analytics cell",
    "bool_or": "use max(condition)",
    "bool_and": "use min(condition)",
    "greatest": "use max(a, b)",
    "least": "use min(a, b)",
    "concat": "use a || b",
    "strlen": "use length(x)",
    "regexp": "use GLOB or LIKE, or do it in an %%analytics cell",
    "regexp_matches": "use GLOB or LIKE, or do it in an %%analytics cell",
}

SQLITE_RULES: Final = (
    Rule(
        re.compile(r"no such table: (?:main\.|temp\.)?(?P<name>.+)"),
        "there is no table {name!r}",
        about="table",
    ),
    Rule(
        re.compile(r"no such column: (?P<table>[^.]+)\.(?P<name>.+)"),
        "{table!r} has no column {name!r}",
        about="column",
    ),
    Rule(re.compile(r"no such column: (?P<name>.+)"), "there is no column {name!r}", about="column"),
    Rule(
        re.compile(r"table (?P<table>.+) has no column named (?P<name>.+)"),
        "{table!r} has no column {name!r}",
        about="column",
    ),
    Rule(re.compile(r"no such function: (?P<name>.+)"), "there is no function {name}()", about="function"),
    Rule(
        re.compile(r"ambiguous column name: (?P<name>.+)"),
        "{name!r} is a column of more than one table",
        "put the table before it: table.{name}",
    ),
    Rule(re.compile(r"incomplete input"), "the statement ends too early", about="syntax"),
    Rule(re.compile(r'near "(?P<name>.*)": syntax error', re.S), "not understood at {name}", about="syntax"),
    Rule(re.compile(r'unrecognized token: "(?P<name>.*)"', re.S), "not understood at {name}", about="syntax"),
    Rule(re.compile(r"NOT NULL constraint failed: (?P<name>.+)"), "{name} may not be NULL"),
    Rule(
        re.compile(r"UNIQUE constraint failed: (?P<name>.+)"),
        "a row with this {name} is there already",
        "INSERT … ON CONFLICT DO NOTHING, or DO UPDATE SET …, decides what happens",
    ),
    Rule(re.compile(r"CHECK constraint failed: (?P<name>.+)"), "a row breaks the table's rule {name}"),
    Rule(
        re.compile(r"FOREIGN KEY constraint failed"),
        "a row refers to a row of another table that is not there",
        "insert the row it refers to first",
    ),
)

SQLITE_SLIPS: Final = (
    Slip(re.compile(r"::"), "use CAST(x AS TEXT)"),
    Slip(re.compile(r"\bQUALIFY\b"), "put the window function into a subquery and filter outside it"),
    Slip(re.compile(r"\bILIKE\b"), "use LIKE: it ignores case for ASCII letters in SQLite"),
    Slip(re.compile(r"\b(?:GROUP|ORDER) BY ALL\b"), "name the columns: SQLite has no BY ALL"),
    Slip(
        re.compile(r"\* (?:EXCLUDE|REPLACE|RENAME)\b"), "name the columns: SQLite has no * EXCLUDE or REPLACE"
    ),
    Slip(re.compile(r"^\(?FROM\b|\bAS FROM\b"), "begin with SELECT * FROM …"),
    Slip(re.compile(r"\bTRY_CAST\b"), "CAST never fails in SQLite; typeof(x) says what a value is"),
    Slip(re.compile(r"\bEXTRACT \("), "use strftime('%Y', d)"),
    Slip(re.compile(r"\b(?:DATE|TIMESTAMP) ''"), "write the text alone: '2025-07-01'"),
    Slip(re.compile(r"\bINTERVAL\b"), "use date(d, '+1 day')"),
    Slip(re.compile(r"\bOR REPLACE (?:TEMP )?(?:TABLE|VIEW)\b"), "use DROP TABLE IF EXISTS … first"),
    Slip(
        re.compile(r"^(?:DESCRIBE|SHOW|SUMMARIZE)\b"),
        "use SELECT * FROM pragma_table_info('TABLE'), or `%greynb tables`",
    ),
    Slip(re.compile(r"^(?:PIVOT|UNPIVOT)\b"), "do it in an %%analytics cell"),
    Slip(re.compile(r"^TRUNCATE\b"), "use DELETE FROM …"),
    Slip(re.compile(r"/ /|//"), "/ divides integers to an integer in SQLite"),
    Slip(re.compile(r"\bCURRENT_DATE \("), "leave the brackets out: CURRENT_DATE"),
    Slip(re.compile(r"\bLEFT \("), "use substr(x, 1, n)"),
    Slip(re.compile(r"\bRIGHT \("), "use substr(x, -n)"),
)
