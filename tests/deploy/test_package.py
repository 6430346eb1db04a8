"""Local code becomes packages, and included files become part of the template."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import Bench
from tidegate.deploy.errors import DeployError
from tidegate.deploy.package import PackageError, Packages
from tidegate.functions.interpreters import every_python, probe_python


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def fill(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", app_py="x = 1", lib__a_py="", lib__tool_sh="#!/bin/sh")
    fill(code / ".git", config_txt="")
    fill(code / "__pycache__", app_pyc="")
    (code / "lib/tool.sh").chmod(0o755)
    packages = Packages(tmp_path / "cache")
    archive = zipfile.ZipFile(io.BytesIO(packages[packages.add(code)]))
    assert archive.namelist() == ["app.py", "lib/a.py", "lib/tool.sh"]
    assert [info.external_attr >> 16 for info in archive.infolist()] == [0o644, 0o644, 0o755]


def test_the_same_content_has_the_same_key(tmp_path: Path) -> None:
    first, second = fill(tmp_path / "a", x_py="1"), fill(tmp_path / "b", x_py="1")
    assert Packages(tmp_path).add(first) == Packages(tmp_path).add(second)
    (second / "x.py").write_text("2")
    assert Packages(tmp_path).add(first) != Packages(tmp_path).add(second)


def test_a_file_and_an_archive(tmp_path: Path) -> None:
    packages = Packages(tmp_path / "cache")
    file = tmp_path / "app.py"
    file.write_text("x")
    content = packages[packages.add(file)]
    assert names(content) == ["app.py"]
    archive = tmp_path / "ready.zip"
    archive.write_bytes(content)
    assert packages[packages.add(archive)] == content


def wheel(path: Path) -> str:
    """The smallest package that pip installs, without any network."""
    file = path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tiny.py", "VALUE = 1\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return str(file)


def test_requirements_are_installed_once(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", app_py="", requirements_txt=f"# tools\nboto3==1.40\n\n{wheel(tmp_path)}\n")
    cache = tmp_path / "cache"
    packages = Packages(cache)
    content = packages[packages.add(code)]
    assert {"app.py", "tiny.py", "requirements.txt"} <= {*names(content)}
    (made,) = (cache / "python").iterdir()
    assert packages.hot(code) == f"{code}:{made}"
    (made / "tiny.py").write_text("VALUE = 2\n")
    again = Packages(cache)
    assert b"VALUE = 2" in zipfile.ZipFile(io.BytesIO(again[again.add(code)])).read("tiny.py")


def test_requirements_are_installed_by_the_python_of_the_runtime(tmp_path: Path) -> None:
    """Of a package with compiled parts, another one's would not load."""
    others = {found.version for found in map(probe_python, every_python()) if found is not None}
    others.discard(sys.version_info[:2])
    if not others:
        pytest.skip("no other Python on this machine")
    major, minor = max(others)
    wheel(tmp_path)
    for tag in (f"cp{major}{minor}", f"cp{sys.version_info[0]}{sys.version_info[1]}"):
        with zipfile.ZipFile(tmp_path / "tiny-1.0-py3-none-any.whl") as made:
            text = made.read("tiny-1.0.dist-info/WHEEL").decode().replace("py3-none", f"{tag}-none")
            with zipfile.ZipFile(tmp_path / f"tiny-1.0-{tag}-none-any.whl", "w") as archive:
                for name in made.namelist():
                    archive.writestr(name, text if name.endswith("WHEEL") else made.read(name))
                archive.writestr(f"{tag}.py", "")
    (tmp_path / "tiny-1.0-py3-none-any.whl").unlink()
    code = fill(tmp_path / "code", app_py="", requirements_txt=f"--no-index\n--find-links {tmp_path}\ntiny\n")
    packages = Packages(tmp_path / "cache")
    assert f"cp{major}{minor}.py" in names(packages[packages.add(code, f"python{major}.{minor}")])
    assert f"cp{sys.version_info[0]}{sys.version_info[1]}.py" in names(packages[packages.add(code)])
    assert "tiny.py" not in names(packages[packages.add(code, "nodejs20.x")])


def test_what_is_provided_or_there_already_is_not_installed(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", app_py="", requirements_txt="boto3\nBotocore>=1\nmy_tool~=2.0\n")
    (code / "my_tool-2.0.dist-info").mkdir()
    Packages(tmp_path / "cache").add(code)
    assert not (tmp_path / "cache").exists()


def test_pip_that_fails_is_told(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", requirements_txt="./none-1.0-py3-none-any.whl\n")
    with pytest.raises(PackageError, match=r"pip cannot install .*requirements.txt"):
        Packages(tmp_path / "cache").add(code)
    assert [*(tmp_path / "cache" / "python").iterdir()] == []


def test_node_modules_that_are_missing_are_told(tmp_path: Path) -> None:
    manifest = json.dumps({"dependencies": {"left-pad": "1", "@aws-sdk/client-s3": "3"}})
    code = fill(tmp_path / "code", package_json=manifest)
    with pytest.raises(PackageError, match="asks for left-pad: run `npm install`"):
        Packages(tmp_path / "cache").add(code)


FUNCTION = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Folder: {Type: String, Default: code}}
%s
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.11%s}
"""


@pytest.mark.parametrize(
    ("head", "more"),
    [
        ("", ", CodeUri: code/"),
        ("", ", CodeUri: ./code/app.py"),
        ("", ", CodeUri: !Ref Folder"),
        ("", ", CodeUri: !Sub '${Folder}/'"),
        ("Globals: {Function: {CodeUri: code}}", ""),
        ("Globals: {Function: {CodeUri: none}}", ", CodeUri: code"),
    ],
)
def test_code_of_functions(bench: Bench, head: str, more: str) -> None:
    bench.write("code/app.py", "handler = None")
    bench.deploy(FUNCTION % (head, more))
    assert names(bench.world.params("CreateFunction")[0]["Code"]["ZipFile"]) == ["app.py"]


def test_code_that_is_not_named_is_the_templates_folder(bench: Bench) -> None:
    bench.write("app.py", "")
    bench.deploy(FUNCTION % ("", ""))
    assert names(bench.world.params("CreateFunction")[0]["Code"]["ZipFile"]) == ["app.py", "template.yaml"]


def test_inline_code_wins_over_a_global_folder(bench: Bench) -> None:
    bench.deploy(FUNCTION % ("Globals: {Function: {CodeUri: none}}", ", InlineCode: 'x = 1'"))
    assert names(bench.world.params("CreateFunction")[0]["Code"]["ZipFile"]) == ["index.py"]


def test_code_of_plain_cloudformation(bench: Bench) -> None:
    bench.write("code/app.py", "")
    role = "Role: 'arn:aws:iam::000000000000:role/r'"
    text = "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: ./code, Handler: a.b, %s}}}"
    bench.deploy(text % role)
    assert names(bench.world.params("CreateFunction")[0]["Code"]["ZipFile"]) == ["app.py"]


@pytest.mark.parametrize("uri", ["s3://there/code.zip", "{Bucket: there, Key: code.zip}"])
def test_code_in_s3_is_left_to_the_server(bench: Bench, uri: str) -> None:
    bench.deploy(FUNCTION % ("", f", CodeUri: {uri}"))
    assert bench.world.params("CreateFunction")[0]["Code"] == {"S3Bucket": "there", "S3Key": "code.zip"}


@pytest.mark.parametrize(
    ("head", "more", "message"),
    [
        ("", ", CodeUri: none/", "Fn: .*none does not exist"),
        ("", ", CodeUri: https://example.com/code.zip", "Fn: https://example.com/code.zip is not a local file"),
        ("", ", PackageType: Image", "Fn.PackageType: container images are not supported"),
        ("Globals: {Function: {PackageType: Image}}", "", "Fn.PackageType: container images are not supported"),
        (
            "",
            "}\n    Metadata: {BuildMethod: esbuild",
            "Fn.Metadata.BuildMethod: building with esbuild is not supported",
        ),
    ],
)
def test_code_that_cannot_be_packed(bench: Bench, head: str, more: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        bench.deploy(FUNCTION % (head, more))
    assert bench.world.calls == []


def test_what_sam_build_made_is_taken(bench: Bench) -> None:
    bench.write("code/app.js", "")
    bench.deploy(FUNCTION % ("", ", CodeUri: code}\n    Metadata: {BuildMethod: esbuild, SamResourceId: Fn"))
    assert names(bench.world.params("CreateFunction")[0]["Code"]["ZipFile"]) == ["app.js"]


OPENAPI = """
openapi: 3.0.1
info: {title: Pets, version: '1'}
paths:
  /pets:
    get:
      responses: {200: {description: fine}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: !Sub 'http://${AWS::StackName}/'}
"""


@pytest.mark.parametrize(
    "api",
    [
        "{Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionUri: api.yaml}}",
        "{Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionBody: {Fn::Transform: "
        "{Name: AWS::Include, Parameters: {Location: !Sub '${File}.yaml'}}}}}",
        "{Type: AWS::ApiGateway::RestApi, Properties: {Body: {Fn::Transform: "
        "{Name: AWS::Include, Parameters: {Location: ./api.yaml}}}}}",
        "{Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: api.yaml}}",
    ],
)
def test_definitions_from_files(bench: Bench, api: str) -> None:
    bench.write("api.yaml", OPENAPI)
    head = "Transform: AWS::Serverless-2016-10-31\nParameters: {File: {Type: String, Default: api}}\n"
    bench.deploy(f"{head}Resources:\n  Api: {api}")
    body: dict[str, Any] = json.loads(bench.world.params("PutRestApi")[0]["body"])
    operation = body["paths"]["/pets"]["get"]
    assert operation["x-amazon-apigateway-integration"]["uri"] == "http://demo/"
    assert list(operation["responses"]) == ["200"]


def test_includes_join_what_is_beside_them(bench: Bench) -> None:
    bench.write("part.json", '{"Description": "from a file", "Name": "file"}')
    include = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: part.json}}, Name: own}"
    bench.deploy(f"Resources: {{Api: {{Type: AWS::ApiGateway::RestApi, Properties: {include}}}}}")
    assert bench.world.params("CreateRestApi") == [{"name": "own", "description": "from a file"}]
