"""Functions of text (spec: expression 6.1)."""

from __future__ import annotations

import base64

from provisor.expressions.context import RESULT_MAX
from provisor.expressions.errors import ExpressionError
from provisor.expressions.functions.casing import lower, plain_latin, title, title_after, upper
from provisor.expressions.functions.shape import Example, Function, Parameter, bounded, too_long
from provisor.expressions.values import (
    Operand,
    from_base64,
    is_null,
    many,
    to_integer,
    to_text,
    to_text_or_null,
    white_space,
)
from provisor.model.expressions import Word
from provisor.model.rules import AttributeType

INTEGER = AttributeType.INTEGER
SPACES = white_space()


def append(source: Operand, suffix: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else bounded(text + to_text(suffix))


def prepend(prefix: Operand, source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else bounded(to_text(prefix) + text)


def join(separator: Operand, *sources: Operand) -> Operand:
    between = to_text(separator)
    values = [to_text(value) for source in sources for value in many(source)]
    if not values:
        return None
    present = [value for value in values if value]
    if sum(map(len, present)) + len(between) * len(present) > RESULT_MAX:
        raise too_long()
    return between.join(present)


def left(source: Operand, count: Operand) -> Operand:
    text, wanted = to_text(source), to_integer(count, "NumChars")
    return text if wanted < 0 else text[:wanted]


def right(source: Operand, count: Operand) -> Operand:
    text, wanted = to_text(source), to_integer(count, "NumChars")
    return text if wanted < 0 or wanted >= len(text) else text[len(text) - wanted :]


def mid(source: Operand, start: Operand, length: Operand) -> Operand:
    text = to_text(source)
    first, wanted = to_integer(start, "start"), to_integer(length, "length")
    if first <= 0 or wanted < 0:
        return text
    return text[first - 1 : first - 1 + wanted]


def length_of(source: Operand) -> Operand:
    return len(to_text(source))


def in_str(text: Operand, sought: Operand, start: Operand, compare_type: Operand) -> Operand:
    whole, part = _folded(to_text(text), to_text(sought), compare_type)
    first = 1 if start is None else to_integer(start, "start")
    if first < 1:
        raise ExpressionError(f"start must be 1 or more, not {first}")
    if not whole or first > len(whole):
        return 0
    return whole.find(part, first - 1) + 1


def in_str_rev(text: Operand, sought: Operand, start: Operand, compare_type: Operand) -> Operand:
    whole, part = _folded(to_text(text), to_text(sought), compare_type)
    last = -1 if start is None else to_integer(start, "start")
    if last == 0 or last < -1:
        raise ExpressionError(f"start must be 1 or more, not {last}")
    if not whole:
        return 0
    end = len(whole) if last == -1 else min(last, len(whole))
    return whole.rfind(part, 0, end) + 1


def _folded(whole: str, part: str, compare_type: Operand) -> tuple[str, str]:
    match to_text(compare_type):
        case "" | Word.BINARY_COMPARE:
            return whole, part
        case Word.TEXT_COMPARE:
            return lower(upper(whole)), lower(upper(part))
        case other:
            raise ExpressionError(
                f'compareType must be vbBinaryCompare or vbTextCompare, not "{other[:60]}"'
            )


def p_case(source: Operand, separators: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    return title(text) if separators is None else title_after(text, to_text(separators))


def to_lower(source: Operand, culture: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else lower(text, to_text(culture))


def to_upper(source: Operand, culture: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else upper(text, to_text(culture))


def strip_spaces(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else text.replace(" ", "")


def trim(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else text.strip(SPACES)


def left_trim(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else text.lstrip(SPACES)


def right_trim(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else text.rstrip(SPACES)


def normalize_diacritics(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return text if text is None or text.isascii() else bounded(plain_latin(text))


def word(source: Operand, number: Operand, delimiters: Operand) -> Operand:
    text, wanted = to_text(source), to_integer(number, "WordNumber")
    marks = to_text(delimiters)
    if wanted < 1:
        return ""
    if marks:
        text = text.translate({ord(mark): marks[0] for mark in marks})
    words = [piece for piece in (text.split(marks[0]) if marks else [text]) if piece]
    return words[wanted - 1] if wanted <= len(words) else ""


def split(source: Operand, delimiter: Operand) -> Operand:
    values = [to_text(value) for value in many(source)]
    between = "," if delimiter is None else to_text(delimiter)
    pieces = [piece for value in values for piece in (value.split(between) if between else [value])]
    return tuple(piece for piece in (piece.strip(SPACES) for piece in pieces) if piece) or None


def pad_left(source: Operand, length: Operand, pad: Operand) -> Operand:
    return "" if is_null(source) else _padding(source, length, pad) + to_text(source)


def pad_right(source: Operand, length: Operand, pad: Operand) -> Operand:
    return "" if is_null(source) else to_text(source) + _padding(source, length, pad)


def _padding(source: Operand, length: Operand, pad: Operand) -> str:
    wanted, character = to_integer(length, "length"), to_text(pad)
    if len(character) != 1:
        raise ExpressionError("padCharacter must be one character")
    if wanted > RESULT_MAX:
        raise too_long()
    return character * max(0, wanted - len(to_text(source)))


def to_base64(source: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    return bounded(base64.b64encode(text.encode("utf-16-le")).decode("ascii"))


def of_base64(source: Operand, encoding: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    name = to_text(encoding)
    if name not in ("", "UTF16", Word.UTF8):
        raise ExpressionError(f'encoding must be UTF8 or left out, not "{name[:60]}"')
    codec = "utf-8" if name == Word.UTF8 else "utf-16-le"
    try:
        return from_base64(text).decode(codec)
    except UnicodeDecodeError as error:
        raise ExpressionError(f"the bytes are no text in {codec}") from error


def to_utf8_hex(source: Operand) -> Operand:
    text = to_text_or_null(source)
    return None if text is None else bounded(text.encode("utf-8").hex().upper())


def of_utf8_hex(source: Operand) -> Operand:
    text = to_text_or_null(source)
    if text is None:
        return None
    try:
        return bytes.fromhex(text).decode("utf-8")
    except ValueError as error:
        raise ExpressionError("the text is not the hex of UTF-8 text") from error


def c_str(value: Operand) -> Operand:
    return to_text_or_null(value)


def _text(name: str = "source") -> Parameter:
    return Parameter(name)


def _optional(name: str) -> Parameter:
    return Parameter(name, is_required=False)


_JOHN = {"givenName": "John", "surname": "Doe", "mail": "John.Doe@contoso.com"}

FUNCTIONS = (
    Function(
        name="Append",
        parameters=(_text(), _text("suffix")),
        implementation=append,
        each=0,
        summary="Adds a suffix to the text. Null stays null, so that no bare suffix is made.",
        examples=(Example('Append([mail], ".test")', "John.Doe@contoso.com.test", _JOHN),),
    ),
    Function(
        name="Prepend",
        parameters=(_text("prefix"), _text()),
        implementation=prepend,
        each=1,
        summary="Puts a prefix before the text. Null stays null.",
        examples=(Example('Prepend("SMTP:", [mail])', "SMTP:John.Doe@contoso.com", _JOHN),),
    ),
    Function(
        name="Join",
        parameters=(_text("separator"), Parameter("source", repeats=True)),
        implementation=join,
        summary="Joins all values in order, each value of a list included. Null and empty values "
        "are left out; without any value the result is null.",
        examples=(
            Example('Join(", ", "", [surname], [givenName])', "Doe, John", _JOHN),
            Example('Join(".", [middleName], [nickname])', None),
        ),
    ),
    Function(
        name="Left",
        parameters=(_text("String"), Parameter("NumChars", INTEGER)),
        implementation=left,
        each=0,
        summary="The first characters of the text; all of it for a negative number. Null gives "
        "empty text.",
        examples=(Example('Left("John Doe", 3)', "Joh"), Example('Left("Jo", -1)', "Jo")),
    ),
    Function(
        name="Right",
        parameters=(_text("String"), Parameter("NumChars", INTEGER)),
        implementation=right,
        each=0,
        summary="The last characters of the text; all of it for a negative number. Null gives "
        "empty text.",
        examples=(Example('Right("John Doe", 3)', "Doe"),),
    ),
    Function(
        name="Mid",
        parameters=(_text(), Parameter("start", INTEGER), Parameter("length", INTEGER)),
        implementation=mid,
        each=0,
        summary="At most `length` characters from position `start`, counted from 1. A start below "
        "1 or a negative length gives the whole text, null gives empty text.",
        examples=(Example('Mid("John Doe", 3, 5)', "hn Do"), Example('Mid("John", 9, 2)', "")),
    ),
    Function(
        name="Len",
        parameters=(_text("String"),),
        implementation=length_of,
        summary="The number of characters (Unicode code points) of a text, or of a number as text.",
        examples=(Example('Len("John Doe")', "8"), Example("Len(42568.75)", "8")),
    ),
    Function(
        name="InStr",
        parameters=(
            _text("value1"),
            _text("value2"),
            Parameter("start", INTEGER, is_required=False),
            _optional("compareType"),
        ),
        implementation=in_str,
        summary="The position of the first `value2` in `value1` at or after `start`, counted from "
        "1; 0 if there is none. `vbTextCompare` ignores case, `vbBinaryCompare` does not.",
        examples=(
            Example('InStr("The quick brown fox", "quick")', "5"),
            Example('InStr("repEated", "e", 3, vbBinaryCompare)', "7"),
        ),
    ),
    Function(
        name="InStrRev",
        parameters=(
            _text("value1"),
            _text("value2"),
            Parameter("start", INTEGER, is_required=False),
            _optional("compareType"),
        ),
        implementation=in_str_rev,
        summary="The position of the last `value2` in `value1` that ends at or before `start`; 0 "
        "if there is none.",
        examples=(Example('InStrRev("abbcdbbbef", "bb")', "7"),),
    ),
    Function(
        name="PCase",
        parameters=(_text(), _optional("wordSeparators")),
        implementation=p_case,
        each=0,
        summary="Capitalises each word and writes the rest in lower case. With separators given, "
        "a word begins behind one of them and nowhere else.",
        examples=(
            Example('PCase("PABLO GONSALVES (SECOND)")', "Pablo Gonsalves (Second)"),
            Example('PCase("PINTO-DE\'SILVA", " \'-")', "Pinto-De'Silva"),
        ),
    ),
    Function(
        name="ToLower",
        parameters=(_text(), _optional("culture")),
        implementation=to_lower,
        each=0,
        summary="The text in lower case; `culture` is a name such as `tr-TR`.",
        examples=(Example('ToLower("STRASSE")', "strasse"), Example('ToLower("I", "tr-TR")', "ı")),
    ),
    Function(
        name="ToUpper",
        parameters=(_text(), _optional("culture")),
        implementation=to_upper,
        each=0,
        summary="The text in upper case; `culture` is a name such as `tr-TR`.",
        examples=(Example('ToUpper("straße")', "STRAßE"), Example('ToUpper("i", "tr-TR")', "İ")),
    ),
    Function(
        name="StripSpaces",
        parameters=(_text(),),
        implementation=strip_spaces,
        each=0,
        summary="Removes every space character; other white space stays.",
        examples=(Example('StripSpaces(" a  b ")', "ab"),),
    ),
    Function(
        name="Trim",
        parameters=(_text(),),
        implementation=trim,
        each=0,
        summary="Removes white space from both ends.",
        examples=(Example('Trim(" Test ")', "Test"),),
    ),
    Function(
        name="LTrim",
        parameters=(_text(),),
        implementation=left_trim,
        each=0,
        summary="Removes white space from the start.",
        examples=(Example('LTrim(" Test ")', "Test "),),
    ),
    Function(
        name="RTrim",
        parameters=(_text(),),
        implementation=right_trim,
        each=0,
        summary="Removes white space from the end.",
        examples=(Example('RTrim(" Test ")', " Test"),),
    ),
    Function(
        name="NormalizeDiacritics",
        parameters=(_text(),),
        implementation=normalize_diacritics,
        each=0,
        summary="Writes Latin letters without marks: ä becomes a, ø becomes oe, ß becomes ss. "
        "Other scripts stay as they are.",
        examples=(
            Example('NormalizeDiacritics("Zoë Müller")', "Zoe Muller"),
            Example('NormalizeDiacritics("Ærøskøbing")', "AEroeskoebing"),
        ),
    ),
    Function(
        name="Word",
        parameters=(
            _text("String"),
            Parameter("WordNumber", INTEGER),
            _text("Delimiters"),
        ),
        implementation=word,
        each=0,
        summary="The n-th word, where each of the delimiter characters ends a word. Empty text "
        "where there are not so many.",
        examples=(Example('Word("The quick brown fox", 3, " ")', "brown"),),
    ),
    Function(
        name="Split",
        parameters=(_text(), _optional("delimiter")),
        implementation=split,
        summary="Cuts the text into a list; white space around the pieces and empty pieces are "
        "left out. Without a delimiter the text is cut at commas.",
        examples=(
            Example('Split("PermissionSetOne, Two", ",")', ("PermissionSetOne", "Two")),
            Example('Split([nothing], ",")', None),
        ),
    ),
    Function(
        name="PadLeft",
        parameters=(_text("String"), Parameter("length", INTEGER), _text("padCharacter")),
        implementation=pad_left,
        each=0,
        summary="Fills the text from the left up to a length.",
        notes="Without a value it gives an empty text: nothing is made up.",
        examples=(Example('PadLeft("User", 10, "0")', "000000User"),),
    ),
    Function(
        name="PadRight",
        parameters=(_text("String"), Parameter("length", INTEGER), _text("padCharacter")),
        implementation=pad_right,
        each=0,
        summary="Fills the text from the right up to a length.",
        notes="Without a value it gives an empty text: nothing is made up.",
        examples=(Example('PadRight("User", 10, "0")', "User000000"),),
    ),
    Function(
        name="ConvertToBase64",
        parameters=(_text(),),
        implementation=to_base64,
        each=0,
        summary="The base64 of the text's UTF-16 bytes, low byte first.",
        examples=(Example('ConvertToBase64("Hello world!")', "SABlAGwAbABvACAAdwBvAHIAbABkACEA"),),
    ),
    Function(
        name="ConvertFromBase64",
        parameters=(_text(), _optional("encoding")),
        implementation=of_base64,
        each=0,
        summary="The text behind base64: of UTF-16 bytes, or of UTF-8 with the keyword `UTF8`.",
        examples=(Example('ConvertFromBase64("SGVsbG8gd29ybGQh", UTF8)', "Hello world!"),),
    ),
    Function(
        name="ConvertToUTF8Hex",
        parameters=(_text(),),
        implementation=to_utf8_hex,
        each=0,
        summary="The text's UTF-8 bytes in upper-case hex without separators.",
        examples=(Example('ConvertToUTF8Hex("Hello world!")', "48656C6C6F20776F726C6421"),),
    ),
    Function(
        name="ConvertFromUTF8Hex",
        parameters=(_text(),),
        implementation=of_utf8_hex,
        each=0,
        summary="The text behind the hex of its UTF-8 bytes.",
        examples=(Example('ConvertFromUTF8Hex("48656C6C6F20776F726C6421")', "Hello world!"),),
    ),
    Function(
        name="CStr",
        parameters=(_text("value"),),
        implementation=c_str,
        each=0,
        summary="Any value as text. Null stays null.",
        examples=(Example("CStr(42)", "42"),),
    ),
)
