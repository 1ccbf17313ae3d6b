"""Mutations of texts, XML files and folders, each described in words."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Generator = np.random.Generator

NUMBERS = (
    "0", "-1", "1", "-0.0", "1e-300", "1e300", "nan", "NaN", "inf", "-Infinity", "", "abc", "1,5",
    "0x10", "1e999", "1.2.3", "١",
)  # fmt: skip
"""Texts in the place of a number."""

TEXTS = (
    "", " ", "null", "ground", "[bold]x", "\x1b[2J", "a\rb", "\u202ex", "$x$", "${oc.env:HOME}",
    "../../x", "{}", "[]", "true", "x" * 5000, "ß足", "<b>&", "'", '"', "\\",
)  # fmt: skip
"""Texts in the place of a name or another value."""

_NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:[eE][-+]?\d+)?(?![\w.])")
_WORD = re.compile(r"(?<![\w.])[A-Za-z_][\w./]*")
_ELEMENT = re.compile(r"<(\w+)[^<>]*>[^<>]*</\1>|<(\w+)[^<>]*/>")


def mutated_bytes(content: bytes, generator: Generator) -> tuple[bytes, str]:
    """Return a file's content, changed as by a bad disk or transfer, and the change in words."""
    if not content:
        return b"\0", "a byte was added"
    kind = generator.integers(6)
    place = int(generator.integers(len(content)))
    size = int(generator.integers(1, 65))
    match kind:
        case 0:
            return content[:place], f"cut after byte {place}"
        case 1:
            bit = int(generator.integers(8))
            changed = bytes((content[place] ^ 1 << bit,))
            return content[:place] + changed + content[place + 1 :], f"bit {8 * place + bit}"
        case 2:
            return content[:place] + content[place + size :], f"{size} bytes at {place} gone"
        case 3:
            noise = generator.bytes(size)
            return content[:place] + noise + content[place + size :], f"noise at byte {place}"
        case 4:
            zeros = bytes(min(size, len(content) - place))
            return content[:place] + zeros + content[place + size :], f"zeros at byte {place}"
    return b"", "emptied"


def mutated_text(text: str, generator: Generator) -> tuple[str, str]:
    """Return a text with one number, word or line changed, and the change in words."""
    match generator.integers(4):
        case 0:
            return _replaced(text, _NUMBER, NUMBERS, generator)
        case 1:
            return _replaced(text, _WORD, TEXTS, generator)
        case 2:
            return _replaced(text, _NUMBER, TEXTS, generator)
    return _lines(text, generator)


def mutated_xml(text: str, generator: Generator) -> tuple[str, str]:
    """Return an XML text with one element or value changed, and the change in words."""
    found = list(_ELEMENT.finditer(text))
    if not found or generator.random() < 0.5:
        return mutated_text(text, generator)
    one = found[generator.integers(len(found))]
    other = found[generator.integers(len(found))]
    line = text.count("\n", 0, one.start()) + 1
    name = one[1] or one[2]
    match generator.integers(4):
        case 0:
            return text[: one.start()] + text[one.end() :], f"{name} of line {line} removed"
        case 1:
            return text[: one.end()] + one[0] + text[one.end() :], f"{name} of line {line} doubled"
        case 2:
            changed = text[: one.start()] + other[0] + text[one.end() :]
            return changed, f"{name} of line {line} replaced by {other[1] or other[2]}"
    begin = one[0].index(">") + 1
    value = str(generator.choice(NUMBERS + TEXTS))
    changed = one[0][:begin] + value + f"</{name}>"
    return text[: one.start()] + changed + text[one.end() :], f"{name} of line {line} is {value!r}"


def mutate(file: Path, generator: Generator) -> str:
    """Change a file in place, and return the change in words."""
    content = file.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or generator.random() < 0.3:
        changed, change = mutated_bytes(content, generator)
    else:
        of_text = mutated_xml if file.suffix == ".osim" else mutated_text
        found, change = of_text(text, generator)
        changed = found.encode(errors="surrogateescape")
    file.write_bytes(changed)
    return change


def mutate_folder(folder: Path, generator: Generator) -> str:
    """Change one file of a folder, or its place there, and return the change in words."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    file = files[generator.integers(len(files))]
    name = file.relative_to(folder)
    if generator.random() > 0.2:
        return f"{name}: {mutate(file, generator)}"
    file.unlink()
    match generator.integers(4):
        case 0:
            file.mkdir()
            return f"{name} is a folder"
        case 1:
            file.symlink_to("nowhere")
            return f"{name} leads nowhere"
        case 2:
            file.symlink_to(file.name)
            return f"{name} leads to itself"
    return f"{name} is gone"


def _replaced(
    text: str, pattern: re.Pattern[str], by: Sequence[str], generator: Generator
) -> tuple[str, str]:
    found = list(pattern.finditer(text))
    if not found:
        return _lines(text, generator)
    one = found[generator.integers(len(found))]
    value = by[int(generator.integers(len(by)))]
    line = text.count("\n", 0, one.start()) + 1
    changed = text[: one.start()] + value + text[one.end() :]
    return changed, f"{one[0]} in line {line} is {value[:40]!r}"


def _lines(text: str, generator: Generator) -> tuple[str, str]:
    lines = text.split("\n")
    place = int(generator.integers(len(lines)))
    match generator.integers(3):
        case 0:
            del lines[place]
            change = "removed"
        case 1:
            lines.insert(place, lines[place])
            change = "doubled"
        case _:
            other = int(generator.integers(len(lines)))
            lines[place], lines[other] = lines[other], lines[place]
            change = f"exchanged with line {other + 1}"
    return "\n".join(lines), f"line {place + 1} {change}"
