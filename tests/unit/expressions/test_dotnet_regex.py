"""Patterns mean what they mean in .NET, or are refused."""

from __future__ import annotations

import pytest

from provisor.expressions import ExpressionError
from provisor.expressions.dotnet_regex import compile_pattern

REPLACED = [
    # pattern, text, template, result
    ("[a-zA-Z_]*", "john_doe72", "", "72"),
    ("a*", "baac", "-", "-b--c-"),
    ("(a(?<n>b)(c))", "abc", "$1|$2|$3|${n}", "abc|c|b|b"),
    ("(?<n>a)(b)", "ab", "$1$2", "ba"),
    ("(?'q'a)", "a", "<${q}>", "<a>"),
    ("(?<5>a)(b)", "ab", "$5$1", "ab"),
    ("(?<w>a)|(?<w>b)", "ab", "[${w}]", "[a][b]"),
    ("(?n)(a)(?<b>b)", "ab", "$1", "b"),
    ("(?<d>\\d)\\k<d>", "11 12", "x", "x 12"),
    ("(a)\\1", "aa", "x", "x"),
    ("\\101", "A", "x", "x"),
    ("x$", "x\n", "y", "y\n"),
    ("x\\Z", "x\n", "y", "y\n"),
    ("x\\z", "x\n", "y", "x\n"),
    ("(?m)^a", "a\na", "b", "b\nb"),
    ("a.b", "a\nb", "x", "a\nb"),
    ("(?s)a.b", "a\nb", "x", "x"),
    ("(?i)é", "É", "x", "x"),
    ("a(?i)b|c", "aBC", "x", "xx"),
    ("a(?i:b)c", "aBC", "x", "aBC"),
    ("(?i)ß", "SS", "x", "SS"),
    ("(?x) a b  # both\n c", "abc", "x", "x"),
    ("a(?#comment)b", "ab", "x", "x"),
    ("[a-z-[aeiou]]", "hello", "x", "xexxo"),
    ("[^a-c-[x]]", "abxy", "-", "abx-"),
    ("[]a]", "]a", "x", "xx"),
    ("[a\\-z]", "a-z", "x", "xxx"),
    ("[\\w-]+", "a-b c", "x", "x x"),
    ("[[a]+", "[a", "x", "x"),
    ("[&|~]+", "&&||~~", "x", "x"),
    ("\\p{Lu}", "aB", "x", "ax"),
    ("\\P{L}", "a1", "x", "ax"),
    ("\\p{IsGreek}", "aβ", "x", "ax"),
    ("\\p{IsBasicLatin}+", "abé", "x", "xé"),
    ("\\d", "٣", "x", "x"),
    ("\\s", "\u00a0", "x", "x"),
    ("\\w+", "çedille_é", "x", "x"),
    ("\\x41\\u0042\\t", "AB\t", "x", "x"),
    ("\\e\\cA\\0", "\x1b\x01\x00", "x", "x"),
    ("(?<=a+)b", "aab", "x", "aax"),
    ("(?>a+)b", "aab", "x", "x"),
    ("(?(a)ab|c)", "abc", "x", "xx"),
    ("(?<a>a)?(?(a)b|c)", "abc", "x", "xx"),
    ("a{,2}", "a{,2}", "x", "x"),
    ("a{e}", "a{e}", "x", "x"),
    ("a{2}?", "aaa", "x", "xa"),
    ("b", "abc", "$`$'$&$$", "aacb$c"),
    ("b", "abc", "$_", "aabcc"),
    ("(b)|(z)", "abc", "[$+]", "a[]c"),
    ("(b)", "abc", "$10${1}0$x${x}", "a$10b0$x${x}c"),
    ("b", "abc", "\\1\\g<0>\\n", "a\\1\\g<0>\\nc"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "template", "result"), REPLACED)
def test_a_replacement_is_that_of_dotnet(
    pattern: str, text: str, template: str, result: str
) -> None:
    compiled = compile_pattern(pattern)

    assert compiled.replace(text, template) == result
    short = compiled.substitution(template)
    if short is not None and text.isascii() and len(text) <= short.length_max:
        assert short.run(short.template, text) == result


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?<a-b>x)", "balancing"),
        ("(?<-b>x)", "name is missing"),
        ("a++", "repetition of a repetition"),
        ("a{2}{3}", "repetition of a repetition"),
        ("a**", "repetition of a repetition"),
        ("*a", "repetition of nothing"),
        ("a|+", "repetition of nothing"),
        ("a{3,2}", "counts down"),
        ("(", "not closed"),
        (")", "closes nothing"),
        ("[a", "too early"),
        ("[z-a]", "backwards"),
        ("[a-\\d]", "range cannot end"),
        ("[a-[b]c]", "last thing"),
        ("\\", "too early"),
        ("\\y", "no escape"),
        ("\\_", "no escape"),
        ("\\x4", "digits are missing"),
        ("\\p{Nope}", "no category"),
        ("\\p{IsNope}", "no block"),
        ("\\1", "no group"),
        ("\\k<n>", "no group"),
        ("(?P<a>x)", "no such group"),
        ("(?R)", "no such group"),
        ("(?<1a>x)", "begins with a digit"),
        ("(?(a)b|c|d)", "two branches"),
        ("(?#x", "not closed"),
    ],
)
def test_what_dotnet_refuses_or_we_cannot_do_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        compile_pattern(pattern)


def test_only_the_group_is_replaced_in_every_match() -> None:
    compiled = compile_pattern("(?<key>\\w)=(?<value>\\w)")

    assert compiled.replace_group("a=1,b=2", "value", "$1") == "a=$1,b=$1"
    assert compiled.replace_group("a=1", "0", "x") == "x"
    assert compiled.first("a=1,b=2", "value") == "1"
    assert compiled.first("none", "value") is None
    with pytest.raises(ExpressionError, match="no group"):
        compiled.replace_group("a=1", "other", "")


def test_a_group_within_a_look_ahead_changes_nothing_twice() -> None:
    assert compile_pattern("a(?=(b))").replace_group("ab ab", "1", "X") == "aX aX"
