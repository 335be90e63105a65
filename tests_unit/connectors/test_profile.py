"""A profile is data, and a mistake in it is named before anything is sent."""

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connectors
from connectors import SettingsError
from connectors.problems import PROBLEMS, build
from connectors.registry import PROFILES
from connectors.rest_profile import RestProfile


@pytest.mark.parametrize("name", connectors.profile_names())
def test_the_built_in_profiles_are_valid(name):
    data = connectors.profile(name)
    assert PROFILES[data["protocol"]].from_dict(data).name == name


def test_the_sandbox_promises_a_window_and_the_standard_none(dial_up):
    variables = {"contract_id": "C", "consent_id": "K", "psu_ip_address": "192.0.2.1"}
    sandbox = dial_up("https://b.example", variables=variables)
    standard = dial_up("https://b.example", profile="berlin_group", variables=variables)
    assert sandbox.resend_window.total_seconds() == 24 * 3600
    assert standard.resend_window is None


def change(path, value):
    data = copy.deepcopy(connectors.profile("sandbox"))
    node = data
    *parents, last = path
    for part in parents:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("name",), ..., "name is missing"),
        (("colour",), "red", "colour is not known"),
        (("key", "header"), ..., "key.header is missing"),
        (("key", "echo"), "maybe", "key.echo must be one of"),
        (("key", "window_hours"), 0, "key.window_hours must be"),
        (("key", "window_hours"), True, "key.window_hours must be"),
        (("submit", "path"), "v1/x", "submit.path must start"),
        (("submit", "path"), "//evil.example/x", "submit.path must start"),
        (("submit", "body"), "fax", "submit.body must be one of"),
        (("submit", "fields"), {}, "submit.fields must name payment_id"),
        (("submit", "answers", 0, "status"), "201", "submit.answers[0].status must be"),
        (("submit", "answers", 0, "status"), 400, "cannot be delivered"),
        (("submit", "answers", 1, "means"), "perhaps", "submit.answers[1].means must be"),
        (("submit", "answers", 0, "means"), "not_sent", "cannot be not_sent"),
        (("submit", "products", 0, "instant"), "yes", "submit.products[0].instant must be"),
        (("cancel", "path"), "/v1/cancel", "cancel.path must hold {payment_id}"),
        (("cancel", "path"), "/v1/{key}", "cancel.path cannot hold {key}"),
        (("cancel", "method"), "GET", "cancel.method must be one of"),
        (("cancel", "method"), "POST", "cancel.body is missing"),
        (("cancel", "body"), "raw_xml", "cancel.body is not known"),
        (("cancel", "answers", 0, "status"), 405, "cannot be cancelled"),
        (("submit", "answers", 0, "means"), "cancelled", "submit.answers[0].means must be"),
        (("status", "path"), "/v1/status", "status.path must hold {payment_id}"),
        (("inquiry", "unknown"), {"status": 404}, "inquiry.unknown.codes must name"),
        (("documents", "list", "fields"), {"id": "id"}, "documents.list.fields must name kind"),
        (("documents", "fetch", "path"), "/v1/documents", "must hold {id}"),
        (("headers",), {"X": 1}, "headers must map"),
        (("submit", "path"), "/v1/{payment_id}", "submit.path cannot hold {payment_id}"),
        (("check", "path"), "/v1/{account}", "check.path cannot hold {account}"),
        (("limits",), {"bytes": "10"}, "limits.bytes must be"),
        (("check",), ..., "check is missing"),
        (("protocol",), "soap", "protocol must be one of"),
    ],
)
def test_a_mistake_is_named_by_its_key(path, value, said):
    with pytest.raises(SettingsError) as caught:
        RestProfile.from_dict(change(path, value))
    assert caught.value.code == "profile"
    assert said in caught.value.message


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(connectors.profile("sandbox"))), json_like)
def test_any_other_value_is_taken_or_refused_but_never_crashes(key, value):
    try:
        RestProfile.from_dict({**connectors.profile("sandbox"), key: value})
    except SettingsError as error:
        assert error.message.startswith("Bank profile: ")


@pytest.mark.parametrize("value", [..., "", "a\r\nX-Evil: 1"])
def test_a_missing_or_broken_variable_is_named(make_settings, value):
    variables = {"consent_id": "K", "contract_id": value}
    if value is ...:
        del variables["contract_id"]
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", variables=variables))
    assert caught.value.code == "variable"
    assert "contract_id" in caught.value.message


def test_a_variable_in_a_path_is_missed_before_sending(make_settings):
    settings = make_settings("https://b.example", profile=change(("check", "path"), "/{tenant}/x"))
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", settings)
    assert "tenant" in caught.value.message


def test_unknown_protocols_and_profiles_are_named(make_settings):
    with pytest.raises(SettingsError) as caught:
        connectors.connect("telex", make_settings("https://b.example"))
    assert caught.value.code == "protocol"
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", profile="../secret"))
    assert caught.value.code == "profile"


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_reads_as_a_sentence(code):
    facts = set(re.findall(r"\{(\w+)\}", PROBLEMS[code].message)) - {"status", "media_type"}
    outcome = build(connectors.Uncertain, code, **dict.fromkeys(facts, "X"))
    assert outcome.message[0].isupper() or outcome.message[0] == "X"
    assert outcome.message.endswith(".")
    assert "{" not in outcome.message
    assert not outcome.hint or outcome.hint.endswith(".")
