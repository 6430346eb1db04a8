"""Templates out of a grammar. `python -m tests.vtl.generated 20000` compares so many with Velocity, none of them twice.

Left out on purpose, being oddities of Velocity's lexer that no one writes and that are not rebuilt: a property that touches the
next reference or directive (`$a.b$c`, `$a.b#if`), and a `#set` of the loop's own variable while that is null.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VARIABLES: dict[str, Any] = {
    "x": "X",
    "n": 5,
    "f": 1.5,
    "t": True,
    "s": "a,b;c",
    "m": {"a": 1, "b": {"c": "d"}, "size": 3, "k-y": "z"},
    "l": [1, "two", {"q": "r/s"}],
    "al": {"@list": [1, "b", 2.5]},
}

references = st.sampled_from(
    "$x $n $f $t $s $m $l $al $foo $q $r $m.a $m.b.c $m.k-y $m.nope $foo.bar $l[0] $l[-1] $al[1] $m['a'] ${x} ${m.a} $!foo "
    "$!{m.nope} $m.get('a') $m.size() $m.keySet() $m.entrySet() $l.size() $al.get(1) $l.contains(1) $x.length() $x.concat('z') "
    "$s.split(',')[0] $s.substring(1,3) $s.indexOf('b') $s.replaceAll('[ab]','-') $s.toUpperCase() $x.foo() $m.b.toString() "
    "$foreach.index $foreach.count $foreach.hasNext $velocityCount $i $i.key".split()
)
literals = st.sampled_from(
    """1 2 0 -3 2.5 1e3 2147483647 'a' "b" "" "c$x" "$!foo" "${n}px" "$foo" true false""".split()
)
lists = st.sampled_from(['[1, "a"]', "[]", "{}", '{"a": 1, "b": $x}', "[1..3]", "[$n..3]", "[[1], [2]]"])
operators = st.sampled_from("+ - * / % == != < > <= >= && || and or eq ne lt ge".split())
values = st.one_of(references, literals, lists)
texts = st.sampled_from(
    [
        "text",
        "a, b",
        "\n",
        "  \n",
        ' "k": ',
        "{ ",
        " }",
        ", ",
        "#fff ",
        "$5 ",
        "\\n ",
        " ## note\n",
        "#* c *#",
        "#[[ $x ]]#",
        "\\$x ",
    ]
)
line_ends = st.sampled_from(["", " ", "\n", "  \n"])
targets = st.sampled_from(["$q", "$r", "$q.a", "$m.zz", '$m["a"]', "$al[0]", "$l[1]", "$foo.x", "$m.b.c"])
sources = st.sampled_from(
    ["$l", "$al", "$m", "[1..3]", "$m.keySet()", "$m.entrySet()", "$foo", "[1, 2]", "$s.split(',')", "$x"]
)
Draw = Callable[[st.SearchStrategy[Any]], Any]


def _expression(draw: Draw, depth: int = 0) -> str:
    kind = draw(st.integers(0, 7)) if depth < 3 else 0
    if kind < 4:
        return str(draw(values))
    if kind == 4:
        return f"({_expression(draw, depth + 1)})"
    if kind == 5:
        return draw(st.sampled_from(["!{}", "not ({})"])).format(draw(references))
    return f"{_expression(draw, depth + 1)} {draw(operators)} {_expression(draw, depth + 1)}"


def _directive(draw: Draw, depth: int) -> str:
    condition, line_end, inside = _expression(draw), draw(line_ends), _block(draw, depth + 1)
    match draw(st.integers(0, 5)):
        case 0:
            return f"#if({condition}){line_end}{inside}#end{line_end}"
        case 1:
            return f"#if({condition}){line_end}{inside}#else{line_end} {_block(draw, depth + 1)}#end{line_end}"
        case 2:
            other = _expression(draw)
            return f"#if({condition}){inside}#elseif({other}){_block(draw, depth + 1)}#{{else}}{line_end}#end"
        case 3:
            return f"#foreach($i in {draw(sources)}){line_end}{inside}#end{line_end}"
        case 4:
            return f"#foreach($j in {draw(sources)}){inside}#if($foreach.hasNext),#end#end"
    return f"#foreach($i in {draw(sources)}){inside}#if($foreach.index == 1)#break#end#end"


def _block(draw: Draw, depth: int) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.integers(0, 6 if depth < 3 else 3)):
            case 0:
                parts.append(draw(texts))
            case 1 | 2:
                parts.append(draw(references))
            case 3:
                parts.append(
                    f"{draw(st.sampled_from(['', '  ']))}#set({draw(targets)} = {_expression(draw)}){draw(line_ends)}"
                )
            case _:
                parts.append(_directive(draw, depth))
    return " ".join(parts) + " "


@st.composite
def templates(draw: Draw) -> str:
    """A template of a few lines, sometimes with a macro or a block of #define."""
    first = ""
    match draw(st.integers(0, 7)):
        case 0:
            first = f"#macro(mm $p $q){_block(draw, 2)}[$p|$q]#end#mm({draw(values)} {draw(values)}) "
        case 1:
            first = f"#define($d){_block(draw, 2)}#end$d "
    return first + _block(draw, 0)


def main(examples: int) -> None:
    from tests.vtl.velocity import Velocity, ours

    velocity = Velocity()
    seen: dict[str, int] = {}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(templates())
    def compare(template: str) -> None:
        expected, found = velocity.render(template, VARIABLES), ours(template, VARIABLES)
        seen[expected[0]] = seen.get(expected[0], 0) + 1
        assert same(expected, found), f"{template!r}\n{expected}\n{found}"

    try:
        compare()
    finally:
        print(seen)
        velocity.close()


def same(expected: tuple[str, str], found: tuple[str, str]) -> bool:
    """Whether two answers agree: the same text, or an error both. Where in the heap an object is need not be the same."""
    if expected[0] != "output" or found[0] != "output":
        return (expected[0] == "output") == (found[0] == "output")
    return expected[1] == found[1] or "[Ljava" in expected[1]


if __name__ == "__main__":
    main(int(sys.argv[1]))
