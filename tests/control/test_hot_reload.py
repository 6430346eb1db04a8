"""Functions whose code is a folder, through the Lambda API and `tidegate run`: every call after a save runs what was saved."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, zip_of

ROLE = "arn:aws:iam::000000000000:role/r"
CODE = "def handler(event, context):\n    return {!r}\n"


def make(server: Server, name: str, key: str, **options: Any) -> Any:
    given = {"Runtime": "python3.11", "Handler": "app.handler", **options}
    code = {"S3Bucket": "hot-reload", "S3Key": key}
    return server.client("lambda").create_function(FunctionName=name, Role=ROLE, Code=code, **given)


def value(server: Server, name: str) -> Any:
    answer = server.client("lambda").invoke(FunctionName=name)
    assert "FunctionError" not in answer
    return json.loads(answer["Payload"].read())


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_rename(path: Path, text: str) -> None:
    """As most editors save."""
    fresh = path.with_name(".app.py.swp")
    fresh.write_text(text)
    fresh.replace(path)


def with_its_old_times(path: Path, text: str) -> None:
    """As `cp --preserve` and unpacking an archive do."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("save", [in_place, by_rename, with_its_old_times])
def test_not_one_call_after_a_save_runs_what_was_there_before(server: Server, tmp_path: Path, save: Any) -> None:
    (tmp_path / "app.py").write_text(CODE.format(0))
    name = f"hot-{save.__name__}"
    make(server, name, str(tmp_path))
    for turn in range(10, 20):
        save(tmp_path / "app.py", CODE.format(turn))
        assert value(server, name) == turn


def test_versions_and_aliases_are_the_same_folder(server: Server, tmp_path: Path) -> None:
    client = server.client("lambda")
    (tmp_path / "app.py").write_text(CODE.format(1))
    made = make(server, "hot-alias", str(tmp_path), Publish=True)
    assert (made["Version"], made["CodeSize"]) == ("1", 0)
    client.create_alias(FunctionName="hot-alias", Name="live", FunctionVersion="1")
    assert value(server, "hot-alias:live") == 1
    (tmp_path / "app.py").write_text(CODE.format(2))
    assert (value(server, "hot-alias:live"), value(server, "hot-alias")) == (2, 2)
    code = client.get_function(FunctionName="hot-alias")["Code"]
    assert code == {"RepositoryType": "local", "Location": tmp_path.as_uri()}


def test_from_a_folder_to_a_package_and_back(server: Server, tmp_path: Path) -> None:
    client = server.client("lambda")
    (tmp_path / "app.py").write_text(CODE.format("folder"))
    make(server, "hot-back", str(tmp_path))
    assert value(server, "hot-back") == "folder"
    client.update_function_code(FunctionName="hot-back", ZipFile=zip_of({"app.py": CODE.format("zip")}))
    assert value(server, "hot-back") == "zip"
    client.update_function_code(FunctionName="hot-back", S3Bucket="hot-reload", S3Key=f"{tmp_path}/")
    assert value(server, "hot-back") == "folder"


def test_libraries_stand_behind_the_code(server: Server, tmp_path: Path) -> None:
    files = {
        "code/app.py": "import lib, own\nhandler = lambda event, context: [lib.v, own.v]\n",
        "code/own.py": "v = 'code'\n",
        "libs/own.py": "v = 'library'\n",
        "libs/lib.py": "v = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    make(server, "hot-libs", f"{tmp_path}/code:{tmp_path}/libs")
    assert value(server, "hot-libs") == [1, "code"]


def test_a_folder_that_goes_is_told_and_is_run_again_when_it_is_back(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE.format(1))
    make(server, "hot-gone", str(folder))
    assert value(server, "hot-gone") == 1
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ClientError) as refused:
        value(server, "hot-gone")
    assert refused.value.response["Error"] == {
        "Code": "InvalidZipFileException",
        "Message": f"The code of hot-gone is the folder {folder}, which is not there (any more).",
    }
    shutil.rmtree(tmp_path / "elsewhere")
    folder.mkdir()
    (folder / "app.py").write_text(CODE.format(2))
    assert value(server, "hot-gone") == 2


def test_folders_that_are_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for key, told in (
        ("src", "is the absolute path of a folder, unlike src"),
        (f"{tmp_path}/nosuch", f"{tmp_path}/nosuch is not a folder on the machine"),
        (f"{tmp_path}/file", "file is not a folder"),
        (f"{tmp_path}:{tmp_path}/nosuch", "nosuch is not a folder"),
    ):
        with pytest.raises(ClientError, match=told) as refused:
            make(server, "hot-bad", key)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_server_that_others_reach_reads_no_folders(tmp_path: Path) -> None:
    closed = Server(tmp_path / "data", ("--hot-reload", "off")).start()
    try:
        with pytest.raises(ClientError, match="start Tidegate with --hot-reload on"):
            make(closed, "hot", str(tmp_path))
    finally:
        closed.stop()


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      {where}: src/
      Handler: app.handler
      Runtime: python3.11
      AutoPublishAlias: live
      Events: {{ Get: {{ Type: Api, Properties: {{ Path: /greet, Method: get }} }} }}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {{ Code: ./src, Handler: app.handler, Runtime: python3.11, Role: "{role}", FunctionName: plain }}
"""


def test_a_template_that_is_run_reloads_its_folders(tmp_path: Path) -> None:
    answer = "def handler(event, context):\n    return {{'statusCode': 200, 'body': '{}'}}\n"
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text(answer.format("first"))
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.format(where="CodeUri", role=ROLE))
    running = Server(tmp_path / "data", command=("run", str(template))).start()
    try:
        line = running.wait_for("http://", among=running.access_log)
        url = next(word for word in line.split() if word.startswith("http"))
        path = url.removeprefix(running.url)
        for turn in range(5):
            (tmp_path / "src/app.py").write_text(answer.format(turn))
            assert running.request("GET", f"{path}/greet").body == b"%d" % turn
            assert value(running, "plain")["body"] == str(turn)
    finally:
        running.stop()
