"""Thousands of small changes to a genuine answer: none alters what is believed, none crashes."""

import random
from dataclasses import replace

import pytest

from connectors.soap_channel import Unbelievable
from connectors.soap_request import fresh_id


@pytest.fixture
def exchange(dial_soap, teller):
    """A genuine answer to a list, with what is needed to read it again."""
    teller.files = [("camt.053.001.08", "R1", "a.xml", "NEW", "2026-11-20T08:00:00Z", b"<a/>")]
    channel = dial_soap().channel
    number = fresh_id()
    envelope = channel.request("downloadFileList", number, {"FileType": "camt.053.001.08"})
    return channel, channel.send(envelope, number), number


def read(exchange, content):
    """Return what is believed of `content`, or ``None``."""
    channel, answer, number = exchange
    try:
        reply = channel.read(replace(answer, content=content), "downloadFileList", number)
        return reply.code, reply.text, [(one.reference, one.name) for one in reply.files()]
    except Unbelievable:
        return None


def flip(rng, content):
    place = rng.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]
    )


def drop(rng, content):
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randrange(1, 60) :]


def double(rng, content):
    start = rng.randrange(len(content))
    end = start + rng.randrange(1, 400)
    return content[:end] + content[start:end] + content[end:]


def swap(rng, content):
    first, second = sorted(rng.sample(range(len(content) - 80), 2))
    part, other = content[first : first + 40], content[second : second + 40]
    changed = content[:first] + other + content[first + 40 :]
    return changed[:second] + part + changed[second + 40 :]


def tag(rng, content):
    """Copy a whole element to another place between tags."""
    ends = [place + 1 for place, byte in enumerate(content) if byte == 0x3E]
    first, last = sorted(rng.sample(ends, 2))
    place = rng.choice(ends)
    return content[:place] + content[first:last] + content[place:]


@pytest.mark.parametrize("change", [flip, drop, double, swap, tag], ids=lambda one: one.__name__)
def test_no_change_alters_what_is_believed(exchange, change, caplog):
    rng = random.Random(f"{change.__name__} 20261123")
    genuine = exchange[1].content
    believed = read(exchange, genuine)
    assert believed == ("00", "OK.", [("R1", "a.xml")])
    refused = 0
    for _ in range(400):
        found = read(exchange, change(rng, genuine))
        assert found in (None, believed)
        refused += found is None
    # Some changes touch nothing that is signed (blanks between tags); most must be refused.
    assert refused > 350
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
