"""What a function finds in its environment."""

from __future__ import annotations

from dataclasses import replace

from tests.functions.harness import blank_spec
from tidegate.functions.environment import Place, log_stream_name, worker_environment
from tidegate.functions.outside import NAMES, TRUST

PLACE = Place("127.0.0.1:9001", "/packages/x/code", "/scratch/1", "2026/01/31/[$LATEST]abc")


def test_everything_that_aws_documents() -> None:
    variables = worker_environment(blank_spec(), {}, PLACE)
    assert variables == {
        "_HANDLER": "app.handler",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/31/[$LATEST]abc",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LAMBDA_TASK_ROOT": "/packages/x/code",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/packages/x/code:/packages/x/code/lib:/opt/lib",
        "PYTHONPATH": "/var/runtime",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "HOME": "/scratch/1",
        "TMPDIR": "/scratch/1",
    }


def test_other_families_have_other_search_paths() -> None:
    place = replace(PLACE, opt="/layers/1", runtime_dir="/runtimes/nodejs", binaries="/node/bin", node=22)
    variables = worker_environment(replace(blank_spec(), runtime="nodejs22.x"), {}, place)
    assert variables["PATH"] == "/node/bin:/usr/local/bin:/usr/bin/:/bin:/layers/1/bin"
    assert variables["LD_LIBRARY_PATH"].endswith(":/layers/1/lib")
    assert variables["LAMBDA_RUNTIME_DIR"] == "/runtimes/nodejs"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs22.x"
    assert variables["NODE_PATH"] == (
        "/layers/1/nodejs/node22/node_modules:/layers/1/nodejs/node_modules:/runtimes/nodejs/node_modules"
    )
    assert "PYTHONPATH" not in variables
    custom = worker_environment(replace(blank_spec(), runtime="provided.al2023"), {}, PLACE)
    assert not {"AWS_EXECUTION_ENV", "PYTHONPATH", "NODE_PATH"} & custom.keys()


def test_who_wins() -> None:
    spec = replace(blank_spec(), environment={"TZ": "Europe/Vienna", "A_B": "function", "AWS_REGION": "mars-1"})
    variables = worker_environment(spec, {"A_B": "base", "C_D": "base", "AWS_ACCESS_KEY_ID": "real"}, PLACE)
    assert variables["TZ"] == "Europe/Vienna"
    assert variables["A_B"] == "function"
    assert variables["C_D"] == "base"
    assert variables["AWS_ACCESS_KEY_ID"] == "real"
    assert variables["AWS_REGION"] == "us-east-1"


def test_log_stream_names() -> None:
    assert log_stream_name("2026/01/31", "$LATEST", "0" * 32) == "2026/01/31/[$LATEST]" + "0" * 32


def test_certificates_and_names() -> None:
    base = {TRUST: "/data/trust", NAMES: "127.0.0.1 4566 .*", "A": "base"}
    variables = worker_environment(blank_spec(), base, PLACE)
    for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        assert variables[name] == "/data/trust/bundle.pem"
    assert variables["NODE_EXTRA_CA_CERTS"] == "/data/trust/ca.pem"
    assert (variables["A"], variables[NAMES]) == ("base", "127.0.0.1 4566 .*")
    assert TRUST not in variables
    inside = replace(PLACE, trust="/var/trust")
    assert worker_environment(blank_spec(), base, inside)["SSL_CERT_FILE"] == "/var/trust/bundle.pem"
    own = replace(blank_spec(), environment={"SSL_CERT_FILE": "/var/task/own.pem"}, runtime="provided.al2023")
    variables = worker_environment(own, base, inside)
    assert variables["SSL_CERT_FILE"] == "/var/task/own.pem"
    assert NAMES not in variables
