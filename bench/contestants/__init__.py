"""The contestants, one file each, in the order in which a turn takes them."""

from collections.abc import Sequence

from bench.contestants.base import Contestant
from bench.contestants.direct import Direct
from bench.contestants.envoy import Envoy
from bench.contestants.haproxy import Haproxy
from bench.contestants.nginx import Nginx
from bench.contestants.tidegate_lambda import TidegateLambda
from bench.contestants.tidegate_mock import TidegateMock
from bench.contestants.tidegate_proxy import TidegateProxy
from bench.contestants.tidegate_transform import TidegateTransform

REFERENCE = "envoy-limits"
"""The contestant that the others' CPU per request is held against."""

ALL: Sequence[Contestant] = (
    TidegateProxy(),
    Envoy(limits=True),
    Envoy(limits=False),
    Nginx(),
    Haproxy(log=True),
    Haproxy(log=False),
    TidegateMock(),
    TidegateTransform(),
    TidegateLambda(),
    Direct(),
)
