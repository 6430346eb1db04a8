"""Tags of everything that can have them, found by their ARN; and the rules that tags obey wherever they are given.

Not here: storing the tags that come with a creation (each entity). Source: *API Gateway resources that can be tagged*,
*Tagging your API Gateway resources*; shared facts, rest-control-plane §8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import (
    get_api,
    get_association,
    get_certificate,
    get_domain,
    get_key,
    get_link,
    get_plan,
    get_stage,
    not_found,
)
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.arns import Arn
from tidegate.definition.records import (
    ApiKey,
    ClientCertificate,
    DomainName,
    DomainNameAccessAssociation,
    RestApi,
    Stage,
    UsagePlan,
    VpcLink,
)

Tagged: TypeAlias = (
    RestApi | Stage | ApiKey | UsagePlan | ClientCertificate | VpcLink | DomainName | DomainNameAccessAssociation
)

_CHARACTERS = re.compile(r"[\w +\-=.:/@]*")
_LONGEST_NAME = 128
_LONGEST_VALUE = 256
_MOST = 50


def check_tags(tags: Mapping[str, str] | None) -> None:
    """Raises ControlError for tags that AWS would not take."""
    for name, value in (tags or {}).items():
        if name.lower().startswith("aws:"):
            raise bad_request(f"Invalid tag key: {name}. The prefix aws: is reserved")
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise bad_request(f"Invalid tag key: {name}. Its length must be between 1 and {_LONGEST_NAME} characters")
        if len(value) > _LONGEST_VALUE:
            raise bad_request(f"Invalid value of tag {name}. At most {_LONGEST_VALUE} characters are allowed")
        if not _CHARACTERS.fullmatch(name) or not _CHARACTERS.fullmatch(value):
            raise bad_request(
                f"Invalid tag {name}. Only letters, digits, spaces and the characters + - = . _ : / @ are allowed"
            )
    if len(tags or ()) > _MOST:
        raise bad_request(f"Too many tags: at most {_MOST} are allowed")


_Find: TypeAlias = Callable[..., Tagged]
_KINDS: tuple[tuple[re.Pattern[str], _Find], ...] = (
    (re.compile(r"/restapis/([^/]+)"), get_api),
    (re.compile(r"/restapis/([^/]+)/stages/([^/]+)"), get_stage),
    (re.compile(r"/apikeys/([^/]+)"), get_key),
    (re.compile(r"/usageplans/([^/]+)"), get_plan),
    (re.compile(r"/clientcertificates/([^/]+)"), get_certificate),
    (re.compile(r"/vpclinks/([^/]+)"), get_link),
    (re.compile(r"/domainnames/([^/+]+)(?:\+([^/]+))?"), get_domain),
)
_ASSOCIATION = "/domainnameaccessassociations/"


def _tagged(context: Context, text: str) -> Tagged:
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise not_found(f"Invalid resource ARN specified {text}") from None
    # AWS: the account is empty, but for private domains and what belongs to them.
    mine = arn.service == "apigateway" and arn.region == context.scope.region
    if mine and arn.account in ("", context.scope.account):
        if arn.resource.startswith(_ASSOCIATION):
            return get_association(context, text)
        for pattern, find in _KINDS:
            if found := pattern.fullmatch(arn.resource):
                return find(context, *found.groups())
    raise not_found(f"Invalid resource ARN specified {text}")


def get_tags(context: Context, params: Params) -> dict[str, Any]:
    """AWS: `limit` and `position` are documented as not supported; all tags come at once."""
    return {"tags": _tagged(context, params["resource_arn"]).tags or {}}


def tag_resource(context: Context, params: Params) -> None:
    record = _tagged(context, params["resource_arn"])
    check_tags(params["tags"])
    tags = {**(record.tags or {}), **params["tags"]}
    check_tags(tags)
    context.tx.put(replace(record, tags=tags))


def untag_resource(context: Context, params: Params) -> None:
    record = _tagged(context, params["resource_arn"])
    tags = {name: value for name, value in (record.tags or {}).items() if name not in params["tag_keys"]}
    context.tx.put(replace(record, tags=tags))


OPERATIONS = {"GetTags": get_tags, "TagResource": tag_resource, "UntagResource": untag_resource}
