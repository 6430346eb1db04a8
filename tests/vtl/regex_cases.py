"""Regular expressions in Java's syntax with texts to try them on, and java.util.regex itself to ask.

What Java makes of them is in `corpus/regex.json`, written by `python -m tests.vtl.regex_cases`, so that it holds where there is
no Java, too.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TypeAlias

from tidegate.vtl import PatternError, compile_java

SHIM = Path(__file__).parent / "java" / "Regex.java"
RECORDED = Path(__file__).parent / "corpus" / "regex.json"

Case: TypeAlias = tuple[str, str, str, str]
"""Operation, pattern, text, argument (a replacement or a limit)."""
Answer: TypeAlias = list[str] | None
"""None: an exception."""

TEXTS: dict[str, list[str]] = {
    # what templates and selection patterns use
    r"4\d{2}": ["404", "4040", "x404", "4٣4", ""],
    ".*[Nn]ot found.*": ["it was not found here", "Not found", "not\nfound", "not found\n"],
    ".*": ["", "abc", "a\nb", "a\rb", "a\u0085b", "a\u2028b"],
    ".+": ["", "x", "\n", "\r\n"],
    "": ["", "abc", "é😀"],
    r"\\'": ["it\\'s", "it's", "\\\\'"],
    r"\"": ['say "x"', "none"],
    "a|b|": ["a", "b", "", "ab"],
    "(?s).*": ["a\nb", ""],
    "(?i)error": ["ERROR", "eRRor", "errors", "ÉRROR"],
    "(?i)straße": ["STRASSE", "straße", "STRAßE"],
    "(?m)^b$": ["a\nb\nc", "a\r\nb\r\nc", "b", "b\n", "a\u2028b"],
    "^a$": ["a", "a\n", "a\r\n", "a\n\n", "ba", "a\u0085"],
    r"\Aa\z": ["a", "a\n"],
    r"a\Z": ["a", "a\n", "a\n\n"],
    "(?d)a.b": ["a\nb", "a\rb", "a\u2028b"],
    "(?dm)^b$": ["a\nb\nc", "a\rb\rc"],
    "(?x) a b # comment\n c": ["abc", "a b c"],
    r"(?x)[a b]": ["a", " ", "b"],
    "(?x)a *": ["aaa", "a ", ""],
    "(?x)a # what\n{2} b": ["aab", "a"],
    "(?m)^": ["", "a", "a\n", "\n\n"],
    "(?i)[k-m]K": ["Kk", "lK", "é"],
    "(?x)a\\ b": ["a b", "ab"],
    # quantifiers
    "a*": ["", "aaa", "baab"],
    "a+?": ["aaa", "b"],
    "a??b": ["ab", "b", "aab"],
    "a*+a": ["aaa", "a"],
    "(?>a|ab)c": ["ac", "abc"],
    "a{2}": ["a", "aa", "aaa", "aaaa"],
    "a{2,}": ["a", "aaaa"],
    "a{1,2}": ["aaa", ""],
    "a{0}": ["", "a"],
    "(ab){1,2}+": ["ababab", "ab"],
    "a{,2}": ["a", "a{,2}"],
    "a{": ["a{"],
    "a{2": ["aa"],
    "a{x}": ["a{x}"],
    "a}": ["a}"],
    "{": ["{"],
    "}": ["}"],
    "a**": ["a"],
    "*a": ["a"],
    "a|*": ["a"],
    "(*a)": ["a"],
    "a{2,1}": ["aa"],
    "a{99999999999}": ["a"],
    "(a{100}){100}": ["a"],
    "(?:)+": ["", "a"],
    "(a*)*": ["aaa", "b", ""],
    "(a|b)*?c": ["abac", "c"],
    "^*": ["a"],
    "$+": ["a"],
    # groups and references
    r"(a)(b)?\2": ["ab", "abb", "a"],
    r"(\w+) \1": ["the the", "the then", "a b"],
    r"(a)\2": ["a", "aa"],
    r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10": ["abcdefghijj", "abcdefghija0"],
    r"(a)\10": ["aa0", "a"],
    r"(?<name>a)\k<name>": ["aa", "ab"],
    r"\k<none>": ["a"],
    r"(?<a>x)(?<a>y)": ["xy"],
    r"(?<1a>x)": ["x"],
    r"(?<a_b>x)": ["x"],
    r"(?P<a>x)": ["x"],
    r"(?'a'x)": ["x"],
    "(?:a)(b)": ["ab"],
    "(a": ["a"],
    "a)": ["a"],
    "()": ["", "a"],
    "(|a)": ["a", ""],
    "(a|)": ["a", ""],
    "(?i:a)b": ["Ab", "AB"],
    "(?i)a(?-i)b": ["Ab", "AB"],
    "a(?i)b|c": ["aB", "C", "c"],
    "(a(?i)b)c": ["aBc", "aBC"],
    "(?u)é": ["é", "É"],
    "(?iu)é": ["é", "É"],
    "(?i)é": ["é", "É"],
    "(?U)\\w": ["é", "a"],
    "(?z)a": ["a"],
    # looking around
    "a(?=b)": ["ab", "ac"],
    "a(?!b)": ["ab", "ac", "a"],
    "(?<=a)b": ["ab", "b"],
    "(?<!a)b": ["ab", "b", "cb"],
    "(?<=a{1,3})b": ["aab", "b"],
    "(?<=a*)b": ["aab"],
    r"\bfoo\b": ["foo", "a foo b", "foobar", "foo-bar", "foo_", "éfoo"],
    r"\Boo": ["foo", "oo"],
    r"\G\d": ["12a3", "a1"],
    # classes
    "[abc]": ["a", "d", "abc"],
    "[^abc]": ["a", "d", "\n"],
    "[a-c]": ["b", "d", "-"],
    "[a-]": ["a", "-", "b"],
    "[-a]": ["-", "a"],
    "[]a]": ["]", "a"],
    "[^]a]": ["b", "]"],
    "[]": ["a"],
    "[a": ["a"],
    "[c-a]": ["b"],
    "[a-c&&[b-d]]": ["a", "b", "c", "d"],
    "[a-z&&[^aeiou]]": ["a", "b", "z"],
    "[a-z&&b]": ["a", "b"],
    "[a-d[m-p]]": ["b", "n", "f"],
    "[a&b]": ["a", "&", "b"],
    "[a&&]": ["a", "&"],
    "[&&a]": ["a", "&"],
    r"[\d\-x]": ["5", "-", "x", "a"],
    r"[\w&&[^\d]]": ["a", "5", "_"],
    r"[\[\]]": ["[", "]", "a"],
    r"[\\]": ["\\", "a"],
    "[.*+?(){}|$^]": [".", "*", "|", "^", "a"],
    "[a^]": ["^", "a", "b"],
    r"[\n\t]": ["\n", "\t", "n"],
    r"[\x41-C]": ["A", "B", "D"],
    r"[\u0041\x{1F600}]": ["A", "😀", "B"],
    "[é-ü]": ["ö", "e"],
    "[😀-😂]": ["😁", "😀x", "a"],
    "[a-\\d]": ["a", "5", "-"],
    r"[\Qa-c\E]": ["a", "b", "-"],
    "[a b]": ["a", " "],
    "[#]": ["#"],
    "[a-z-9]": ["b", "-", "9", "5"],
    "[~||a]": ["~", "|", "a"],
    "[a--b]": ["a", "-", "b"],
    r"\d+": ["123", "١٢", "a"],
    r"\D": ["1", "a", "\n"],
    r"\w+": ["a_1", "é", "-"],
    r"\W": ["a", "é", "-"],
    r"\s+": [" \t\n\u000b\f\r", "\u00a0", "\u0085", "\u2028"],
    r"\S": [" ", "a", "\u00a0"],
    r"\h": ["\t", "\u00a0", "\n"],
    r"\H": ["\t", "a"],
    r"\v": ["\n", "\u000b", "\u2029", " "],
    r"\V": ["\n", "a"],
    r"\R": ["\r\n", "\n", "\u0085", "a"],
    r"\X": ["e\u0301", "a"],
    r"\N": ["a"],
    # properties
    r"\p{L}+": ["abcé", "1", "日本"],
    r"\p{Lu}": ["A", "a", "É"],
    r"\P{L}": ["a", "1"],
    r"\pL": ["a", "1"],
    r"\p{IsL}": ["a", "1"],
    r"\p{IsLatin}": ["a", "я"],
    r"\p{IsCyrillic}": ["a", "я"],
    r"\p{script=Greek}": ["ω", "a"],
    r"\p{InGreek}": ["ω", "a"],
    r"\p{IsAlphabetic}": ["a", "1", "é"],
    r"\p{IsDigit}": ["1", "a"],
    r"\p{IsPunctuation}": ["!", "a"],
    r"\p{Alpha}": ["a", "é"],
    r"\p{Digit}": ["1", "٣"],
    r"\p{Alnum}": ["a", "1", "-"],
    r"\p{Punct}": ["!", "[", "a", "~"],
    r"\p{Upper}": ["A", "a", "É"],
    r"\p{Lower}": ["a", "A"],
    r"\p{Space}": [" ", "\n", "a"],
    r"\p{Blank}": [" ", "\t", "\n"],
    r"\p{Cntrl}": ["\x00", "\x7f", "a"],
    r"\p{Graph}": ["a", " "],
    r"\p{Print}": ["a", " ", "\n"],
    r"\p{XDigit}": ["f", "g"],
    r"\p{ASCII}": ["a", "é"],
    r"\p{javaLowerCase}": ["a", "A", "é"],
    r"\p{javaWhitespace}": [" ", "a", "\u00a0"],
    r"[\p{L}\d]": ["é", "5", "-"],
    r"[^\p{L}]": ["é", "5"],
    r"\p{Nope}": ["a"],
    r"\p{L": ["a"],
    r"\p": ["a"],
    # escapes
    r"\.": [".", "a"],
    r"\$\{a\}": ["${a}", "$a"],
    r"\Q.*\E": [".*", "ab"],
    r"\Q.*": [".*", "ab"],
    r"\Qa\Eb\E": ["ab"],
    r"\Qa\E+": ["a", "aa"],
    r"\Qab\E+": ["ab", "abb", "abab"],
    r"\Q\E": ["", "a"],
    r"a\Q\E+": ["a", "aa"],
    r"\t\n\r\f\a\e": ["\t\n\r\f\x07\x1b"],
    r"\x41": ["A"],
    r"\x4": ["\x04"],
    r"\x{1F600}": ["😀"],
    r"\u00e9": ["é"],
    r"\ud83d\ude00": ["😀"],
    r"\u12": ["a"],
    r"\0101": ["A"],
    r"\07": ["\x07"],
    r"\08": ["\x008"],
    r"\cA": ["\x01"],
    r"\ca": ["\x01", "!"],
    r"\-\_\/\ \!\"\#\%\&\,\:\;\<\=\>\@\`\~": ['-_/ !"#%&,:;<=>@`~'],
    r"\y": ["y"],
    r"\i": ["i"],
    r"\é": ["é"],
    "\\": ["\\"],
    # characters beyond the first plane
    ".": ["😀", "a", "\n"],
    "..": ["😀", "ab"],
    "😀+": ["😀😀", "😀"],
    "[^a]": ["😀", "a"],
    "😀|a": ["a", "😀"],
    # what another engine would take for something else
    "(?R)": ["a"],
    "(?1)": ["a"],
    "(?&a)": ["a"],
    "(?:a){e<=1}": ["b"],
    "(?e)a": ["a"],
    r"\L<words>": ["a"],
    r"\m": ["a"],
    r"\K": ["a"],
    "(?|a|b)": ["a"],
    "(?(1)a|b)": ["a"],
    "(?#comment)a": ["a"],
    "(*FAIL)": ["a"],
    "[[:alpha:]]": ["a", ":", "p", "x"],
    "[a||b]": ["a", "|"],
    "a++b": ["aab"],
    "a{2}{3}": ["aaaaaa", "aa"],
    "a{2}+a": ["aaa"],
    "é": ["é", "e\u0301"],
    ", *": ["a, b,c,  d", ", ", "a,"],
    "[,;]": ["a,b;c", ";;", "a;;b;;"],
    "(,)": ["a,b"],
    "(?=[A-Z])": ["aBcD", "AB"],
    r"\|": ["a|b|c"],
    "x?": ["axb", "", "xx"],
}
REPLACEMENTS: list[tuple[str, str, str]] = [
    ("(a)(b)", "ab ab", replacement)
    for replacement in (
        "$2$1", "[$0]", r"\$1", r"\\", "\\", "$", "$x", "$3", "$10", "$11", "$2a", "${1}", "${", "${n}", "a$",
        r"\x", "", "$0$0", "$1\n",
        r"\\$1", "é$1", "$٣",
    )
] + [
    ("(?<n>a)", "bab", "${n}${n}"),
    ("(?<n>a)", "bab", "${m}"),
    ("(a)|(b)", "ab", "<$1$2>"),
    ("(a)?b", "b", "<$1>"),
    ("", "ab", "-"),
    ("a*", "baac", "-"),
    ("$", "a\nb\n", "!"),
    ("(?m)$", "a\nb\n", "!"),
    ("(?m)^", "a\nb\n", ">"),
    (r"\b", "ab cd", "|"),
    ("a", "", "b"),
    ("x", "ab", "$9"),
    (".", "a.b", "$0$0"),
    (".", "😀a", "x"),
    ("😀", "a😀b", "$0😀"),
]  # fmt: skip


@cache
def cases() -> list[Case]:
    found: list[Case] = []
    for pattern, texts in TEXTS.items():
        for text in texts:
            found += [("matches", pattern, text, ""), ("find", pattern, text, "")]
            found += [("replaceAll", pattern, text, "<$0>"), ("split", pattern, text, "0")]
    for pattern, text, replacement in REPLACEMENTS:
        found += [("replaceAll", pattern, text, replacement), ("replaceFirst", pattern, text, replacement)]
    for pattern, text in ((",", "a,b,,c,,"), ("", "abc"), ("(?=b)", "abab"), ("a*", "baab"), (",", "")):
        found += [("split", pattern, text, limit) for limit in ("-1", "0", "1", "2", "3", "9")]
    return list(dict.fromkeys(found))


def ours(case: Case) -> Answer:
    operation, pattern, text, argument = case
    try:
        compiled = compile_java(pattern)
        if operation == "matches":
            return ["true" if compiled.matches(text) else "false"]
        if operation == "find":
            return ["true" if compiled.find(text) else "false"]
        if operation == "replaceAll":
            return [compiled.replace_all(text, argument)]
        if operation == "replaceFirst":
            return [compiled.replace_first(text, argument)]
        return list(compiled.split(text, int(argument)))
    except PatternError:
        return None


def missing() -> str | None:
    """Why Java cannot be asked here, or None when it can."""
    return None if shutil.which("java") and shutil.which("javac") else "no Java"


class Java:
    """The running shim."""

    def __init__(self) -> None:
        self._classes = tempfile.TemporaryDirectory(prefix="regex-")
        subprocess.run(["javac", "-nowarn", "-d", self._classes.name, str(SHIM)], check=True, capture_output=True)
        command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", self._classes.name, "Regex"]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def ask(self, case: Case) -> Answer:
        assert self._child.stdin is not None and self._child.stdout is not None
        fields = (base64.b64encode(field.encode("utf-16-be", "surrogatepass")) for field in case)
        self._child.stdin.write(b" ".join(fields) + b"\n")
        self._child.stdin.flush()
        kind, *parts = self._child.stdout.readline().decode().rstrip("\n").split(" ")
        if kind == "!":
            return None
        return [base64.b64decode(part).decode("utf-16-be", "surrogatepass") for part in parts]

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._classes.cleanup()


def main() -> None:
    java = Java()
    lines = [json.dumps([*case, java.ask(case)], ensure_ascii=True) for case in cases()]
    java.close()
    RECORDED.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
