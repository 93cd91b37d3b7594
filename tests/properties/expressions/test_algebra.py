"""What functions have to do with one another, for any text and any date."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provisor.expressions import Context, ExpressionError, evaluate, parse
from provisor.expressions.date_formats import write
from provisor.expressions.date_reading import DEFAULT_STYLES, read
from provisor.expressions.dates import Moment
from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.operators import OPERATORS, evaluate_clause
from provisor.expressions.rendering import rendered
from provisor.model.entries import Value
from tests.properties.expressions.strategies import scalars, texts

CONTEXT = Context(datetime(2025, 7, 30, 12, tzinfo=UTC))

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
counts = st.integers(0, 40)
days = st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1))  # noqa: DTZ001


def value(text: str, **attributes: Value) -> object:
    return evaluate(parse(text), attributes, CONTEXT)


@given(words)
@settings(deadline=None)
def test_writing_in_lower_or_upper_case_twice_changes_nothing(a: str) -> None:
    for function in ("ToLower", "ToUpper", "PCase", "NormalizeDiacritics", "Trim", "StripSpaces"):
        once = value(f"{function}([a])", a=a)
        assert isinstance(once, str)
        assert value(f"{function}([a])", a=once) == once


@given(words)
@settings(deadline=None)
def test_case_keeps_the_number_of_characters(a: str) -> None:
    for function in ("ToLower", "ToUpper", "PCase"):
        assert len(str(value(f"{function}([a])", a=a))) == len(a)


@given(words, counts)
@settings(deadline=None)
def test_left_and_the_rest_make_the_whole(a: str, n: int) -> None:
    left, rest = value(f"Left([a], {n})", a=a), value(f"Mid([a], {n + 1}, 9999)", a=a)

    assert isinstance(left, str)
    assert len(left) == min(n, len(a))
    assert f"{left}{rest}" == a
    assert value(f"Right([a], {n})", a=a) == a[max(0, len(a) - n) :]


@given(words, st.integers(1, 40), counts)
@settings(deadline=None)
def test_mid_is_a_piece_of_the_length_asked_for(a: str, start: int, length: int) -> None:
    piece = value(f"Mid([a], {start}, {length})", a=a)

    assert isinstance(piece, str)
    assert len(piece) == max(0, min(length, len(a) - start + 1))
    assert piece in a


@given(words, words)
@settings(deadline=None)
def test_what_is_found_stands_there(a: str, b: str) -> None:
    assume(a)
    first, last = value("InStr([a], [b])", a=a, b=b), value("InStrRev([a], [b])", a=a, b=b)

    assert isinstance(first, int)
    assert isinstance(last, int)
    assert (first > 0) == (b in a) == (last > 0 or (not b))
    assert first == 0 or a[first - 1 :].startswith(b)


@given(st.lists(st.text("abc .-", min_size=1, max_size=6).map(str.strip), max_size=6))
@settings(deadline=None)
def test_what_is_joined_can_be_split_again(parts: list[str]) -> None:
    listed = tuple(part for part in parts if part)
    assume(listed)

    assert value('Split(Join(",", [p]), ",")', p=listed) == listed
    assert value("Count([p])", p=listed) == len(listed)


@given(words)
@settings(deadline=None)
def test_encodings_give_back_what_they_took(a: str) -> None:
    assert value("ConvertFromBase64(ConvertToBase64([a]))", a=a) == a
    assert value("ConvertFromUTF8Hex(ConvertToUTF8Hex([a]))", a=a) == a


@given(words, counts)
@settings(deadline=None)
def test_padding_reaches_the_length_and_keeps_the_text(a: str, n: int) -> None:
    left, right = value(f'PadLeft([a], {n}, "*")', a=a), value(f'PadRight([a], {n}, "*")', a=a)

    assert len(str(left)) == len(str(right)) == max(n, len(a))
    assert str(left).endswith(a)
    assert str(right).startswith(a)


@given(words, st.text("ab.*$\\", min_size=1, max_size=3), st.text("xy$1", max_size=3))
@settings(deadline=None)
def test_literal_replacement_takes_nothing_for_a_pattern(a: str, old: str, new: str) -> None:
    expected = a.replace(old, new)

    assert value("Replace([a], [o], , , [n], , )", a=a, o=old, n=new) == expected


@given(words)
@settings(deadline=None)
def test_only_latin_letters_lose_their_marks(a: str) -> None:
    plain = str(value("NormalizeDiacritics([a])", a=a))

    kept = [c for c in a if unicodedata.name(c, "").startswith(("CYRILLIC", "HANGUL", "CJK"))]
    assert [
        c for c in plain if unicodedata.name(c, "").startswith(("CYRILLIC", "HANGUL", "CJK"))
    ] == kept
    assert not a.isascii() or plain == a


@given(texts, st.lists(st.tuples(texts, texts), min_size=1, max_size=4), texts)
@settings(deadline=None)
def test_a_switch_is_a_chain_of_conditions(
    a: str, pairs: list[tuple[str, str]], default: str
) -> None:
    """Keys that are no numbers: those a comparison would take by their value."""
    named = {f"k{i}": key for i, (key, _) in enumerate(pairs)}
    named |= {f"v{i}": chosen for i, (_, chosen) in enumerate(pairs)}
    assume(not any(part.strip().lstrip("+-")[:1].isdigit() for part in (a, *named.values())))
    switch = "Switch([a], [d]" + "".join(f", [k{i}], [v{i}]" for i in range(len(pairs))) + ")"
    chain = "[d]"
    for i in reversed(range(len(pairs))):
        chain = f"IIF([a] = [k{i}], [v{i}], {chain})"

    assert value(switch, a=a, d=default, **named) == value(chain, a=a, d=default, **named)


@given(days, st.integers(-500, 500))
@settings(deadline=None)
def test_what_is_added_is_the_difference(day: datetime, n: int) -> None:
    for interval in ("d", "h", "n", "s", "ww"):
        later = f'DateAdd("{interval}", {n}, [day])'
        assert value(f'DateDiff("{interval}", [day], {later})', day=day) == n
    for interval in ("m", "yyyy"):
        later = f'DateAdd("{interval}", {n}, [day])'
        assert value(f'DateDiff("{interval}", [day], {later})', day=day) == n


@given(days)
@settings(deadline=None)
def test_a_file_time_is_its_date(day: datetime) -> None:
    assert value("DateFromNum(NumFromDate([day]))", day=day) == day.replace(tzinfo=UTC)


@given(days, st.integers(-14 * 60, 14 * 60), st.integers(0, 9))
@settings(deadline=None)
def test_a_date_is_read_as_it_was_written(day: datetime, minutes: int, tenth: int) -> None:
    moment = Moment(day, timedelta(minutes=minutes), tenth)

    for template in (
        "o",
        "yyyy-MM-dd'T'HH:mm:ss.fffffffzzz",
        "dddd d MMMM yyyy hh:mm:ss.fffffff tt K",
    ):
        assert read(write(moment, template), template, DEFAULT_STYLES, CONTEXT.now) == moment


@given(st.text("dMyHhmsfFtzKgZ:/'\"\\%.- x", max_size=12), texts)
@settings(deadline=None)
def test_any_format_writes_and_reads_or_is_refused(template: str, text: str) -> None:
    moment = Moment(datetime(2025, 7, 3, 14, 5, 6, 70_000))  # noqa: DTZ001
    try:
        written = write(moment, template)
    except ExpressionError:
        return
    for candidate in (written, text):
        try:
            read(candidate, template, DEFAULT_STYLES, CONTEXT.now)
        except ExpressionError as error:
            refusal = str(error)
        else:
            continue
        assert refusal


PATTERNS = st.text("ab01 .-+*?()[]{},|^$\\dwsDWSbkAZzpPxu<>:=!'#\n&~", max_size=14)


@given(PATTERNS, st.text("ab01 .-\n", max_size=12), st.text("$1{}a&`'+_\\g<0>", max_size=5))
@settings(deadline=None)
def test_any_pattern_runs_or_is_refused_and_both_engines_agree(
    pattern: str, text: str, template: str
) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ExpressionError:
        return
    if compiled.plain is not None:
        timed = [match.span() for match in compiled.timed.finditer(text)]
        assert timed == [match.span() for match in compiled.plain.finditer(text)]
    replaced = compiled.replace(text, template)
    short = compiled.substitution(template)
    if short is not None and len(text) <= short.length_max:
        assert short.run(short.template, text) == replaced


@given(st.sampled_from(OPERATORS), texts, st.one_of(scalars, st.none()))
@settings(deadline=None)
def test_a_clause_has_an_answer_or_is_refused(
    operator: object, operand: str, attribute: Value | None
) -> None:
    name = getattr(operator, "name", "")
    try:
        answer = evaluate_clause(name, [operand], attribute)
    except ExpressionError:
        return
    assert isinstance(answer, bool)


@given(texts, scalars)
@settings(deadline=None)
def test_a_negated_operator_says_the_opposite_of_its_own_for_every_value(
    operand: str, attribute: Value
) -> None:
    assume(rendered(attribute) != "")
    for positive, negated in (("EQUALS", "NOT EQUALS"), ("&", "!&")):
        holds = evaluate_clause(positive, [operand], attribute)
        assert evaluate_clause(negated, [operand], attribute) is not holds
