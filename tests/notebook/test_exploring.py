"""Profiles, plots and the explorer: what a cell shows when its line asks for them."""

from __future__ import annotations

import re
import sys

import nbclient
import nbformat
import pytest

from greynb.errors import UsageError
from greynb.notebook.exploring import VIEW
from tests.notebook.shell import make_databases, run, text

BY_VENUE = "SELECT venue, count(*) AS races, max(race_date) AS last FROM races GROUP BY 1 ORDER BY 1"


def outputs(captured) -> list[dict[str, str]]:
    return [each.data for each in captured.outputs]


def test_a_profile_stands_under_the_result(shell, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")  # a narrow terminal shows it in parts
    shown = text(run(shell, "%%analytics --profile\nSELECT * FROM races"))
    assert shown.index("4 rows · ") < shown.index("profile of the result · 4 rows, 4 columns")
    assert re.search(r"runners +BIGINT +1 \(25 %\) +2 +7 · 7 · 8 · 8 · 8", shown)
    assert re.search(r"venue +VARCHAR +0 +2 +RICH · TAR +RICH 2×, TAR 2×", shown)


def test_a_narrow_terminal_shows_a_profile_in_parts_and_leaves_nothing_out(shell, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = text(run(shell, "%%analytics df --profile\nSELECT * FROM races"))
    assert "more columns" not in shown and max(map(len, shown.splitlines())) <= 60
    assert shown.count("\nrunners ") == 3
    assert re.search(r"runners +BIGINT +1 \(25 %\) +2\n", shown)
    assert re.search(r"race_date +2025-07-01 · 2025-07-01 · 2025-07-02 · 20", shown)
    assert re.search(r"runners +7 · 7 · 8 · 8 · 8\n", shown) and re.search(r"venue +RICH 2×, TAR 2×", shown)


def test_a_date_is_called_so_in_the_profile_of_a_result_and_of_its_frame(shell, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    sql = "SELECT race_date, race_date + INTERVAL 5 HOUR AS later, NULL::DATE AS none FROM races"
    for shown in (
        text(run(shell, f"%%analytics df --profile\n{sql}")),
        text(run(shell, "%greynb profile df")),
    ):
        assert re.search(r"race_date +DATE +0", shown)
        assert re.search(r"later +TIMESTAMP +0", shown)
        assert re.search(r"none +DATE +4 \(100 %\)", shown)


def test_a_named_result_is_assigned_and_its_profile_shown(shell) -> None:
    shown = text(run(shell, "%%analytics df --profile\nSELECT * FROM races"))
    assert "profile of df · 4 rows" in shown and "a1" not in shown.split("profile")[0].splitlines()
    assert len(shell.user_ns["df"]) == 4


def test_the_html_of_a_profile_needs_nothing_from_elsewhere_and_escapes_names(shell) -> None:
    run(shell, "import pandas as pd\nodd = pd.DataFrame({'<b>$x$': [1, 2], 'y': ['<i>', 'z']})")
    (html,) = [
        each["text/html"]
        for each in outputs(run(shell, "display(get_ipython().run_line_magic('greynb', 'profile odd'))"))
    ]
    assert "&lt;b&gt;<span>$</span>x<span>$</span>" in html and "&lt;i&gt;" in html and "<i>z" not in html
    assert html.count("<svg") == 1 and 'fill="currentColor"' in html and 'aria-label="spread of' in html
    assert not re.search(r"https?:|<script|<link|<style|url\(", html)


def test_a_table_is_profiled_by_name_and_says_which_version(shell) -> None:
    shown = text(run(shell, "%greynb profile races"))
    assert re.search(r"profile of races @ (file|copy)-\w+ · 4 rows, 4 columns", shown)


def test_what_is_neither_table_nor_frame_is_said(shell) -> None:
    with pytest.raises(UsageError, match="no table and no DataFrame 'rases'; did you mean races"):
        run(shell, "%greynb profile rases")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--plot bar", "bar plot of races by venue: 2 rows"),
        ("--plot line x=last y=races", "line plot of races by last: 2 rows"),
        (
            "--plot scatter x=races y=races color=venue",
            "scatter plot of races by races, coloured by venue: 2 rows",
        ),
        ("--plot hist x=races", "histogram of races: 2 rows"),
        ('--plot bar x="venue" --show', "bar plot of races by venue: 2 rows"),
    ],
)
def test_a_plot_is_svg_under_the_result(shell, option: str, said: str) -> None:
    captured = run(shell, f"%%analytics df {option}\n{BY_VENUE}")
    (plot,) = [each for each in outputs(captured) if "image/svg+xml" in each]
    assert plot["text/plain"] == said
    svg = plot["image/svg+xml"]
    assert svg.startswith("<svg") and len(svg) < 20_000
    assert not re.search(r"<script|href=|url\(", svg)
    assert set(re.findall(r"https?://[^\"']+", svg)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@pytest.mark.parametrize("option", ["--plot scatter x=day y=n", "--plot line", "--plot hist x=day"])
def test_an_axis_of_a_few_days_has_days_and_no_hours(shell, option: str) -> None:
    sql = "SELECT DATE '2025-07-01' + i::INTEGER AS day, i AS n FROM range(4) t(i)"
    captured = run(shell, f"%%analytics df {option}\n{sql}")
    (svg,) = [each["image/svg+xml"] for each in outputs(captured) if "image/svg+xml" in each]
    ticks = [each for each in re.findall(r">([^<>]+)</text>", svg) if "Jul" in each or "M" in each]
    assert ticks[:4] == ["1 Jul", "2 Jul", "3 Jul", "4 Jul"]


def test_a_histogram_of_dates_counts_in_parts_of_the_calendar(shell) -> None:
    sql = "SELECT DATE '2025-07-01' + i::INTEGER AS day FROM range(200) t(i)"
    captured = run(shell, f"%%analytics df --plot hist x=day\n{sql}")
    (svg,) = [each["image/svg+xml"] for each in outputs(captured) if "image/svg+xml" in each]
    assert "Jul 2025" in svg and "Dec 2025" in svg and "PM" not in svg


def test_names_and_values_with_signs_of_their_own_are_drawn_as_they_are(shell) -> None:
    sql = 'SELECT \'a<b\' AS "x.y[0]:q", 1 AS "it\'s"'
    captured = run(shell, f"%%analytics df --plot bar\n{sql}")
    (svg,) = [each["image/svg+xml"] for each in outputs(captured) if "image/svg+xml" in each]
    assert "x.y[0]:q" in svg and "a&lt;b" in svg


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--plot bar x=venu", "no column 'venu' for x; did you mean venue"),
        ("--plot bar y=venue", "venue for y is no column of numbers"),
        ("--plot hist x=venue", "venue for x is no column of numbers"),
        ("--plot hist y=races", "takes no y"),
        ("--plot scatter", "no column of numbers is left for y"),
    ],
)
def test_what_cannot_be_drawn_is_said_after_the_result(shell, option: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(shell, f"%%analytics df {option}\n{BY_VENUE}")
    assert len(shell.user_ns["df"]) == 2


def test_too_many_rows_for_a_plot_are_refused_with_a_way_out(shell) -> None:
    with pytest.raises(UsageError, match="10,000 rows are too many") as caught:
        run(shell, "%%analytics df --plot scatter\nSELECT i, i AS j FROM range(10000) t(i)")
    assert "GROUP BY" in str(caught.value.hint)


def test_a_kind_of_plot_that_does_not_exist_is_refused_before_anything_runs(shell) -> None:
    with pytest.raises(UsageError, match="--plot takes line, bar, scatter or hist, not 'pie'"):
        run(shell, "%%analytics df --plot pie\nSELECT 1")
    assert "df" not in shell.user_ns
    with pytest.raises(UsageError, match=r"--plot takes line, bar, scatter or hist\n"):
        run(shell, "%%analytics df --plot\nSELECT 1")


def test_an_explored_result_keeps_its_static_table_above_the_widget(shell) -> None:
    static, widget = outputs(run(shell, f"%%analytics df --explore\n{BY_VENUE}"))
    assert "RICH" in static["text/html"] and "2 rows" in static["text/plain"]
    assert widget[VIEW]["model_id"] and widget["text/html"] == ""


def test_an_exported_notebook_shows_the_table_whether_or_not_widgets_are_saved(tmp_path, monkeypatch) -> None:
    for name, path in make_databases(tmp_path).items():
        monkeypatch.setenv(name, path)
    cells = [
        nbformat.v4.new_code_cell(each) for each in ("%load_ext greynb", f"%%analytics --explore\n{BY_VENUE}")
    ]
    book = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        book, resources={"metadata": {"path": str(tmp_path)}}, kernel_name="python3"
    )
    client.execute()
    assert "widgets" in book.metadata
    shown = [output.data for output in book.cells[1].outputs]
    assert [VIEW in each for each in shown] == [False, True]
    assert "RICH" in shown[0]["text/html"]


def test_the_widget_answers_sql_about_the_result_and_reaches_nothing_else(shell, tmp_path) -> None:
    import quak

    made: list[quak.Widget] = []
    before = quak.Widget.__init__

    def remember(self: quak.Widget, *arguments: object, **options: object) -> None:
        made.append(self)
        before(self, *arguments, **options)

    quak.Widget.__init__ = remember
    try:
        run(shell, f"%%analytics df --explore\n{BY_VENUE}")
    finally:
        quak.Widget.__init__ = before
    (widget,) = made
    assert widget.data().fetchall()[0][:2] == ("RICH", 2)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(Exception, match="disabled"):
        widget._conn.execute(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")


def test_columns_of_types_that_the_widget_does_not_know_are_given_as_others(shell) -> None:
    run(shell, "import pandas as pd\nodd = pd.DataFrame({'a': pd.to_datetime(['2025-07-01']).as_unit('s')})")
    run(shell, "odd['b'] = pd.to_timedelta(['1s'])\nodd['c d'] = [1]")
    from greynb.notebook.exploring import TABLE, _engine

    con = _engine(shell.user_ns["odd"])
    assert con.execute(f'SELECT typeof(a), typeof(b), typeof("c d") FROM {TABLE}').fetchall() == [
        ("TIMESTAMP", "VARCHAR", "BIGINT")
    ]


def test_any_dataframe_of_pandas_can_be_explored_and_profiled(shell) -> None:
    run(shell, "import pandas as pd\nfound = pd.DataFrame({'x': [1, 2]})")
    static, widget = outputs(run(shell, "found.greynb.explore()"))
    assert "<table" in static["text/html"] and VIEW in widget
    assert "profile of DataFrame · 2 rows" in text(run(shell, "found.greynb.profile()"))
    shell.run_line_magic("unload_ext", "greynb")
    assert not hasattr(shell.user_ns["found"], "greynb")
    shell.run_line_magic("load_ext", "greynb")


@pytest.mark.parametrize(
    ("library", "option", "extra"), [("quak", "--explore", "explore"), ("vl_convert", "--plot bar", "plot")]
)
def test_without_its_library_the_result_is_shown_and_the_way_to_get_it(
    shell, monkeypatch, library: str, option: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    with pytest.raises(UsageError) as caught:
        run(shell, f"%%analytics df {option}\n{BY_VENUE}")
    assert f"greynb[{extra}]" in str(caught.value.hint)
    assert len(shell.user_ns["df"]) == 2


def test_a_line_gives_its_value_and_shows_the_plot(shell) -> None:
    captured = run(shell, f"df = %analytics --plot bar {BY_VENUE}")
    assert len(shell.user_ns["df"]) == 2
    assert any("image/svg+xml" in each for each in outputs(captured))
