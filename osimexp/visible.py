"""Texts of users and of files, such that every character of them is seen where they are shown.

Names may hold control characters that move a terminal's cursor or reorder a line, and markup of
what shows them. Such a text is shown as it is written, in one line.
"""

import html
import unicodedata

# Control and format characters, lone surrogates, and separators of lines and paragraphs.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def visible(text: str, encoding: str = "utf-8") -> str:
    r"""Return a text in one line, with characters that are not seen written as ``\x1b``.

    Args:
        text: text of any characters, lone surrogates of file names included.
        encoding: encoding of what shows it; characters that it lacks are written likewise.
    """
    if not text.isprintable():
        text = "".join(c if unicodedata.category(c) not in _UNSEEN else _escape(c) for c in text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def visible_html(text: str) -> str:
    """Return a text for the inside of an html element or of a quoted attribute."""
    return html.escape(visible(text))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
