"""The way in: deploy a template to a running Tidegate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.deploy import report
from tidegate.deploy.errors import DeployError, Problem
from tidegate.deploy.parameters import Target
from tidegate.deploy.plan import make_plan
from tidegate.deploy.resources.base import ClientFactory
from tidegate.deploy.stack import Event, StackRun
from tidegate.deploy.state import StackState, StackStore, exports_of_others

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_CACHE = Path.home() / ".cache" / "tidegate"


@dataclass(frozen=True, slots=True)
class DeployResult:
    """What a deployment came to."""

    stack_name: str
    stack_id: str
    events: tuple[Event, ...]
    warnings: tuple[str, ...]
    outputs: Mapping[str, str]
    physical_ids: Mapping[str, str]
    """By logical id."""
    urls: tuple[str, ...]
    """Of every stage, in the path form, without a closing slash."""


def deploy(
    template_path: Path,
    *,
    stack_name: str,
    parameters: Mapping[str, str],
    clients: ClientFactory,
    stacks: StackStore,
    account: str,
    region: str,
    endpoint: str,
    out: Callable[[str], None],
    cache: Path = _CACHE,
    hot_reload: bool = False,
) -> DeployResult:
    """Create or update a stack from a SAM or CloudFormation template.

    `clients`: makes boto3 clients for the server; `endpoint`: its base URL, for the URLs that are shown; `out`: takes every
    line of the report; `cache`: where installed Python dependencies are kept; `hot_reload`: functions run the template's
    folders as they lie there, which the server has to be able to read. Raises DeployError with all problems: when it
    comes before the first line, nothing has been touched.
    """
    if not _STACK_NAME.fullmatch(stack_name):
        raise DeployError(
            [Problem("stack name", f"'{stack_name}' must satisfy [a-zA-Z][-a-zA-Z0-9]* (128 characters)")]
        )
    target = Target(stack_name, account, region)
    exports = exports_of_others(stacks, stack_name)
    plan = make_plan(
        template_path, target=target, given=parameters, exports=exports, cache=cache, hot_reload=hot_reload
    )
    saved = stacks.get(stack_name)
    state = StackState.from_json(saved) if saved else StackState(stack_name, target.stack_id)
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        out(report.event_line(event))

    run = StackRun(plan, state, clients=clients, stacks=stacks, tell=tell)
    try:
        run.apply()
    except DeployError:
        for warning in run.warnings:
            out(f"warning: {warning}")
        raise
    warnings = [*plan.warnings, *run.warnings]
    endpoint = endpoint.rstrip("/")
    report.finish(state, warnings, clients=clients, endpoint=endpoint, out=out)
    return DeployResult(
        stack_name=stack_name,
        stack_id=target.stack_id,
        events=tuple(events),
        warnings=tuple(warnings),
        outputs=state.outputs,
        physical_ids={name: resource.made.physical_id for name, resource in state.resources.items()},
        urls=tuple(report.invoke_urls(state, endpoint)),
    )
