"""The other gateways' configurations: filled completely, and what is asked for stands in them."""

from pathlib import Path

import pytest
import yaml

from bench.peers import fragment, render


def test_a_template_is_filled(tmp_path: Path) -> None:
    target = tmp_path / "nginx.conf"
    render("nginx.conf", target, PORT="8080", UPSTREAM="9001")
    text = target.read_text()
    assert "listen 127.0.0.1:8080" in text
    assert "server 127.0.0.1:9001;" in text
    assert "@" not in text


def test_a_value_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        render("nginx.conf", tmp_path / "nginx.conf", PORT="8080")


def test_envoy_with_limits_has_filter_and_log_and_without_has_neither(tmp_path: Path) -> None:
    limits = f"- {fragment('envoy-local-rate-limit.json')}"
    for log, extra, filters in ((fragment("envoy-access-log.json"), limits, 2), ("[]", "", 1)):
        target = tmp_path / "envoy.yaml"
        render("envoy.yaml", target, PORT="1", UPSTREAM="2", ACCESSLOG=log, LIMITS=extra)
        listener = yaml.safe_load(target.read_text())["static_resources"]["listeners"][0]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        assert len(manager["http_filters"]) == filters
        assert len(manager["access_log"]) == filters - 1
