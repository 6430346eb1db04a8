"""Templates out of a grammar. `python -m tests.vtl.generated 20000` compares so many with Velocity, none of them twice.

Left out on purpose, being oddities of Velocity's lexer that no one writes and that are not rebuilt: a property that touches the
next reference or directive (`$a.b$c`, `$a.b#if`), and a `#set` of the loop's own variable while that is null.
"""

from __future__ import annotations

import sys
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


def _operation(operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} {} {}".format, operands, operators, operands),
        st.builds("({})".format, operands),
        st.builds("!{}".format, references),
        st.builds("not ({})".format, operands),
    )


expressions = st.recursive(values, _operation, max_leaves=5)
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


def _directive(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("#if({}){}{}#end{}".format, expressions, line_ends, blocks, line_ends),
        st.builds(
            "#if({}){}{}#else{}{}#end{}".format, expressions, line_ends, blocks, st.just("\n"), blocks, line_ends
        ),
        st.builds("#if({}){}#elseif({}){}#{{else}}{}#end".format, expressions, blocks, expressions, blocks, blocks),
        st.builds("#foreach($i in {}){}{}#end{}".format, sources, line_ends, blocks, line_ends),
        st.builds("#foreach($j in {}){}#if($foreach.hasNext),#end#end".format, sources, blocks),
        st.builds("#foreach($i in {}){}#if($foreach.index == 1)#break#end#end".format, sources, blocks),
    )


simple = st.one_of(
    texts,
    st.builds("{} ".format, references),
    st.builds("{}#set({} = {}){}".format, st.sampled_from(["", "  "]), targets, expressions, line_ends),
)
blocks = st.recursive(
    st.lists(simple, min_size=1, max_size=4).map(" ".join),
    lambda inner: st.lists(_directive(inner), max_size=3).map(" ".join),
)
definitions = st.builds("#macro(mm $p $q){}[$p|$q]#end#mm({} {}) ".format, blocks, values, values)
blocks_later = st.builds("#define($d){}#end$d ".format, blocks)
templates = st.builds("{}{} ".format, st.one_of(st.just(""), st.just(""), definitions, blocks_later), blocks)


def main(examples: int) -> None:
    from tests.vtl.velocity import Velocity, ours

    velocity = Velocity()
    seen: dict[str, int] = {}

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(templates)
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
