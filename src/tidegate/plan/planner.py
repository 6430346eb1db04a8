"""Keeps the plan in step with the store: compiles what a commit touched, and hands over what is to be published.

Runs in the management thread; what it returns is swapped in by the event loop. A stage that no longer compiles keeps its
last good plan, and the failure is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.aws.scope import Scope
from tidegate.core.errors import DefinitionError, Problem
from tidegate.core.message import ClientIdentity
from tidegate.core.vault import Vault
from tidegate.definition.freeze import thaw
from tidegate.definition.records import (
    LATEST,
    ApiKey,
    BasePathMapping,
    ClientCertificate,
    Deployment,
    DeploymentDocument,
    DomainName,
    Function,
    FunctionAlias,
    FunctionUrl,
    FunctionVersion,
    Invocable,
    Record,
    Stage,
    UsagePlan,
    VpcLink,
)
from tidegate.definition.store import Change, Store, Transaction
from tidegate.functions.spec import AliasEntry, CatalogEntry
from tidegate.plan.catalog import alias_entry, catalog_entry, qualified_arn, url_plan
from tidegate.plan.compile import compile_stage
from tidegate.plan.domains import compile_domains
from tidegate.plan.identities import all_identities, changed_identities
from tidegate.plan.keys import key_entry, plan_entry
from tidegate.plan.nodes import DomainPlan, Snapshot, StagePlan
from tidegate.plan.urls import UrlPlan
from tidegate.state.callers import IdentityChanges
from tidegate.state.keys import KeyEntry, PlanEntry

log = logging.getLogger("tidegate.plan")


@dataclass(slots=True)
class Publication:
    """What a commit changes for the parts that run."""

    snapshot: Snapshot | None = None
    gone: list[tuple[str, str]] = field(default_factory=list)
    """Stages that are no more: API id and stage name."""
    functions: dict[str, CatalogEntry | AliasEntry | None] = field(default_factory=dict)
    """By function ARN, with the qualifier of a version or an alias; None: gone."""
    urls: Mapping[str, UrlPlan] | None = None
    """All function URLs by their ids; None: nothing has changed."""
    everything: bool = False
    """Whether this is all there is, and not what changed."""
    keys: dict[str, KeyEntry | None] = field(default_factory=dict)
    """API keys by id; None: gone."""
    usage_plans: dict[str, PlanEntry | None] = field(default_factory=dict)
    identities: IdentityChanges = field(default_factory=IdentityChanges)


ADDRESS_TAG = "_address_"
"""Of a VPC link: `host:port` that stands for its load balancer."""

_OF_DOMAINS = (DomainName, BasePathMapping)
_OF_FUNCTIONS: tuple[type[Record], ...] = (Function, FunctionVersion, FunctionAlias)


class Planner:
    """Holds the current snapshot and the plans that were checked but not committed yet."""

    def __init__(self, store: Store, vault: Vault | None = None) -> None:
        """`vault`: opens the secrets of access keys; None: identities are not followed."""
        self._store = store
        self._vault = vault
        self._signed_urls = False
        """Whether there are function URLs with AWS_IAM."""
        self._stages: dict[tuple[str, str], StagePlan] = {}
        self._domains: Mapping[str, DomainPlan] = {}
        self._checked: list[tuple[Scope, Stage, StagePlan]] = []

    def check(
        self, tx: Transaction, document: DeploymentDocument, stage: Stage, canary: DeploymentDocument | None = None
    ) -> StagePlan:
        """Compile ahead of a commit. Raises DefinitionError; a good plan is kept for the commit that follows."""
        plan = compile_stage(
            document, stage, tx.scope, canary=canary, certificate=_certificate(tx, stage), links=_links(tx)
        )
        self._checked.append((tx.scope, stage, plan))
        return plan

    def discard_checked(self) -> None:
        """The operation that checked is over."""
        self._checked.clear()

    def load(self) -> Publication:
        """Everything, from the store: at start-up and after a reset."""
        gone = list(self._stages)
        self._stages = {}
        publication = Publication(everything=True)
        publication.keys = {key.id: key_entry(key) for _, key in self._store.scan(ApiKey)}
        publication.usage_plans = {plan.id: plan_entry(plan) for _, plan in self._store.scan(UsagePlan)}
        if self._vault is not None:
            publication.identities = all_identities(self._store, self._vault)
        for kind in _OF_FUNCTIONS:
            for scope, record in self._store.scan(kind):
                _add_function(publication, record, scope)
        for scope, stage in self._store.scan(Stage):
            self._compile(scope, stage)
        self._load_domains()
        publication.urls = self._urls()
        publication.gone = [key for key in gone if key not in self._stages]
        publication.snapshot = self._snapshot()
        return publication

    def follow(self, changes: Sequence[Change]) -> Publication:
        """What a commit means for the plan."""
        publication = Publication()
        kinds = set()
        linked = set()
        for change in changes:
            kinds.add(change.kind)
            if change.kind is VpcLink:
                linked.add(change.scope)
            if change.kind is Stage:
                self._follow_stage(change, publication)
            elif change.kind in _OF_FUNCTIONS:
                _follow_function(change, publication)
            elif change.kind is ApiKey:
                publication.keys[change.key[0]] = (
                    key_entry(change.record) if isinstance(change.record, ApiKey) else None
                )
            elif change.kind is UsagePlan:
                plan = change.record
                publication.usage_plans[change.key[0]] = plan_entry(plan) if isinstance(plan, UsagePlan) else None
        if linked:
            self._follow_links(linked)
        if self._vault is not None:
            publication.identities = changed_identities(changes, self._vault)
        if not kinds.isdisjoint(_OF_DOMAINS):
            self._load_domains()
        if FunctionUrl in kinds or (self._signed_urls and not kinds.isdisjoint(_OF_FUNCTIONS)):
            publication.urls = self._urls()
        if Stage in kinds or linked or not kinds.isdisjoint(_OF_DOMAINS):
            publication.snapshot = self._snapshot()
        return publication

    def _snapshot(self) -> Snapshot:
        return Snapshot(dict(self._stages), self._domains)

    def _urls(self) -> dict[str, UrlPlan]:
        """All of them again, as with domains. Those that are signed for depend on their functions' policies, too."""
        urls = {
            url.url_id: url_plan(url, scope, self._of_url(url, scope)) for scope, url in self._store.scan(FunctionUrl)
        }
        self._signed_urls = any(plan.rules is not None for plan in urls.values())
        return urls

    def _of_url(self, url: FunctionUrl, scope: Scope) -> Invocable | None:
        if url.auth_type == "NONE":
            return None
        with self._store.read(scope) as tx:
            found: Invocable | None = (
                tx.get(Function, url.function_name)
                if url.qualifier == LATEST
                else tx.get(FunctionAlias, url.function_name, url.qualifier)
            )
        return found

    def _load_domains(self) -> None:
        """All of them again: they are few, and change seldom."""
        self._domains = compile_domains(self._store.scan(DomainName), self._store.scan(BasePathMapping))

    def _follow_stage(self, change: Change, publication: Publication) -> None:
        if isinstance(change.record, Stage):
            self._compile(change.scope, change.record)
        else:
            key = (change.key[0], change.key[1])
            if self._stages.pop(key, None) is not None:
                publication.gone.append(key)

    def _follow_links(self, scopes: set[Scope]) -> None:
        """A VPC link came, went, or got another address: stages with private integrations lead elsewhere."""
        for scope, stage in self._store.scan(Stage):
            if scope in scopes and self._has_private_integrations(scope, stage):
                self._compile(scope, stage)

    def _has_private_integrations(self, scope: Scope, stage: Stage) -> bool:
        with self._store.read(scope) as tx:
            found = (tx.get(Deployment, stage.api_id, deployment_id) for deployment_id in stage.deployments)
            return any(b'"VPC_LINK"' in tx.document(deployment.document) for deployment in found if deployment)

    def _compile(self, scope: Scope, stage: Stage) -> None:
        key = (stage.api_id, stage.stage_name)
        plan = next((plan for at, checked, plan in self._checked if at == scope and checked == stage), None)
        if plan is None:
            try:
                plan = self._compiled(scope, stage)
            except DefinitionError as error:
                log.error("stage %s/%s keeps its last good plan: %s", *key, error)
                return
        self._stages[key] = plan

    def _compiled(self, scope: Scope, stage: Stage) -> StagePlan:
        """From the store. Raises DefinitionError."""
        with self._store.read(scope) as tx:
            documents = []
            for deployment_id in stage.deployments:
                deployment = tx.get(Deployment, stage.api_id, deployment_id)
                if deployment is None:
                    raise DefinitionError([Problem("/deploymentId", f"there is no deployment {deployment_id}")])
                documents.append(thaw(tx.document(deployment.document)))
            certificate, links = _certificate(tx, stage), _links(tx)
        canary = documents[1] if len(documents) > 1 else None
        return compile_stage(documents[0], stage, scope, canary=canary, certificate=certificate, links=links)


def _follow_function(change: Change, publication: Publication) -> None:
    if change.record is None:
        publication.functions[qualified_arn(change.key, change.scope)] = None
    else:
        _add_function(publication, change.record, change.scope)


def _add_function(publication: Publication, record: Record, scope: Scope) -> None:
    if isinstance(record, FunctionAlias):
        publication.functions[record.alias_arn] = alias_entry(record)
    elif isinstance(record, (Function, FunctionVersion)):
        publication.functions[qualified_arn(record.key, scope)] = catalog_entry(record, scope)


def _certificate(tx: Transaction, stage: Stage) -> ClientIdentity | None:
    """What a stage's backends are to know the gateway by."""
    if stage.client_certificate_id is None:
        return None
    record = tx.get(ClientCertificate, stage.client_certificate_id)
    if record is None:
        return None
    return ClientIdentity(record.client_certificate_id, record.pem_encoded_certificate, record.private_key)


def _links(tx: Transaction) -> dict[str, str | None]:
    """VPC links, and the private address that the tag `_address_` gives each."""
    return {link.id: (link.tags or {}).get(ADDRESS_TAG) for link in tx.list(VpcLink)}
