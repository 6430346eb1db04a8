"""SAM templates become CloudFormation templates, by AWS's own translator. Ids that only the transform makes
(`ServerlessRestApi`, `<Function>Role`, `!Ref Api.Stage`) are then resources like all others.

No network, no AWS session: the translator gets the region, and a map that knows an ARN for every managed policy.
AWS: SAM Developer Guide, "AWS SAM resources and properties"; aws/serverless-application-model on GitHub.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.deploy.errors import DeployError, Problem

TRANSFORM = "AWS::Serverless-2016-10-31"
_NEEDS_NETWORK = "AWS::Serverless::Application"


@dataclass(frozen=True, slots=True)
class _Session:
    """As much of a boto3 session as the translator looks at."""

    region_name: str


class _ManagedPolicies(dict[str, str]):
    """Knows every policy by its name."""

    def get(self, name: str, default: Any = None) -> Any:
        # AWS: what is an ARN already, the translator passes on when the map does not know it.
        return default if name.startswith("arn:") else f"arn:aws:iam::aws:policy/{name}"

    def __bool__(self) -> bool:
        return True


def transforms_of(template: Mapping[str, Any]) -> list[str]:
    declared = template.get("Transform", [])
    return [declared] if isinstance(declared, str) else [str(name) for name in declared]


def translate(template: Mapping[str, Any], *, parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The CloudFormation template that a SAM template stands for; others are given back as they are.

    `template`: with local code already packed. `parameters`: values of parameters and pseudo parameters.
    Raises DeployError with all of SAM's errors at once.
    """
    declared = transforms_of(template)
    foreign = [name for name in declared if name != TRANSFORM]
    if foreign:
        raise DeployError([Problem("Transform", f"the transform {name} is not supported") for name in foreign])
    if TRANSFORM not in declared:
        return {key: value for key, value in template.items() if key != "Transform"}
    nested = [i for i, r in template["Resources"].items() if r["Type"] == _NEEDS_NETWORK]
    if nested:
        raise DeployError([Problem(logical_id, f"{_NEEDS_NETWORK} is not supported") for logical_id in nested])
    return _translated(template, parameters, region)


def _translated(template: Mapping[str, Any], parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    # Imported here: it takes most of a second, and templates without SAM, and every other command, go without.
    from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    values = {name: ",".join(value) if isinstance(value, list) else value for name, value in parameters.items()}
    metrics = Metrics("tidegate", DummyMetricsPublisher())
    translator = Translator(None, Parser(), boto_session=_Session(region), metrics=metrics)
    try:
        result: dict[str, Any] = translator.translate(
            copy.deepcopy(dict(template)), values, get_managed_policy_map=_ManagedPolicies
        )
    except InvalidDocumentException as error:
        raise DeployError([_problem(cause) for cause in error.causes]) from error
    finally:
        metrics.publish()  # goes nowhere; what is left unpublished is complained about when the program ends
    return {key: value for key, value in result.items() if key != "Globals"}


def _problem(cause: Any) -> Problem:
    logical_id = getattr(cause, "_logical_id", None)
    return Problem(str(logical_id or "template"), str(cause.message))
