"""Texts quoted for Hydra, read back by its own parser."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from osimexp.words import quoted

TEXTS = [
    "plain", "a b", "a\\b", "a\\", "a\\\\", "a\\'", "'", "''", "\\\\'x\\", "$\\frac{$", "a\nb",
    "x\\\n", '"', "a,b=[c]{d:e}", "", " a ", "#", "null", "\x1b[2J\r", "ö\u202e\udcff",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_quoted_text_comes_back(text: str) -> None:
    parser = OverridesParser.create()
    assert parser.parse_override(f"key={quoted(text)}").value() == text
    (one,) = parser.parse_override(f"key=[{quoted(text)}]").value()
    assert str(getattr(one, "text", one)) == text
