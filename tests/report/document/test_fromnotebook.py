"""A notebook's document has its texts and results, not its code, prints and warnings."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from greynb.demo import build_demo
from greynb.report import document_of, execute_notebook
from greynb.report.charts import INK
from greynb.report.document import html
from greynb.report.document.appendix import entries
from greynb.report.document.blocks import (
    Block,
    Chart,
    Code,
    Foreign,
    Heading,
    Note,
    Picture,
    Table,
    Text,
    Tiles,
)
from greynb.report.document.document import Document
from tests.notebook.shell import make_databases

SVG = f"""<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg"><metadata><a href="http://example.org/"/></metadata>
<path style="fill: {INK}"/></svg>"""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def shown(**data: Any) -> nbformat.NotebookNode:
    return new_output("display_data", data={name.replace("_", "/", 1): text for name, text in data.items()})


def document(*cells: nbformat.NotebookNode, **options: Any) -> Document:
    return document_of(new_notebook(cells=list(cells)), **options)


def blocks(*outputs: nbformat.NotebookNode, **metadata: Any) -> tuple[Block, ...]:
    return document(
        new_markdown_cell("# A"), new_code_cell("x", outputs=list(outputs), metadata=metadata)
    ).blocks


def test_the_first_heading_is_the_title_and_the_others_are_sections() -> None:
    made = document(new_markdown_cell("# Dogs & *odds*\n\nText\n\n## More\n\n# Again"))
    assert made.title == "Dogs & odds"
    assert made.blocks == (Text("Text"), Heading("More", 2), Heading("Again", 2))


def test_prints_warnings_and_code_are_left_out_but_results_stay() -> None:
    cell = new_code_cell(
        "secret_code()",
        outputs=[
            new_output("stream", name="stdout", text="printed"),
            new_output("stream", name="stderr", text="FutureWarning"),
            shown(text_html="<b>kept</b>", text_plain="plain"),
        ],
    )
    assert document(cell).blocks == (Foreign("<b>kept</b>", "plain"),)
    assert document(cell, show_code=True).blocks[0] == Code("secret_code()", "python")


@pytest.mark.parametrize("tag", ["remove-output", "remove-cell"])
def test_output_of_a_tagged_cell_is_left_out(tag: str) -> None:
    assert blocks(shown(text_plain="39,754 rows"), tags=[tag]) == ()


@pytest.mark.parametrize("tag", ["remove-input", "hide-input", "remove-cell"])
def test_code_of_a_tagged_cell_is_not_shown_either(tag: str) -> None:
    assert document(new_code_cell("x = 1", metadata={"tags": [tag]}), show_code=True).blocks == ()


def test_pictures_and_texts_of_other_libraries_come_as_what_they_are() -> None:
    png = base64.b64encode(PNG).decode()
    assert blocks(shown(image_png=png)) == (Picture(PNG, "Picture: A"),)
    (chart,) = blocks(shown(**{"image_svg+xml": SVG, "text_plain": "<Figure>"}))
    assert isinstance(chart, Chart) and chart.alt == "Chart: A" and chart.svg.startswith("<svg")
    assert "example.org" not in chart.svg
    assert blocks(shown(text_markdown="**b**", text_plain="b")) == (Text("**b**"),)
    assert blocks(shown(text_plain="<class 'a'>")) == (Code("<class 'a'>"),)


def test_widgets_and_broken_pictures_are_left_out() -> None:
    widget = {"application_vnd.jupyter.widget-view+json": {}, "text_plain": "IntProgress(value=0)"}
    assert blocks(shown(**widget), shown(image_png="QUJD")) == ()


def test_a_notebook_becomes_a_page_that_stands_alone() -> None:
    svg = shown(**{"image_svg+xml": SVG})
    page = html.page(
        document(new_markdown_cell("# $title and ${body}"), new_code_cell("plot()", outputs=[svg]))
    )
    assert "<h1>$title and ${body}</h1>" in page
    assert '<path style="fill: var(--ink)"/>' in page and "example.org" not in page and "<?xml" not in page


def test_results_of_a_real_kernel_keep_their_structure(tmp_path: Path) -> None:
    cells = [
        "%load_ext greynb",
        "import warnings; print('printed'); warnings.warn('warned')",
        "%%analytics\nSELECT venue, count(*) AS races FROM races GROUP BY venue ORDER BY venue",
        "%%analytics hidden\nSELECT 1 AS never_shown",
        "from greynb import Report\nfrom greynb.report import tiles, table, note",
        "import pandas as pd; pd.DataFrame({'a': [1.5]})",
        "tiles([('Races', '4')], source=hidden)",
        "table(hidden, 'A caption')",
        "note('so')",
        "Report('Inner').text('word')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('Rising'); plt.show()",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "x.ipynb")
    env = make_databases(tmp_path)
    made = document_of(execute_notebook(tmp_path / "x.ipynb", cwd=tmp_path, env=env))
    kinds = [Table, Table, Tiles, Table, Note, Text, Chart]
    assert [type(block) for block in made.blocks] == kinds
    assert made.title == "Inner"  # the first heading of all, as the notebook has none of its own
    first, plain, tiles, captioned, *_, chart = made.blocks
    assert isinstance(first, Table) and first.columns[0].texts == ("RICH", "TAR") and len(first.sources) == 1
    assert isinstance(plain, Table) and plain.sources == ()
    assert isinstance(tiles, Tiles) and isinstance(captioned, Table)
    assert tiles.sources == captioned.sources and captioned.caption == "A caption"
    assert isinstance(chart, Chart) and chart.alt == "Chart: Rising"
    assert [source.sql.split()[1] for source in made.sources] == ["venue,", "1"]


def test_an_evaluation_is_a_table_and_its_sql_stands_once_in_the_appendix(tmp_path: Path) -> None:
    demo = build_demo(tmp_path, races=60)
    cells = [
        "%load_ext greynb\nimport greynb\nfrom greynb.report import table",
        "found = greynb.evaluate(predictions='predictions', resamples=20)\nfound",
        "table(found.bins, 'Reliability')",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "x.ipynb")
    made = document_of(execute_notebook(tmp_path / "x.ipynb", cwd=tmp_path, env=demo.environment))
    metrics, remarks, bins = made.blocks
    assert isinstance(metrics, Table) and isinstance(remarks, Text) and isinstance(bins, Table)
    assert [column.label for column in metrics.columns] == ["", "model", "favourite", "uniform"]
    assert metrics.columns[0].texts[0] == "winners picked" and "left out" in remarks.markdown
    (entry,) = entries(made)
    assert "resamples = 20" in entry.values and "part" not in entry.values


def test_the_sql_of_results_that_are_not_shown_stands_in_the_appendix(tmp_path: Path) -> None:
    cells = ["%load_ext greynb", "%%analytics hidden\nSELECT 1 AS never_shown", "len(hidden)"]
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "x.ipynb")
    done = execute_notebook(tmp_path / "x.ipynb", cwd=tmp_path, env=make_databases(tmp_path))
    page = html.page(document_of(done))
    assert "never_shown" in page.split('id="appendix"')[1]


def test_a_query_that_is_asked_again_with_other_values_is_written_out_once(tmp_path: Path) -> None:
    cells = [
        "%load_ext greynb",
        "from greynb.report import table\nvenue = 'RICH'",
        "%%analytics first\nSELECT count(*) FROM races WHERE venue = :venue",
        "venue = 'TAR'",
        "%%analytics second\nSELECT count(*) FROM races WHERE venue = :venue",
        "table(first)",
        "table(second)",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "x.ipynb")
    made = document_of(execute_notebook(tmp_path / "x.ipynb", cwd=tmp_path, env=make_databases(tmp_path)))
    first, second = entries(made)
    assert len(first.codes) == 1 and "as SQL" not in first.where and "RICH" in first.values
    assert second.codes == () and second.where.endswith("as SQL 1, with") and "TAR" in second.values
