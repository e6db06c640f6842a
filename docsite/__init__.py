"""What makes the site of the pages in docs/: ``make docs`` calls MkDocs, MkDocs calls hooks.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
