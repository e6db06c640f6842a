"""A sealed page tells whether it was edited."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from greynb.report.seal import has_seal, seal, seal_holds

PAGE = "<html><head><title>x</title></head><body><td>0.25</td></body></html>"


def test_a_page_holds_until_a_character_of_it_changes() -> None:
    sealed = seal(PAGE)
    assert seal_holds(sealed) and has_seal(sealed)
    assert not seal_holds(sealed.replace("0.25", "0.35"))
    assert not seal_holds(sealed.replace("greynb-seal", "greynb-sea1"))
    assert not seal_holds(PAGE) and not has_seal(PAGE)


def test_other_line_ends_are_no_edit() -> None:
    assert seal_holds(seal(PAGE.replace("><", ">\n<")).replace("\n", "\r\n"))


def test_a_page_is_sealed_once() -> None:
    again = seal(seal(PAGE).replace("0.25", "0.35"))
    assert again.count("greynb-seal") == 1 and seal_holds(again)
    assert not seal_holds(again.replace("<body>", '<meta name="greynb-seal" content="' + "0" * 64 + '">\n'))


@given(st.text(), st.integers(0), st.characters())
def test_any_text_can_be_sealed_and_any_edit_is_found(page: str, place: int, letter: str) -> None:
    sealed = seal(page)
    assert seal_holds(sealed)
    place %= len(sealed)
    edited = sealed[:place] + letter + sealed[place + 1 :]
    assume(edited.replace("\r\n", "\n") != sealed.replace("\r\n", "\n"))
    assert not seal_holds(edited)
