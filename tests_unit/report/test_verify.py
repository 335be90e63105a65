"""The verifier of evidence packs, by itself: signatures, readings, packs made by hand."""

import ast
import hashlib
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

PATH = Path(__file__).parents[2] / "report" / "verify.py"
_spec = importlib.util.spec_from_file_location("verify", PATH)
verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify)

# RFC 8032, section 7.1: public key, message, signature
RFC_8032 = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
        "cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
        "0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
        "84dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66"
        "431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", RFC_8032)
def test_the_vectors_of_the_standard(name):
    """RFC 8032's own signatures hold, and no byte of them can be changed."""
    key, message, signature = (bytes.fromhex(text) for text in RFC_8032[name])
    assert verify.ed25519_verify(key, message, signature)
    assert not verify.ed25519_verify(key, message + b"x", signature)
    for position in (0, 31, 32, 63):
        wrong = bytearray(signature)
        wrong[position] ^= 1
        assert not verify.ed25519_verify(key, message, bytes(wrong))


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_it_agrees_with_a_library(secret, message):
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    assert verify.ed25519_verify(public, message, signature)
    other = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret).digest())
    assert not verify.ed25519_verify(public, message, other.sign(message))


def test_signatures_that_only_look_right():
    """A response beyond the group's order, a point that is none, wrong lengths: all refused."""
    key, message, signature = (bytes.fromhex(text) for text in RFC_8032["TEST 3"])
    response = int.from_bytes(signature[32:], "little") + verify.ORDER
    assert not verify.ed25519_verify(
        key, message, signature[:32] + response.to_bytes(32, "little")
    )
    assert not verify.ed25519_verify(b"\xff" * 32, message, signature)
    assert not verify.ed25519_verify(key, message, signature[:63])
    assert not verify.ed25519_verify(key[:31], message, signature)


@pytest.mark.parametrize(
    ("sealed", "left", "same"),
    [
        ("Müller & Söhne", "Müller & Söhne", True),
        ("Müller & Söhne", "Muller + Sohne", True),
        ("Weiß", "Weis", True),
        ("Weiß", "Weiss", True),
        ("Щука", "Shtuka", True),
        ("Müller", "Miller", False),
        ("ACME", "ACNE", False),
        ("ACME", "ACME Ltd", False),
        ("ACME Ltd", "ACME", False),
        ("ACME", "", False),
        (None, None, True),
    ],
)
def test_what_a_character_set_may_do_to_a_name(sealed, left, same):
    assert verify.carried(sealed, left) is same


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [("100.00", "100", True), ("0.10", "0.1", True), ("100.00", "100.01", False),
     ("100", "1000", False), ("0.05", "0.5", False)],
)
def test_amounts_are_compared_without_rounding(first, second, same):
    assert (verify._decimal(first) == verify._decimal(second)) is same


@pytest.mark.parametrize(
    ("people", "steps", "lacking"),
    [
        ({1: "1"}, {1: 1}, []),
        ({1: "1"}, {1: 2}, ["level 1"]),
        # One person counts once, wherever they might count.
        ({1: "1 2"}, {1: 1, 2: 1}, ["level 2"]),
        ({1: "1 2", 2: "1"}, {1: 1, 2: 1}, []),
        ({1: "1 2", 2: "1", 3: "2 3"}, {1: 1, 2: 1, 3: 1}, []),
        ({1: "2", 2: "2"}, {1: 1, 2: 1}, ["level 1"]),
    ],
)
def test_who_fills_which_level(people, steps, lacking):
    approvals = [
        {"user_id": {"id": person}, "counts_for": numbers} for person, numbers in people.items()
    ]
    levels = [
        {"number": number, "people": count, "level_name": f"level {number}"}
        for number, count in steps.items()
    ]
    assert verify.unmet(levels, approvals) == lacking


def test_it_runs_on_old_pythons_and_needs_nothing_else():
    """Its syntax is that of Python 3.8, and all that it imports comes with Python."""
    tree = ast.parse(PATH.read_text("utf-8"), feature_version=(3, 8))
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


# -- packs made by hand, so that the judge is not judged by what it judges ------------------------

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()


def chain(*contents):
    """Lines of an audit trail; None is an event that is not shown."""
    previous, lines = "0" * 64, []
    for position, content in enumerate(contents, 1):
        said = content or f"secret {position}"
        digest = hashlib.sha256(f"unsigned\n{said}".encode()).hexdigest()
        link = hashlib.sha256(f"{position}\n{previous}\n{digest}".encode()).hexdigest()
        line = {"position": position, "previous": previous, "digest": digest, "hash": link}
        if content:
            line |= {"signature": "unsigned", "content": content}
        lines.append(line)
        previous = link
    return lines


def make(path, lines=(), extra=(), key=KEY):
    """A pack without batches around an audit trail."""
    lines = list(lines)
    files = {
        "audit/events.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode(),
        "audit/head.json": json.dumps(
            {
                "position": lines[-1]["position"] if lines else None,
                "hash": lines[-1]["hash"] if lines else None,
            }
        ).encode(),
        "messages/messages.json": b"[]",
    }
    listed = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    manifest = json.dumps(
        {
            "format": verify.FORMAT,
            "scope": {"title": "nothing"},
            "exported": "2026-01-01T00:00:00+00:00",
            "batches": [],
            "files": listed,
        }
    ).encode()
    seal = {
        "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(manifest).hex(),
    }
    with zipfile.ZipFile(path, "w") as pack:
        for name, data in (
            *files.items(),
            ("manifest.json", manifest),
            ("manifest.sig.json", json.dumps(seal).encode()),
            *extra,
        ):
            pack.writestr(name, data)
    return path


def run(path, *options):
    return subprocess.run(
        [sys.executable, "-I", str(PATH), str(path), *options],
        capture_output=True, text=True, timeout=60, check=False,
    )


def test_a_good_pack_and_its_key(tmp_path):
    """It passes under its own fingerprint, however that is written, and under no other."""
    pack = make(tmp_path / "pack.zip", chain("one", None, "three"))
    fingerprint = hashlib.sha256(PUBLIC).hexdigest()
    done = run(pack, "--fingerprint", fingerprint.upper())
    assert done.returncode == 0, done.stdout
    assert "followed to event 3; events shown in full: 2" in done.stdout
    spaced = " ".join(fingerprint[start : start + 4] for start in range(0, 64, 4))
    assert run(pack, "--fingerprint", spaced).returncode == 0
    assert "compare it" in run(pack).stdout
    forged = make(tmp_path / "forged.zip", key=Ed25519PrivateKey.from_private_bytes(b"f" * 32))
    done = run(forged, "--fingerprint", fingerprint)
    assert (done.returncode, "signed by another key" in done.stdout) == (1, True)


def _edited(lines):
    lines[0]["content"] = "another"


def _swapped(lines):
    lines[1], lines[2] = lines[2], lines[1]


def _removed(lines):
    del lines[1]


def _rehashed(lines):
    lines[1] = chain("one", "invented", "three")[1]


def _truncated(lines):
    lines.append({**lines[-1], "position": 4})


@pytest.mark.parametrize("harm", [_edited, _swapped, _removed, _rehashed, _truncated])
def test_a_harmed_chain_is_named(tmp_path, harm):
    """Also where whoever harmed it could sign the pack."""
    lines = chain("one", None, "three")
    harm(lines)
    done = run(make(tmp_path / "pack.zip", lines))
    assert done.returncode == 1
    assert "FAULT  audit/" in done.stdout


def test_files_twice_and_files_that_are_none(tmp_path):
    pack = make(tmp_path / "pack.zip", extra=[("more.txt", b"x")])
    assert "more.txt: was added" in run(pack).stdout
    with pytest.warns(UserWarning, match="Duplicate"):
        pack = make(tmp_path / "twice.zip", extra=[("messages/messages.json", b"[]")])
    done = run(pack)
    assert (done.returncode, "more than once" in done.stdout) == (1, True)
    (tmp_path / "none.zip").write_bytes(b"no zip")
    assert run(tmp_path / "none.zip").returncode == 1
    assert run(tmp_path / "absent.zip").returncode == 1
