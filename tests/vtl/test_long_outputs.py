"""How long a text may get: it is refused before it is made, and what is not printed does not count."""

from __future__ import annotations

import tracemalloc

import pytest

from tidegate.vtl import Budget, BudgetExceeded, compile_template

LONG = "x" * 40_000
BUDGET = Budget(output=100_000)


@pytest.mark.parametrize(
    "source",
    [
        "$long $long $long",
        "$long" * 60,
        "#foreach($i in [1..1000])<$long$long>#end",
        "#foreach($i in [1..1000])#if($i == 1000)a#end$long#end",
        "#macro(twice)$long+$long#end#twice()#twice()",
        "#define($block)$long+$long#end$block$block",
        '#set($text = "$long$long$long")',
        '#set($text = "#if(true)$long+$long+$long#end")',
        "#define($block)a#foreach($i in [1..9])$long b#end#end$block",
    ],
)
def test_a_text_that_gets_too_long_is_not_even_made(source: str) -> None:
    template = compile_template(source)
    tracemalloc.start()
    try:
        with pytest.raises(BudgetExceeded, match="a text of more than 100000 characters"):
            template.render({"long": LONG}, BUDGET)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * BUDGET.output + 50_000


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("<$long><$long>", 80_004),
        ("#define($block)<$long>#end$block$block", 80_004),
        ('#set($one = "#if(true)<$long><$long>#end")#set($two = "#if(true)<$long><$long>#end")$one', 80_004),
        ("#macro(m)<$long>#end#m()#m()", 80_004),
        ("#define($block)<$long>#stop#end<$long>$block", 80_004),
    ],
)
def test_each_text_counts_by_itself(source: str, length: int) -> None:
    assert len(compile_template(source).render({"long": LONG}, BUDGET)) == length
