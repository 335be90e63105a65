"""Test connection: each step with a tick, or a cause and a cure."""

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from connectors import Identity
from tests_unit.connectors.server import BankServer, reply


def results(health):
    return {check.code: check.ok for check in health.checks}


def dated(offset):
    def script(request, sock):
        moment = datetime.now(timezone.utc) + timedelta(seconds=offset)
        return reply(request, 200, {"contract": "C1"}, {"Date": format_datetime(moment)})

    return script


def test_a_good_connection_has_only_ticks(bank, dial_up, server_pair):
    bank.script = dated(0)
    health = dial_up(bank.url).check()
    assert health.ok
    assert set(results(health).values()) == {True}
    assert health.permissions == {"contract": "C1"}
    assert health.peer_fingerprint == server_pair.fingerprint
    assert health.certificate_expires > datetime.now(timezone.utc) + timedelta(days=80)
    assert health.peer_certificate_expires.tzinfo
    assert abs(health.clock_skew) < 3


@pytest.mark.parametrize(("offset", "ok"), [(3600, False), (-3600, False), (20, None)])
def test_a_clock_that_goes_wrong_is_measured(bank, dial_up, offset, ok):
    bank.script = dated(offset)
    health = dial_up(bank.url).check()
    assert results(health)["clock"] is ok
    assert abs(health.clock_skew - offset) < 3


def test_a_failure_shows_where_it_stopped(authority, dial_up):
    pair = authority.issue("x", hosts=["other.example"])
    with BankServer(pair, authority.pem) as server:
        health = dial_up(server.url).check()
    assert not health.ok
    got = results(health)
    assert (got["name"], got["reach"], got["tls_hostname"], got["answer"]) == (
        True,
        True,
        False,
        None,
    )
    failed = next(check for check in health.checks if check.ok is False)
    assert failed.cure


def test_a_rejected_certificate_is_not_blamed_on_the_bank(server_pair, foreign, dial_up):
    with BankServer(server_pair, foreign.pem) as server:
        got = results(dial_up(server.url).check())
    assert (got["tls"], got["tls_client_rejected"]) == (True, False)


def test_a_refusing_bank_is_not_healthy(bank, dial_up):
    bank.script = lambda request, sock: reply(request, 401, {})
    health = dial_up(bank.url).check()
    assert results(health)["not_authorised"] is False
    assert health.permissions == {}


def test_a_web_page_is_not_a_bank(bank, dial_up):
    bank.script = lambda request, sock: reply(
        request, 200, b"<html>", {"Content-Type": "text/html"}
    )
    assert results(dial_up(bank.url).check())["content_type"] is False


@pytest.mark.parametrize(("days", "ok"), [(10, None), (-1, False)])
def test_a_certificate_near_its_end_is_remarked(authority, bank, dial_up, days, ok):
    pair = authority.issue("c", start=-30, days=days)
    bank.script = dated(0)
    connector = dial_up(bank.url, identity=Identity(pair.certificate, pair.key_pem()))
    assert results(connector.check())["certificate"] is ok
