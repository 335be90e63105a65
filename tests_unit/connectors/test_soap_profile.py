"""A SOAP profile is data, and a mistake in it is named before anything is sent."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connectors
from connectors import Document, SettingsError
from connectors.problems import PROBLEMS
from connectors.soap_codes import MEANINGS, look_up, normal
from connectors.soap_profile import SoapProfile

SOAP = [
    name for name in connectors.profile_names() if connectors.profile(name)["protocol"] == "soap"
]


def change(path, value):
    data = copy.deepcopy(connectors.profile("bank_web_services"))
    node = data
    *parents, last = path
    for part in parents:
        node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("name",), ..., "name is missing"),
        (("protocol",), "rest", "protocol must be one of"),
        (("colour",), "red", "colour is not known"),
        (("operations",), ["uploadFile"], "operations must hold"),
        (("operations",), ["uploadFile", "downloadFileList", "downloadFile", "x"], "operations"),
        (("header", "sender_id"), ..., "header.sender_id is missing"),
        (("header", "language"), "DE", "header.language must be one of"),
        (("request", "customer_id"), ..., "request.customer_id is missing"),
        (("request", "totals"), "yes", "request.totals must be"),
        (("uploads", 0, "file_type"), "x" * 41, "uploads[0].file_type must be"),
        (("uploads", 0, "file_type"), "a:b", "uploads[0].file_type must be"),
        (("uploads", 0, "colour"), "red", "uploads[0].colour is not known"),
        (("downloads", "camt.053"), [], "downloads.camt.053 must name"),
        (("downloads", "camt.053"), [1], "downloads.camt.053 must be"),
        (("list", "status"), "SOME", "list.status must be one of"),
        (("list", "days"), 0, "list.days must be"),
        (("acknowledge",), "burn", "acknowledge must be one of"),
        (("key", "window_days"), -1, "key.window_days must be"),
        (("key", "window_days"), True, "key.window_days must be"),
        (("encryption",), {"cipher": "tripledes-cbc"}, "encryption.cipher must be one of"),
        (("encryption",), {"cipher": "aes128-cbc", "key_transport": "rsa-1_5"}, "key_transport"),
        (("signatures", "clock_seconds"), 0, "signatures.clock_seconds must be"),
        (("answers",), {"23": "perhaps"}, "answers.23 must be one of"),
        (("answers",), {"26": "delivered"}, "answers.26 cannot be delivered"),
        (("http",), {"500": "not_sent"}, "http.500 must be an HTTP status"),
        (("http",), {"429": "delivered"}, "http.429 must be not_sent or refused"),
        (("faults",), {"FailedCheck": "delivered"}, "faults.FailedCheck must be"),
        (("limits", "bytes"), 0, "limits.bytes must be"),
    ],
)
def test_a_mistake_is_named_by_its_key(path, value, said):
    with pytest.raises(SettingsError) as caught:
        SoapProfile.from_dict(change(path, value))
    assert caught.value.code == "profile"
    assert said in caught.value.message


def test_deleting_needs_the_operation():
    data = change(("acknowledge",), "delete")
    assert SoapProfile.from_dict(data).deletes
    data["operations"] = ["uploadFile", "downloadFileList", "downloadFile"]
    with pytest.raises(SettingsError):
        SoapProfile.from_dict(data)


def test_looking_for_uploads_needs_a_bank_that_remembers_keys():
    data = change(("inquiry",), True)
    assert SoapProfile.from_dict(data).inquiry
    del data["key"]
    with pytest.raises(SettingsError) as caught:
        SoapProfile.from_dict(data)
    assert "inquiry needs key.window_days" in caught.value.message


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(connectors.profile("bank_web_services"))), json_like)
def test_any_other_value_is_taken_or_refused_but_never_crashes(key, value):
    try:
        SoapProfile.from_dict({**connectors.profile("bank_web_services"), key: value})
    except SettingsError as error:
        assert error.message.startswith("Bank profile: ")


@pytest.mark.parametrize("name", SOAP)
def test_a_built_in_profile_takes_payments_and_brings_statements(name):
    profile = SoapProfile.from_dict(connectors.profile(name))
    assert profile.upload_type(Document(b"x", "pain.001.001.03"))
    assert {"pain.002", "camt.053", "camt.054"} <= set(profile.downloads)
    assert profile.window.days == 90
    assert not profile.sha1
    assert not profile.can_recall


def test_file_types_are_the_banks_own():
    nordea = SoapProfile.from_dict(connectors.profile("nordea_soap"))
    assert nordea.upload_type(Document(b"x", "pain.001.001.09")) == "NDCORPAYS"
    assert nordea.kind_of("NDCAMT53L") == "camt.053"
    letters = SoapProfile.from_dict(connectors.profile("samlink_soap"))
    assert letters.upload_type(Document(b"x", "pain.001.001.03")) == "XL"
    assert [letters.kind_of(one) for one in ("XP", "XT", "XE")] == [
        "pain.002",
        "camt.053",
        "camt.054",
    ]


def test_an_urgent_payment_can_have_a_type_of_its_own():
    data = change(("uploads",), None)
    data["uploads"] = [
        {"instant": True, "file_type": "I"},
        {"service_level": "URGP", "file_type": "U"},
        {"message": "camt.055", "file_type": "C"},
        {"message": "pain.001", "file_type": "P"},
    ]
    profile = SoapProfile.from_dict(data)
    assert profile.can_recall
    for document, file_type in (
        (Document(b"x", "pain.001.001.09", instant=True), "I"),
        (Document(b"x", "pain.001.001.09", service_level="URGP"), "U"),
        (Document(b"x", "camt.055.001.08"), "C"),
        (Document(b"x", "pain.001.001.09"), "P"),
        (Document(b"x", "pain.008.001.08"), None),
    ):
        assert profile.upload_type(document) == file_type


def test_a_recall_never_goes_out_as_a_payment():
    """A file type without a message name is for payments, not for everything."""
    data = change(("uploads",), [{"file_type": "X"}])
    profile = SoapProfile.from_dict(data)
    assert profile.upload_type(Document(b"x", "pain.001.001.03")) == "X"
    assert profile.upload_type(Document(b"x", "camt.055.001.08")) is None
    assert not profile.can_recall


def test_the_table_of_codes_is_complete():
    """Every code of the description, and none that would free a payment by mistake."""
    described = [f"{number:02d}" for number in range(33) if number != 28]
    for code in described:
        assert look_up(code).means in MEANINGS
        assert look_up(code) != look_up("no such code")
    free = {code for code in described if look_up(code).means == "not_sent"}
    assert free == {"02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "30"}
    assert look_up("28").means == look_up("").means == look_up("９").means == "uncertain"
    assert normal("0") == "00"
    assert normal("601") == "601"


def test_each_code_has_words_of_its_own():
    for number in range(33):
        problem = look_up(f"{number:02d}").problem
        assert not problem or problem in PROBLEMS
