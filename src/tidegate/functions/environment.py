"""The environment variables that a function sees. Pure: nothing of the gateway's own environment gets in.

Not here: which names a user may not set (control refuses them).

AWS: "Using Lambda environment variables", defined runtime environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.functions.outside import told
from tidegate.functions.spec import FunctionSpec

_LIBRARIES = "/lib64:/usr/lib64:{runtime}:{runtime}/lib:{task}:{task}/lib:{opt}/lib"
"""AWS's own order, overridable by the user."""
_PATH = "/usr/local/bin:/usr/bin/:/bin"


@dataclass(frozen=True, slots=True)
class Place:
    """What differs from worker to worker of one function."""

    runtime_api: str
    """`host:port` of its Runtime API."""
    task_root: str
    scratch: str
    """Its own directory for temporary files."""
    log_stream: str
    opt: str = "/opt"
    """Where its layers are."""
    runtime_dir: str = "/var/runtime"
    binaries: str = ""
    """The interpreter's own directory of programs, AWS's /var/lang/bin."""
    node: int = 0
    """The major version of Node.js; 0: another family."""
    trust: str = ""
    """Where the certificates are that it trusts; empty: where they are on the machine."""
    initialization: str = "on-demand"
    """Or `provisioned-concurrency`."""
    channel: int = -1
    """The descriptor of its channel; -1: it has none."""


def log_stream_name(day: str, version: str, unique: str) -> str:
    """`2026/01/31/[$LATEST]{32 hex}`; `day` with slashes."""
    return f"{day}/[{version}]{unique}"


def worker_environment(spec: FunctionSpec, base: Mapping[str, str], place: Place) -> dict[str, str]:
    """Weakest first: AWS's overridable defaults, the operator's `base`, the function's own, AWS's reserved ones."""
    return {
        **_overridable(spec, place),
        **told(base, place.trust, looks_at_names=spec.runtime.startswith(("python", "nodejs"))),
        **spec.environment,
        **_reserved(spec, place),
    }


def wrapper(variables: Mapping[str, str], place: Place) -> list[str]:
    """The script that starts the runtime in its stead. AWS: "Modifying the runtime environment", wrapper scripts."""
    script = variables.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not script:
        return []
    for there, here in (("/var/task/", place.task_root), ("/opt/", place.opt)):
        if script.startswith(there):
            return [f"{here}/{script.removeprefix(there)}"]
    return [script]


def _overridable(spec: FunctionSpec, place: Place) -> dict[str, str]:
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": ":".join(filter(None, (place.binaries, _PATH, f"{place.opt}/bin"))),
        "LD_LIBRARY_PATH": _LIBRARIES.format(runtime=place.runtime_dir, task=place.task_root, opt=place.opt),
        **_search_paths(spec, place),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        # A twelve-digit access key id names the account to us and to the neighbours.
        "AWS_ACCESS_KEY_ID": spec.account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        # Without HOME, `~` would be the gateway user's own, with its AWS profiles in it.
        "HOME": place.scratch,
        "TMPDIR": place.scratch,
    }


def _search_paths(spec: FunctionSpec, place: Place) -> dict[str, str]:
    if spec.runtime.startswith("python"):
        return {"PYTHONPATH": place.runtime_dir}
    if place.node:
        layers = f"{place.opt}/nodejs/node{place.node}/node_modules:{place.opt}/nodejs/node_modules"
        return {"NODE_PATH": f"{layers}:{place.runtime_dir}/node_modules"}
    return {}


def _reserved(spec: FunctionSpec, place: Place) -> dict[str, str]:
    # AWS: custom runtimes are told no execution environment.
    managed = {} if spec.runtime.startswith("provided") else {"AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}"}
    channel = {} if place.channel < 0 else {"_TIDEGATE_CHANNEL": str(place.channel)}
    return {
        **managed,
        **channel,
        "_HANDLER": spec.handler,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": place.initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "LAMBDA_TASK_ROOT": place.task_root,
        "LAMBDA_RUNTIME_DIR": place.runtime_dir,
    }
