"""One server, put together: `start` reads top to bottom, `stop` bottom to top."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prometheus_client import CollectorRegistry

from tidegate.app.adapters import FrontDoor, Requests, ServicesOfAws, StoredEvents, TextLogs, reachable
from tidegate.app.management import Parts, management_services, user_pool_service
from tidegate.app.published import Published
from tidegate.aws.caller import AwsCaller, CredentialSource
from tidegate.aws.credentials import ChainCredentials, LocalCredentials
from tidegate.aws.hosts import answered_here, elsewhere
from tidegate.aws.scope import Scope
from tidegate.control.access import Access, Mode
from tidegate.control.admin import Admin
from tidegate.control.cognito_idp.browsers import BrowserCalls
from tidegate.control.cognito_idp.desk import Tools
from tidegate.control.cognito_idp.hosted import UserPoolEndpoints
from tidegate.control.cognito_idp.service import UserPoolWork
from tidegate.control.foreign import Foreign
from tidegate.control.neighbours import Neighbours
from tidegate.control.service import Office
from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.core.lines import LineSink
from tidegate.core.lock import DirectoryLock
from tidegate.core.message import Endpoint, Origin
from tidegate.core.vault import open_vault
from tidegate.definition.records import IDENTITIES
from tidegate.definition.store import SqlStore
from tidegate.entry import MAX_MANAGEMENT_BODY, Entry, too_large
from tidegate.functions.asynchronous import EventQueue
from tidegate.functions.destinations import Destinations
from tidegate.functions.metrics import FunctionMetrics
from tidegate.functions.options import FunctionSettings
from tidegate.functions.outside import outside, write_trust
from tidegate.functions.packages import PackageStore
from tidegate.functions.service import FunctionService
from tidegate.functions.spec import FunctionSpec
from tidegate.gateway.front import DataPlane
from tidegate.gateway.function_urls import FunctionUrls
from tidegate.gateway.guards.iam import Iam
from tidegate.gateway.guards.issuers import Issuers
from tidegate.gateway.guards.lambda_authorizer import LambdaAuthorizer
from tidegate.gateway.guards.pool_keys import JwksKeys
from tidegate.gateway.guards.user_pools import UserPools
from tidegate.gateway.integrations.aws import Aws
from tidegate.gateway.integrations.broken import Broken
from tidegate.gateway.integrations.http import Http
from tidegate.gateway.integrations.http_proxy import HttpProxy
from tidegate.gateway.integrations.lambda_custom import LambdaCustom
from tidegate.gateway.integrations.lambda_proxy import LambdaProxy
from tidegate.gateway.integrations.lambda_stream import LambdaStream
from tidegate.gateway.integrations.mock import Mock
from tidegate.gateway.metrics import GatewayMetrics
from tidegate.gateway.rest import RestPipeline, Services
from tidegate.gateway.simulation import Simulator
from tidegate.gateway.stories import Stories
from tidegate.gateway.testing import MethodTester
from tidegate.gateway.url_access import UrlAccess
from tidegate.plan.nodes import (
    AwsPlan,
    BrokenPlan,
    HttpPlan,
    HttpProxyPlan,
    IamGuard,
    LambdaGuard,
    LambdaPlan,
    LambdaProxyPlan,
    LambdaStreamPlan,
    MockPlan,
    UserPoolGuard,
)
from tidegate.plan.planner import Planner, Publication
from tidegate.settings import Settings
from tidegate.state.callers import Callers, LocalCallers
from tidegate.state.keys import KeyRing
from tidegate.state.limiter import MemoryLimiter
from tidegate.state.service_roles import ServiceRoles
from tidegate.state.sessions import Sessions
from tidegate.wire.authority import Authority
from tidegate.wire.local_certificates import LocalCertificates
from tidegate.wire.server import HttpServer, Limits
from tidegate.wire.upstream import UpstreamPool

log = logging.getLogger("tidegate")


class App:
    """One node. `start` returns when it serves."""

    def __init__(self, settings: Settings, *, clock: Clock, ids: Ids) -> None:
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._scope = Scope(settings.account, settings.region)
        self._closing = contextlib.AsyncExitStack()
        self.port = 0
        """The one that was bound."""

    async def start(self) -> None:
        """Raises OSError (a port in use), StoreError, SettingsError."""
        settings, clock, ids, loop = self._settings, self._clock, self._ids, asyncio.get_running_loop()
        closing = self._closing
        data = self._data_directory()
        closing.callback(DirectoryLock(data, alone=False).release)

        thread = ThreadPoolExecutor(1, "control")
        closing.callback(thread.shutdown)
        self._store = await loop.run_in_executor(thread, SqlStore, data / "tidegate.db")
        closing.push_async_callback(loop.run_in_executor, thread, self._store.close)
        vault = open_vault(data, settings.secret_key)
        self._planner = Planner(self._store, vault)
        self._thread = thread

        authority = await loop.run_in_executor(thread, Authority.at, data / "ca")
        trust = data / "trust"
        await loop.run_in_executor(thread, write_trust, trust, authority.certificate)
        upstream = UpstreamPool(ca_file=settings.ca_file, trusted=authority.certificate)
        closing.push_async_callback(upstream.aclose)
        access_log = LineSink(sys.stdout.fileno(), loop)
        closing.callback(access_log.close)

        self._packages = PackageStore(data / "packages")
        self._base_environment: dict[str, str] = {}
        self._functions = FunctionService(
            {},
            self._packages,
            FunctionSettings(
                scratch=data / "scratch",
                hidden=(data,),
                trust=trust,
                log_directory=data / "logs",
                base_environment=self._base_environment,
                own_environment=self._role_variables,
                workers=settings.workers,
                workers_per_function=settings.workers_per_function,
                idle_seconds=settings.worker_idle,
                debug=settings.debug_ports,
            ),
            clock=clock,
            ids=ids,
            loop=loop,
        )
        await self._functions.start()
        closing.push_async_callback(self._functions.aclose)

        sessions, enforced = Sessions(vault), settings.iam_mode == "enforce"
        self._callers = Callers(sessions, clock.time, open_to_all=not enforced)
        callers = self._callers if enforced else LocalCallers(self._callers, settings.account)
        self._service_roles = ServiceRoles(self._callers, sessions, clock.time)
        access = Access(Mode(settings.iam_mode), self._callers, callers, settings.account, clock)
        if not enforced:
            log.warning(
                "--iam %s: any credentials are taken, and whoever reaches this server manages it", access.mode.value
            )

        limiter, keys, metrics = MemoryLimiter(clock.ticks_ns), KeyRing(), GatewayMetrics()
        self._stories = Stories()
        registry = CollectorRegistry()
        registry.register(metrics)
        registry.register(FunctionMetrics(self._functions.stats))
        self._neighbours = Neighbours(upstream, settings.endpoints, settings.account)
        closing.push_async_callback(self._neighbours.aclose)
        self._services_of_aws = ServicesOfAws(self._neighbours)
        authorizers = LambdaAuthorizer(self._functions, clock.time, clock.ticks_ns)
        self._pool_keys = JwksKeys(upstream, self._services_of_aws, clock.time)
        user_pools = UserPools(self._pool_keys, Issuers(settings.user_pool_issuers), clock.time)
        caller = AwsCaller(upstream, self._services_of_aws, self._credentials(), clock)
        self._events = EventQueue(
            StoredEvents(self._store, thread),
            Destinations(caller, clock, lambda arn, event, origin: self._events.submit(arn, event, origin=origin)),
            self._functions,
            clock=clock,
            ids=ids,
            loop=loop,
        )
        await self._events.load()
        closing.push_async_callback(self._events.aclose)
        services = Services(
            clock=clock,
            ids=ids,
            limiter=limiter,
            keys=keys,
            metrics=metrics,
            stories=self._stories,
            write_access_log=access_log.write,
            integrations={
                MockPlan: Mock(),
                HttpProxyPlan: HttpProxy(upstream),
                HttpPlan: Http(upstream),
                AwsPlan: self._aws_integration(upstream),
                LambdaProxyPlan: LambdaProxy(self._functions),
                LambdaStreamPlan: LambdaStream(self._functions),
                LambdaPlan: LambdaCustom(self._functions, self._events),
                BrokenPlan: Broken(),
            },
            guards={
                IamGuard: Iam(callers, clock.now),
                LambdaGuard: authorizers,
                UserPoolGuard: user_pools,
            },
        )
        data_plane = DataPlane(RestPipeline(services))
        function_urls = FunctionUrls(self._functions, UrlAccess(callers, clock.now), clock, ids)
        self._published = Published(
            data_plane=data_plane,
            function_urls=function_urls,
            functions=self._functions,
            keys=keys,
            callers=self._callers,
            limiter=limiter,
            metrics=metrics,
            authorizers=authorizers,
            user_pools=user_pools,
        )
        publish = self._published.publish
        publish(await loop.run_in_executor(thread, self._planner.load))

        office = Office(self._store, self._planner, thread, publish, clock, ids, self._packages, access)
        self._user_pool_tools = Tools.made_of(vault, clock)
        costly = ThreadPoolExecutor(2, "cognito-idp")
        closing.callback(costly.shutdown, cancel_futures=True)
        parts = Parts(
            settings=settings,
            office=office,
            vault=vault,
            functions=self._functions,
            events=self._events,
            caller=caller,
            callers=self._callers,
            sessions=sessions,
            tester=MethodTester(services),
            user_pools=UserPoolWork(office, self._user_pool_tools, costly),
            flush_authorizers=self._published.flush_authorizers,
            forget_pool_keys=self._pool_keys.forget,
        )
        admin = Admin(
            office,
            clock,
            self._scope,
            registry,
            TextLogs(self._functions),
            self._packages,
            self._reset,
            Requests(self._stories, Simulator(services, lambda: data_plane.snapshot)),
            authority.certificate,
            self._user_pool_tools.outbox,
        )
        users = user_pool_service(parts)
        managed = management_services(parts, users)
        hosted = (UserPoolEndpoints(parts.user_pools), BrowserCalls(lambda: users.service, settings.region))
        entry = Entry(
            (data_plane, function_urls, *(hosted if "cognito-idp" in managed else ())),
            managed,
            admin=admin.handle,
            neighbours=self._foreign(access),
            region=settings.region,
        )
        certificates = LocalCertificates(authority, data_plane.is_domain)
        self._server = HttpServer(entry, clock=clock, limits=Limits(), secure=certificates)
        self.port = self._neighbours.own_port = await self._server.start(settings.host, settings.port)
        host = reachable(settings.host)
        own = self._own = Origin("http", host.strip("[]"), self.port)
        # Integrations reach the APIs that are here by their names at AWS.
        upstream.whereabouts = lambda to: (own.host, own.port) if data_plane.names_api(to.host) else None
        self._services_of_aws.own = dict.fromkeys(managed, own)
        # Functions reach everything through this one address; it is known only now when the port was left open.
        self._base_environment["AWS_ENDPOINT_URL"] = f"http://{host}:{self.port}"
        names = answered_here(self._services_of_aws.own, settings.endpoints, elsewhere(settings.endpoints.items()))
        self._base_environment |= outside(trust, host.strip("[]"), self.port, names)

        self._events.start()
        self._functions.warm()

    def _role_variables(self, spec: FunctionSpec) -> Mapping[str, str]:
        """Where nobody looks at credentials, a function's are its account's number, which the neighbours know as well."""
        if self._settings.iam_mode == "off":
            return {}
        return self._service_roles.of_function(spec.role, spec.name, spec.arn)

    def _foreign(self, access: Access) -> Endpoint:
        """Who answers calls of services that are not ours. To be verified, a call has to be there as a whole."""
        if access.mode is Mode.OFF:
            return Endpoint(self._neighbours.handle, 0, too_large, streams=True)
        foreign = Foreign(
            access,
            self._settings.region,
            self._neighbours.handle,
            lambda service: service in self._settings.endpoints or "*" in self._settings.endpoints,
        )
        return Endpoint(foreign.handle, MAX_MANAGEMENT_BODY, too_large)

    def _aws_integration(self, upstream: UpstreamPool) -> Aws:
        """Where permissions are real, an integration has those of its role, and goes through the same door as everybody."""
        if self._settings.iam_mode == "enforce" and self._settings.aws_credentials == "local":
            return Aws(upstream, FrontDoor(lambda: self._own), self._service_roles, self._clock)
        return Aws(upstream, self._services_of_aws, self._credentials(), self._clock)

    def _credentials(self) -> CredentialSource:
        """Real ones only where the settings say so: neighbours take any, and nobody's own are used without being asked."""
        if self._settings.aws_credentials == "chain":
            sts = self._settings.endpoints.get("sts") or self._settings.endpoints.get("*")
            return ChainCredentials(self._clock, self._settings.region, sts)
        return LocalCredentials()

    def _data_directory(self) -> Path:
        if self._settings.data is not None:
            self._settings.data.mkdir(parents=True, exist_ok=True)
            return self._settings.data
        path = Path(tempfile.mkdtemp(prefix="tidegate-"))
        self._closing.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    async def _reset(self) -> None:
        """Forget everything that was declared, and what the neighbours hold; who may do so again stays where that is asked."""
        keep = IDENTITIES if self._settings.iam_mode == "enforce" else ()

        def clear() -> Publication:
            self._store.clear(keep)
            return self._planner.load()

        self._events.forget()
        publication = await asyncio.get_running_loop().run_in_executor(self._thread, clear)
        self._published.forget_functions()
        self._published.publish(publication)
        self._stories.clear()
        await self._neighbours.reset()
        self._user_pool_tools.forget()
        self._pool_keys.forget()
        self._clock.shift = 0.0

    async def stop(self) -> None:
        """Answer what is in flight, then end all else."""
        await self._server.drain(self._settings.drain)
        await self._closing.aclose()

    async def abandon(self) -> None:
        """Undo what `start` did before it failed."""
        await self._closing.aclose()
