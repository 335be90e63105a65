"""Reading over SOAP: lists, files, acknowledgement, inquiry, and the connection test."""

import copy
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from connectors import FetchError, RemoteDocument, Timeouts, Unavailable
from tests_unit.connectors.server import reply

OLD = ("camt.053.001.08", "R1", None, "DLD", "2026-11-19T08:00:00+02:00", b"<old/>")
NEW = ("camt.053.001.08", "R2", "stmt.xml", "NEW", "2026-11-20T08:00:00.5Z", b"<new/>")
GONE = ("camt.053.001.08", "R3", None, "DEL", "2026-11-20T08:00:00Z", b"<gone/>")
SAME = ("camt.053.001.02", "R1", None, "NEW", "2026-11-20T08:00:00Z", b"<other/>")
STATUS = ("pain.002.001.10", "S1", None, "NEW", "2026-11-20T08:00:00Z", b"<status/>")


def test_files_are_listed_by_kind_and_fetched_as_they_are(dial_soap, teller):
    teller.files = [OLD, NEW, GONE, SAME, STATUS]
    bank = dial_soap()
    found = {remote.id: remote for remote in bank.list(["camt.053"])}
    # What was deleted is gone; what was downloaded before may never have arrived here.
    assert set(found) == {"camt.053.001.08:R1", "camt.053.001.08:R2", "camt.053.001.02:R1"}
    remote = found["camt.053.001.08:R2"]
    assert remote.kind == "camt.053"
    assert remote.message_name == "camt.053.001.08"
    assert remote.name == "stmt.xml"
    assert remote.created == datetime(2026, 11, 20, 8, 0, 0, 500000, tzinfo=timezone.utc)
    assert bank.fetch(remote) == b"<new/>"
    assert bank.fetch(found["camt.053.001.02:R1"]) == b"<other/>"
    assert teller.calls[-1]["values"]["FileType"] == "camt.053.001.02"
    assert teller.calls[-1]["references"] == ["R1"]


def test_no_kind_means_all_kinds(dial_soap, teller):
    teller.files = [NEW, STATUS]
    assert {remote.kind for remote in dial_soap().list([])} == {"camt.053", "pain.002"}


def test_an_empty_list_is_no_error(dial_soap, teller):
    """The bank says 24, "content not found"."""
    assert list(dial_soap().list(["camt.054"])) == []
    assert teller.calls[0]["values"]["FileType"].startswith("camt.054")
    teller.bare = True
    assert list(dial_soap().list(["camt.054"])) == []


def test_a_file_type_that_the_bank_has_not_holds_up_no_other(dial_soap, teller):
    """A profile may name two versions of a statement; the bank has the newer one only."""
    teller.files, teller.codes = [NEW], ["20", "00"]
    assert [remote.id for remote in dial_soap().list(["camt.053"])] == ["camt.053.001.08:R2"]
    assert len(teller.calls) == 2


def test_a_kind_that_the_bank_has_not_at_all_is_told_last(dial_soap, teller):
    teller.files, teller.codes = [NEW, STATUS], ["25", "25"]
    found = []
    with pytest.raises(FetchError) as caught:
        for remote in dial_soap().list(["camt.054", "camt.053", "pain.002"]):
            found.append(remote.id)
    assert caught.value.reasons[0].code == "25"
    assert len(found) == 1


def test_own_file_types_have_no_iso_name(dial_soap, teller, soap_data):
    soap_data["downloads"] = {"camt.053": ["NDCAMT53L"]}
    teller.files = [("NDCAMT53L", *NEW[1:])]
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])
    assert (remote.kind, remote.message_name) == ("camt.053", None)
    assert bank.fetch(remote) == b"<new/>"


def test_only_what_was_made_since_is_listed(dial_soap, teller):
    teller.files = [OLD, NEW, ("camt.053.001.08", "R4", None, "NEW", "2026-11-20T00:00:00Z", b"")]
    bank = dial_soap()
    since = datetime(2026, 11, 20, 7, tzinfo=timezone.utc)
    found = {remote.id[-2:] for remote in bank.list(["camt.053"], since)}
    # A bank that tells the day only may mean any hour of it.
    assert found == {"R2", "R4"}
    values = teller.calls[0]["values"]
    assert values["StartDate"] == "2026-11-19"
    assert values["Status"] == "ALL"


def test_without_a_date_the_list_goes_back_as_far_as_the_profile_says(dial_soap, teller, soap_data):
    soap_data["list"] = {"status": "NEW", "days": 3}
    now = datetime.now(timezone.utc)
    list(dial_soap(now=lambda: now).list(["camt.053"]))
    values = teller.calls[0]["values"]
    assert values["StartDate"] == f"{now - timedelta(days=4):%Y-%m-%d}"
    assert values["Status"] == "NEW"


def test_a_broken_entry_holds_up_no_other(dial_soap, teller):
    teller.files = [
        ("camt.053.001.08", "has blanks", None, "NEW", "2026-11-20T08:00:00Z", b""),
        NEW,
    ]
    found = []
    with pytest.raises(FetchError) as caught:
        found += [remote.id for remote in iterate(dial_soap().list(["camt.053"]), found)]
    assert caught.value.code == "listing_unreadable"
    assert found == ["camt.053.001.08:R2"]


def iterate(remotes, found):
    for remote in remotes:
        found.append(remote.id)
    return ()


def test_a_bank_that_shows_more_than_asked_is_not_followed(dial_soap, teller):
    genuine = teller.response

    def generous(call):
        call["values"]["FileType"] = "camt.053.001.08"
        return genuine(call)

    teller.response = generous
    teller.files = [NEW]
    assert list(dial_soap().list(["camt.054"])) == []


@pytest.mark.parametrize("compressed", [False, True])
def test_compressed_files_are_unpacked(dial_soap, teller, compressed):
    teller.files, teller.compress = [NEW], compressed
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])
    assert bank.fetch(remote) == b"<new/>"


def test_a_file_that_is_gone_is_said_to_be(dial_soap, teller):
    teller.files = [NEW]
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])
    teller.files = []
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert caught.value.code == "document_gone"


def test_another_file_than_asked_for_is_refused(dial_soap, teller):
    teller.files = [NEW]
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])

    def swap(root):
        for one in root.iter("{http://bxd.fi/xmldata/}FileReference"):
            one.text = "OTHER"

    teller.edit_response = swap
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert caught.value.code == "answer_unreadable"


@pytest.mark.parametrize("id_", ["R1", "pain.001.001.09:R1", "x:y", ":"])
def test_an_unknown_id_is_not_asked_for(dial_soap, teller, id_):
    with pytest.raises(FetchError) as caught:
        dial_soap().fetch(RemoteDocument(id_, "camt.053"))
    assert caught.value.code == "no_reference"
    assert teller.calls == []


def test_acknowledging_deletes_where_the_profile_says_so(dial_soap, teller, soap_data):
    teller.files = [NEW]
    bank = dial_soap()
    (remote,) = bank.list(["camt.053"])
    calls = len(teller.calls)
    bank.acknowledge(remote)
    assert len(teller.calls) == calls, "the bank is told nothing"
    soap_data["acknowledge"] = "delete"
    bank = dial_soap()
    bank.acknowledge(remote)
    assert teller.files == []
    bank.acknowledge(remote)  # twice is harmless
    teller.codes = ["27"]  # the bank keeps it, which is harmless too
    bank.acknowledge(remote)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("26", Unavailable), ("601", Unavailable), ("06", FetchError), ("99", FetchError)],
)
def test_a_refused_read_says_why(dial_soap, teller, code, kind):
    teller.codes = [code]
    with pytest.raises(FetchError) as caught:
        list(dial_soap().list(["camt.053"]))
    assert type(caught.value) is kind
    assert caught.value.reasons[0].code == code


@pytest.mark.parametrize(("status", "kind"), [(503, Unavailable), (404, FetchError)])
def test_a_gateway_is_tried_again_later_or_not(dial_soap, soap_server, status, kind):
    soap_server.script = lambda request, sock: reply(request, status, b"no")
    with pytest.raises(FetchError) as caught:
        list(dial_soap().list(["camt.053"]))
    assert type(caught.value) is kind


def test_silence_is_tried_again_later(dial_soap, soap_server):
    soap_server.script = soap_server.hang
    with pytest.raises(Unavailable):
        list(dial_soap(timeouts=Timeouts(2, 0.3, 1)).list(["camt.053"]))


# Asking what became of a message


def test_most_banks_offer_no_way_to_ask(dial_soap, teller, soap_document, key):
    bank = dial_soap()
    with pytest.raises(FetchError) as caught:
        bank.inquire(key, soap_document)
    assert caught.value.code == "cannot_inquire"
    assert teller.calls == []
    # but the key is good for three months
    assert bank.resend_window == timedelta(days=90)


def upload(key, reference="U1", name=None):
    name = name or f"{key.replace('-', '')}.xml"
    return ("pain.001.001.09", reference, name, "WFP", "2026-11-20T08:00:00Z", b"")


def test_a_bank_that_lists_uploads_is_asked(dial_soap, teller, soap_data, soap_document, key):
    soap_data["inquiry"] = True
    bank = dial_soap()
    assert bank.inquire(key, soap_document) is None
    teller.files = [upload("another-key"), upload(key, "U2")]
    receipt = bank.inquire(key, soap_document)
    assert receipt.status == "RCVD"
    assert receipt.bank_reference["file_reference"] == "U2"
    known = replace(soap_document, reference={"request_id": "x", "file_reference": "U1"})
    assert bank.inquire(key, known).bank_reference["file_reference"] in ("U1", "U2")


def test_a_message_that_the_bank_had_is_not_unknown(
    dial_soap, teller, soap_data, soap_document, key
):
    """After a receipt, "not in the list" must never free the payment."""
    soap_data["inquiry"] = True
    known = replace(soap_document, reference={"request_id": key.replace("-", "")})
    with pytest.raises(FetchError) as caught:
        dial_soap().inquire(key, known)
    assert caught.value.code == "payment_unknown"


@pytest.mark.parametrize("code", ["26", "12", "07"])
def test_a_refused_question_is_no_answer(dial_soap, teller, soap_data, soap_document, key, code):
    soap_data["inquiry"] = True
    teller.codes = [code]
    with pytest.raises(FetchError):
        dial_soap().inquire(key, soap_document)


# The connection test


def steps(health):
    return {check.step: check.ok for check in health.checks}


def test_the_connection_test_ticks_every_step(dial_soap, teller, bank_signing):
    health = dial_soap().check()
    assert health.ok
    assert steps(health) == {
        "certificate": True,
        "signing": True,
        "name": True,
        "reach": True,
        "tls": True,
        "answer": True,
        "peer": True,
        "signer": True,
        "clock": None,
    }
    assert teller.calls[0]["operation"] == "getUserInfo"
    assert health.permissions["files"][0]["FileType"] == "pain.001.001.09"


def test_a_bank_without_user_info_is_asked_for_todays_list(dial_soap, teller, soap_data):
    soap_data["operations"] = ["uploadFile", "downloadFileList", "downloadFile"]
    health = dial_soap().check()
    assert health.ok
    assert teller.calls[0]["operation"] == "downloadFileList"


@pytest.mark.parametrize("code", ["07", "26", "31"])
def test_a_refusal_shows_in_the_test(dial_soap, teller, code):
    teller.codes = [code]
    health = dial_soap().check()
    assert not health.ok
    (failed,) = [check for check in health.checks if check.ok is False]
    assert failed.step == "answer"
    assert code in failed.detail


def test_a_malformed_answer_shows_in_the_test(dial_soap, teller):
    def nest(root):
        for one in root.iter("{http://bxd.fi/xmldata/}Direction"):
            one.append(copy.deepcopy(one))

    teller.edit_response = nest
    health = dial_soap().check()
    (failed,) = [check for check in health.checks if check.ok is False]
    assert failed.code == "answer_unreadable"


def test_a_foreign_signature_shows_in_the_test(dial_soap, teller, foreign):
    teller.pair = foreign.issue("Someone", bits=2048)
    health = dial_soap().check()
    (failed,) = [check for check in health.checks if check.ok is False]
    assert failed.code == "signer_untrusted"
    assert failed.cure


def test_a_bank_that_cannot_be_reached_shows_in_the_test(dial_soap):
    health = dial_soap(url="https://127.0.0.1:1/x").check()
    assert steps(health)["reach"] is False
