"""Upper case, lower case, title case and plain Latin letters (spec: expression 6.6, 6.7).

.NET maps one character to one character, so ß stays ß, where Python would write SS.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from provisor.expressions.errors import ExpressionError

_CULTURE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)

# The invariant culture leaves both Turkish letters alone, whichever way they are mapped.
_UNTOUCHED = frozenset("İı")


@lru_cache(maxsize=4096)
def _lower_one(character: str) -> str:
    lowered = character.lower()
    return character if character in _UNTOUCHED or len(lowered) != 1 else lowered


@lru_cache(maxsize=4096)
def _upper_one(character: str) -> str:
    raised = character.upper()
    return character if character in _UNTOUCHED or len(raised) != 1 else raised


def lower(text: str, culture: str = "") -> str:
    """Return the text in lower case. Raises ExpressionError for a culture that is no name."""
    language = _language(culture)
    if language in ("tr", "az"):
        text = text.replace("İ", "i").replace("I", "ı")
    elif language == "lt":
        text = _lithuanian_lower(text)
    # Python differs from a mapping of single characters in these two alone.
    if "İ" in text or "Σ" in text:
        return "".join(map(_lower_one, text))
    return text.lower()


def upper(text: str, culture: str = "") -> str:
    """Return the text in upper case. Raises ExpressionError for a culture that is no name."""
    language = _language(culture)
    if language in ("tr", "az"):
        text = text.replace("i", "İ").replace("ı", "I")
    elif language == "lt":
        text = re.sub("([ijįIJĮ])\u0307", r"\1", text)
    raised = text.upper()
    # What Python maps to several characters grows; all else it maps as .NET does.
    if len(raised) != len(text) or "ı" in text:
        return "".join(map(_upper_one, text))
    return raised


def _language(culture: str) -> str:
    if not culture:
        return ""
    if _CULTURE.fullmatch(culture) is None:
        raise ExpressionError(f'"{culture[:60]}" is no culture; one is written like tr-TR')
    return culture.split("-", 1)[0].lower()


def _lithuanian_lower(text: str) -> str:
    """Keep the dot of i, j and į under a further accent, as Lithuanian writes it."""
    for composed, accent in (("Ì", "\u0300"), ("Í", "\u0301"), ("Ĩ", "\u0303")):
        text = text.replace(composed, f"i\u0307{accent}")
    return re.sub(
        "([IJĮ])([\u0300\u0301\u0303])",
        lambda match: f"{_lower_one(match[1])}\u0307{match[2]}",
        text,
    )


# Where a word ends: separators, controls, formats, punctuation and symbols (TextInfo.ToTitleCase).
_WORD_ENDS = ("Z", "Cc", "Cf", "P", "S")


def title(text: str) -> str:
    """Return the text with each word capitalised, as .NET's ToTitleCase does to lower case."""
    written: list[str] = []
    in_word = False
    for character in lower(text):
        category = unicodedata.category(character)
        if category.startswith("L"):
            written.append(character if in_word else _title_one(character))
            in_word = True
            continue
        written.append(character)
        if category.startswith(_WORD_ENDS) and character != "'":
            in_word = False
    return "".join(written)


def title_after(text: str, separators: str) -> str:
    """Return the text with capitals at the start and behind each separator, and nowhere else."""
    written: list[str] = []
    starts = True
    for character in lower(text):
        written.append(_title_one(character) if starts else character)
        starts = character in separators
    return "".join(written)


def _title_one(character: str) -> str:
    titled = character.title()
    return character if character in _UNTOUCHED or len(titled) != 1 else titled


_LETTERS = {
    "æ": "ae", "Æ": "AE", "ø": "oe", "Ø": "OE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS",
    "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D",
}  # fmt: skip


def plain_latin(text: str) -> str:
    """Return the text with Latin letters freed of marks; other scripts stay as they are."""
    if text.isascii():
        return text
    translated = text.translate(_PLAIN)
    if _MARK not in translated:
        return translated
    written: list[str] = []
    is_after_latin = False
    for character in text:
        if unicodedata.category(character) == "Mn":
            if not is_after_latin:
                written.append(character)
            continue
        plain = _plain_one(character)
        is_after_latin = plain is not None
        written.append(character if plain is None else plain)
    return "".join(written)


_MARK = "\ufdd0"
"""No character: stands where a mark has to be seen together with the letter before it."""


class _Plain(dict[int, str]):
    """Remembers what each character becomes, as str.translate asks for it."""

    __slots__ = ()

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character) == "Mn":
            plain = _MARK
        else:
            plain = _plain_one(character) or character
        self[code] = plain
        return plain


_PLAIN = _Plain()


def _plain_one(character: str) -> str | None:
    """Return a Latin letter without its marks, None for a character that is not Latin."""
    base = unicodedata.normalize("NFD", character)[0]
    if base in _LETTERS:
        return _LETTERS[base]
    if base.isascii():
        return base if base.isalpha() else None
    return base if unicodedata.name(base, "").startswith("LATIN ") else None
