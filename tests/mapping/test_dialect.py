"""Every known behaviour of API Gateway's templates, fact by fact: what is recorded, and where it differs from Velocity 1.7.

Source: shared facts, vtl (rows marked [rec], and those that `tidegate.vtl.dialect` lists).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidegate.testing import render
from tidegate.vtl import API_GATEWAY, VELOCITY_17, Dialect, TemplateError, compile_template

BODY = json.dumps(
    {
        "foo": "bar",
        "map": {"foo": "bar"},
        "dict": {"bigger": "dict", "to": "test", "with": "separators"},
        "list": [{"foo": "bar"}],
        "nested": {"foo": [{"nested": "bar"}]},
        "lists": [[{"foo": "bar"}]],
        "null": None,
        "text": 'a "b" / \\ é',
        "n": 5,
        "d": 2.5,
        "t": True,
        "f": False,
        "empty": [],
        "none": {},
        "a b": 1,
    }
)

RECORDED: list[tuple[str, str]] = [
    # §3 printing what $input.path finds
    ("$input.path('$.map')", "{foo=bar}"),
    ("$input.path('$.dict')", "{bigger=dict, to=test, with=separators}"),
    ("$input.path('$.list')", '[{"foo":"bar"}]'),
    ("$input.path('$.nested')", '{foo=[{"nested":"bar"}]}'),
    ("#set($r = $input.path('$.list'))$r[0]", "{foo=bar}"),
    ("#set($r = $input.path('$.lists'))$r[0]", '[{"foo":"bar"}]'),
    ("$input.path('$.map').toString()", "{foo=bar}"),
    ("$input.path('$.list').toString()", '[{"foo":"bar"}]'),
    ("$input.path('$.text')", 'a "b" / \\ é'),
    ("$input.path('$.n') $input.path('$.d') $input.path('$.t') $input.path('$.f')", "5 2.5 true false"),
    ("[$input.path('$.null')][$input.path('$.nosuch')]", "[][]"),
    ("#set($r = $input.path('$.nosuch'))#if($r == $null)null#end #if($r == \"\")empty#end", "null empty"),
    ("#set($r = $input.path('$.null'))#if($r == $null)null#end #if($r == \"\")empty#end", "null empty"),
    ("#set($r = $input.path('$.empty'))$r [$r.nested]", "[] []"),
    ("#set($r = $input.path('$.empty'))#if($r == $null)null#end#if($r == \"\")empty#end.", "."),
    ("#if($r == \"\")unset#end", "unset"),
    # §3 $input
    ("$input.body.foo", ""),
    ("$input.json('$.map')", '{"foo":"bar"}'),
    ("$input.json('$.foo')", '"bar"'),
    ("$input.json('$.dict')", '{"bigger":"dict","to":"test","with":"separators"}'),
    ("$input.json('$.nosuch')", '""'),
    ("$input.json('$.list')$input.json('$.empty')$input.json('$.none')$input.json('$.n')", '[{"foo":"bar"}][]{}5'),
    ("$input.path(\"$['a b']\")", "1"),
    ("$input.path('$..foo')", '["bar","bar","bar",[{"nested":"bar"}],"bar"]'),
    ("$input.path('$.list[*].nosuch')$input.path('$.list[?(@.foo == \"x\")]')", "[][]"),
    ("$input.path('$.dict').keySet()", "[bigger, to, with]"),
    ("$input.params('q') $input.params('p') $input.params('H') [$input.params('h')]", "query path header []"),
    ("$input.params().keySet()", "[path, querystring, header]"),
    ("$input.params().get('header').get('H')$input.params().header.H$input.params().path.p", "headerheaderpath"),
    ("[$input.params('nosuch')]", "[]"),
    # §3 null and what there is not
    ("[$context.authorizer.principalId]", "[]"),
    ("[$context.nosuch][$context.nosuch.deeper][$stageVariables.nosuch]", "[][][]"),
    ("[$!nosuch][$!{nosuch}]", "[][]"),
    ("#set($x = $input.path('$.nosuch'))[$x]", "[]"),
    ("#set($x = 'old')#set($x = $input.path('$.nosuch'))[$x]", "[]"),
    ("#set($m = {})[$m.put('a', 'b')][$m.put('a', 'c')]$m", "[][b]{a=c}"),
    ("#set($l = [])$l.add('x')$l", "true[x]"),
    # §2 variables
    ("$stageVariables.color $stageVariables['color'] ${stageVariables['color']}", "blue blue blue"),
    ("#foreach($k in $context.keySet())#if($k == 'requestId')found#end#end", "found"),
    ("$method.request.header.H $integration.response.header.H", "$method.request.header.H $integration.response.header.H"),
    ("[$date][$math.add(1, 2)]", "[$date][$math.add(1, 2)]"),
    # §4 $util
    ("$util.urlEncode('{\"some\": \"value\"}')", "%7B%22some%22%3A+%22value%22%7D"),
    ("$util.urlEncode('x=a+b')", "x%3Da%2Bb"),
    ("[$util.urlEncode($input.path('$.nosuch'))]", "[]"),
    ("$util.urlEncode('.-*_~é ')", ".-*_%7E%C3%A9+"),
    ("$util.urlDecode('a+b%20%C3%A9')", "a b é"),
    ("$util.base64Encode('é?')$util.base64Decode('w6k/')", "w6k/é?"),
    ("$util.escapeJavaScript($input.path('$.text'))", 'a \\"b\\" \\/ \\\\ \\u00E9'),
    ("$util.escapeJavaScript(\"it's\").replaceAll(\"\\\\'\", \"'\")", "it's"),
    ("#set($o = $util.parseJson('{\"k\": {\"arr\": [1, \"x\"]}}'))$o.k.arr[0]$o.k.arr[1] $o.k", '1x {arr=[1,"x"]}'),
    ("[$util.parseJson('{\"a\":')]", "[]"),
    ("[$util.toJson($context.path)][$util.qr(1)][$util.error('x')]", "[][][]"),
    # §6 directives
    ("#set($x = 1)#{if}($x)a#{else}b#{end}c", "ac"),
    ("#foreach($i in {'a': 1, 'b': 2})$i#end", "12"),
    ("#foreach($i in $input.path('$.nosuch'))$i#end.", "."),
    ("#foreach($e in $input.path('$.dict').entrySet())$e.key=$e.value#if($foreach.hasNext),#end#end",
     "bigger=dict,to=test,with=separators"),
    ("#foreach($i in [1..3])$foreach.index$foreach.count$foreach.first$foreach.last$velocityCount #end",
     "01truefalse1 12falsefalse2 23falsetrue3 "),
    ("#foreach($i in [1..5])#if($i == 3)#break#end$i#end", "12"),
    ("#foreach($i in [1..5])$i#if($i == 2)$foreach.stop()#end#end", "12"),
    ("a#stop b", "a"),
    ("#set($i = 'kept')#foreach($i in [1, 2])$i#end$i", "12kept"),
    # §6 expressions
    ("#set($l = [1, 2])[$l[9]][$l[-1]]", "[][2]"),
    ("#set($l = $input.path('$.list'))$l.count()$l.size()", "11"),
    ("#if(1 == 1.0)eq#end#if('1' == 1)text#end", "eqtext"),
    ("#set($a = '')#set($b = 0)#set($c = [])#if($a)a#end#if($b)b#end#if($c)c#end", "abc"),
    ("#set($x = 7 / 2)#set($y = 7 % 0)$x ($y)", "3 ()"),
    ("#set($s = 'a')#set($s = \"$s,b\")$s", "a,b"),
    ("#set($s = 1 + 'x')$s", "1x"),
    # escaping
    ("#set($D = '$')${D}ref", "$ref"),
    ("\"$.id\" $5 #123 # .", "\"$.id\" $5 #123 # ."),
    ("#set($x = 1)\\$x \\\\$x \\$nosuch \\#if", "$x \\1 \\$nosuch #if"),
    # §11 idioms
    ("#set($root = $input.path('$'))#foreach($e in $root.list)$e.foo#end", "bar"),
    ("#if($input.path('$').toString().contains('separators'))yes#end", "yes"),
    ("#set($e = $util.parseJson($input.path('$.nosuch')))[$e.reason]", "[]"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "expected"), RECORDED)
def test_as_recorded(template: str, expected: str) -> None:
    rendered = render(
        template,
        body=BODY,
        path={"p": "path"},
        querystring={"q": "query"},
        header={"H": "header", "q": "nor this"},
        stage_variables={"color": "blue"},
    )
    assert rendered.text == expected


@pytest.mark.parametrize("body", ["", b""])
def test_an_empty_body(body: str | bytes) -> None:
    assert render("$input.body", body=body).text == "{}"
    assert render("$input.json('$') [$input.path('$.x')]", body=body).text == "{} []"


@pytest.mark.parametrize("body", ["no json", "<a/>", "{", b"\xff\xfe"])
def test_a_body_that_is_no_json(body: str | bytes) -> None:
    assert render("[$input.path('$.x')][$input.json('$.x')]", body=body).text == '[][""]'


@pytest.mark.parametrize(
    "template",
    [
        "#set($context.requestOverride.header.X = 'v')#set($context.requestOverride.querystring.X = 'v')"
        "#set($context.requestOverride.path.X = 'v')",
        "#set($n = 'X')#foreach($o in ['header', 'querystring', 'path'])"
        "#set($context.requestOverride[$o][$n] = 'v')#end",
        "$context.requestOverride.header.put('X', 'v')$context.requestOverride.querystring.put('X', 'v')"
        "$context.requestOverride.path.put('X', 'v')",
        "#set($context[\"requestOverride\"].header[\"X\"] = 'v')#set($context['requestOverride'].querystring['X'] = 'v')"
        "#set($context['requestOverride']['path']['X'] = 'v')",
    ],
)
def test_overrides_of_every_form_print_nothing(template: str) -> None:
    rendered = render(template)
    assert rendered.text == ""
    for overridden in (rendered.overrides.header, rendered.overrides.querystring, rendered.overrides.path):
        assert overridden == {"X": "v"}


def test_overrides_of_the_answer() -> None:
    rendered = render(
        "#set($context.responseOverride.status = 404)#set($context.responseOverride.header.A = $input.path('$.a'))"
        "#set($context.responseOverride.custom = 'kept')$context.responseOverride.custom",
        body='{"a": [1]}',
    )
    assert (rendered.text, rendered.status, rendered.headers) == ("kept", "404", {"A": "[1]"})


@pytest.mark.parametrize(
    "template",
    [
        "#set($context.responseOverride.status = 200)#set($context.responseOverride.status = 201)",
        "#set($context.responseOverride.header.X = 'a')$context.responseOverride.header.put('X', 'b')",
        "#foreach($one in ['a', 'b'])#set($context['requestOverride'].querystring['X'] = $one)#end",
    ],
)
def test_an_override_is_final(template: str) -> None:
    with pytest.raises(TemplateError, match="overridden twice"):
        render(template)


DIFFERENCES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("null_prints_nothing", "[$m.a]", {"m": {}}, "[]", "[$m.a]"),
    ("null_is_assigned", "#set($x = 'old')#set($x = $m.a)$!x", {"m": {}}, "", "old"),
    ("null_equals_empty", "#if($m.a == '')empty#{else}not#end", {"m": {}}, "empty", "not"),
    ("index_out_of_range_is_null", "[$!l[9]]", {"l": [1]}, "[]", "error"),
    ("foreach_can_stop", "#foreach($i in [1, 2])$i$!foreach.stop()#end", {}, "1", "12"),
    ("lists_can_count", "$!l.count()", {"l": [1]}, "1", ""),
]
"""By the dialect's field: a template, its variables, what API Gateway prints, and what Velocity 1.7 does."""


def test_every_difference_has_a_case() -> None:
    assert {name for name, *_ in DIFFERENCES} == set(Dialect.__slots__)


@pytest.mark.parametrize(("name", "template", "variables", "gateway", "velocity"), DIFFERENCES)
def test_the_differences_from_velocity(
    name: str, template: str, variables: dict[str, Any], gateway: str, velocity: str
) -> None:
    assert compile_template(template, dialect=API_GATEWAY).render(variables) == gateway
    if velocity == "error":
        with pytest.raises(TemplateError):
            compile_template(template, dialect=VELOCITY_17).render(variables)
    else:
        assert compile_template(template, dialect=VELOCITY_17).render(variables) == velocity


@pytest.mark.parametrize(
    "template",
    [
        "#set($l = [])$!l.add(1)$l",
        "#set($m = {'x': []})$!m.x.add(1)$!m.put('a', 1)$m",
        "#set($r = [1..3])$!r.add(4)$r",
        "#macro(m $x)$!x.add(1)$x#end#m([1])#m([1])",
        "#define($d)#set($l = [])$!l.add(1)$l#end$d$d",
        "$!stageVariables.put('a', 'b')$stageVariables",
        "#set($x = $input.path('$'))#set($x.a = 1)$x$input.json('$.a')",
    ],
)
def test_renderings_share_nothing(template: str) -> None:
    compiled = compile_template(template)
    assert compiled.render({"stageVariables": {}}) == compiled.render({"stageVariables": {}})
    assert render(template, stage_variables={"k": "v"}).text == render(template, stage_variables={"k": "v"}).text
