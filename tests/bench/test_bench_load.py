"""What wrk prints, read."""

import pytest

from bench import load

CLEAN = """\
Running 2s test @ http://127.0.0.1:8080/pets
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   654.58us  100.00us   9.99ms   88.12%
    Req/Sec    96.10k     1.02k   97.50k    75.00%
  Latency Distribution
     50%  620.00us
     75%  700.00us
     90%  810.00us
     99%    1.05ms
  192345 requests in 2.00s, 47.01MB read
Requests/sec:  96103.12
Transfer/sec:     23.49MB
"""

TROUBLED = """\
Running 1m test @ http://127.0.0.1:8080/pets
  Latency Distribution
     50%    1.25s
     75%    1.50s
     90%    1.75s
     99%    1.00m
  300 requests in 1.50m, 1.00MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 7
Requests/sec:      3.33
"""


def test_reads_a_clean_run() -> None:
    found = load.parse(CLEAN)
    assert (found.requests, found.seconds, found.errors) == (192345, 2.0, 0)
    assert found.p50 == pytest.approx(620e-6)
    assert found.p99 == pytest.approx(1.05e-3)
    assert found.rate == pytest.approx(96172.5)


def test_reads_errors_and_long_units() -> None:
    found = load.parse(TROUBLED)
    assert (found.bad_status, found.socket_errors, found.errors) == (7, 10, 17)
    assert (found.seconds, found.p50, found.p99) == (90.0, 1.25, 60.0)


@pytest.mark.parametrize("missing", ["requests in", "99%"])
def test_refuses_output_that_lacks_a_figure(missing: str) -> None:
    text = "\n".join(line for line in CLEAN.splitlines() if missing not in line)
    with pytest.raises(load.LoadError):
        load.parse(text)


def test_refuses_a_run_without_requests() -> None:
    with pytest.raises(load.LoadError, match="no request"):
        load.parse(CLEAN.replace("192345", "0"))
