#!/usr/bin/env python3
"""Verify an evidence pack of Bank Connect. Needs Python 3.8 or later and nothing else.

    python3 -I verify.py PACK.zip --fingerprint "1a2b 3c4d …"

Take this file and the fingerprint from somewhere else than the pack: whoever forges a pack forges
the verifier in it too. The fingerprint is shown in Odoo, on the pack and in its list.

It says what it checked and what is wrong; the exit code is 0 when nothing is wrong, else 1.
Ed25519 after RFC 8032, section 5.1.7. No line of it is shared with the module that it judges.
"""

import argparse
import collections
import hashlib
import json
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile

FORMAT = "bank-connect-evidence/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig.json"
# What SEPA's Latin character set carries as it stands (EPC132-08, section 1.4).
PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")


# -- Ed25519, RFC 8032 ------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1


def _x_of(y, sign):
    """The x of a point from its y and the sign of x; None where there is no such point."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if (x & 1) != sign else x


def _point(encoded):
    number = int.from_bytes(encoded, "little")
    y = number & (2**255 - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _add(first, second):
    # extended homogeneous coordinates, RFC 8032, section 5.1.4
    a = (first[1] - first[0]) * (second[1] - second[0]) % P
    b = (first[1] + first[0]) * (second[1] + second[0]) % P
    c = 2 * first[3] * second[3] * D % P
    d = 2 * first[2] * second[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        result = _add(result, point) if scalar & 1 else result
        point, scalar = _add(point, point), scalar >> 1
    return result


def ed25519_verify(public_key, message, signature):
    """Whether ``signature`` (64 bytes) is the one of ``message`` under ``public_key`` (32)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    owner, commitment = _point(public_key), _point(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or response >= ORDER:
        return False
    base = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    left, right = _times(response, base), _add(commitment, _times(challenge, owner))
    return all((left[axis] * right[2] - right[axis] * left[2]) % P == 0 for axis in (0, 1))


def fingerprint_of(public_key):
    """SHA-256 of the public key, in groups of four hexadecimal digits."""
    digest = hashlib.sha256(public_key).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, 64, 4))


# -- the pack ---------------------------------------------------------------------------------


class Verifier:
    """Goes through a pack; ``faults`` is what is wrong, ``notes`` what a person should know."""

    def __init__(self, pack, fingerprint=None):
        self.pack, self.fingerprint = pack, fingerprint
        self.faults, self.notes, self.checked = [], [], []
        self.names, self.hashes = set(), {}

    def run(self):
        """Check everything; a part that can't be read is a fault and ends nothing else."""
        counted = collections.Counter(self.pack.namelist())
        self.names = set(counted)
        twice = sorted(name for name, count in counted.items() if count > 1)
        self.faults += [f"{name}: is in the pack more than once." for name in twice]
        seal = self._try(SIGNATURE, self.load, SIGNATURE)
        manifest = seal and self._try(MANIFEST, self.check_signature, seal)
        if not manifest:
            return
        self._try(MANIFEST, self.check_files, manifest)
        self._try("audit/events.jsonl", self.check_audit)
        messages = self._try("messages/messages.json", self.check_messages) or []
        for folder in manifest["batches"]:
            self._try(folder, self.check_batch, folder, messages)

    def _try(self, where, check, *arguments):
        try:
            return check(*arguments)
        except Exception as error:  # whatever it is, it is a fault of the pack, and named as one
            self.faults.append(f"{where}: can't be checked: {(*error.args, error)[0]}")
            return None

    def load(self, name):
        return json.loads(self.pack.read(name).decode("utf-8"))

    def check_signature(self, seal):
        content = self.pack.read(MANIFEST)
        public_key = bytes.fromhex(seal["public_key"])
        found = fingerprint_of(public_key)
        if not ed25519_verify(public_key, content, bytes.fromhex(seal["signature"])):
            self.faults.append(f"{MANIFEST}: the signature is wrong: the list was changed.")
        elif self.fingerprint is None:
            self.notes.append(
                f"The list is signed by the key {found}. Anybody can sign with a key of their "
                "own: compare it with the one that Odoo shows, or use --fingerprint."
            )
        elif _bare(self.fingerprint) != _bare(found):
            keys = f"{found}, expected {self.fingerprint}"
            self.faults.append(f"{SIGNATURE}: signed by another key: {keys}.")
        else:
            self.checked.append("The list of files is signed by the expected key.")
        manifest = json.loads(content.decode("utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']!r} is not known to this verifier")
        self.notes.append(f"Pack of {manifest['scope']['title']}, made {manifest['exported']}.")
        return manifest

    def check_files(self, manifest):
        listed = {entry["path"]: entry for entry in manifest["files"]}
        if len(listed) != len(manifest["files"]):
            self.faults.append(f"{MANIFEST}: lists a file twice.")
        more = self.names - set(listed) - {MANIFEST, SIGNATURE}
        self.faults += [f"{name}: is missing." for name in sorted(set(listed) - self.names)]
        self.faults += [f"{name}: was added, it is not in the list." for name in sorted(more)]
        for name in sorted(set(listed) & self.names):
            self._try(name, self._check_file, name, listed[name])
        self.checked.append(f"Files compared with the list: {len(listed)}.")

    def _check_file(self, name, entry):
        digest, size = hashlib.sha256(), 0
        with self.pack.open(name) as stream:
            for chunk in iter(lambda: stream.read(1 << 20), b""):
                digest.update(chunk)
                size += len(chunk)
        self.hashes[name] = digest.hexdigest()
        if (self.hashes[name], size) != (entry["sha256"], entry["size"]):
            said = f"the list says {entry['size']} bytes with {entry['sha256']}"
            found = f"{size} bytes with SHA-256 {self.hashes[name]}"
            self.faults.append(f"{name}: was changed: {found}, {said}.")

    def check_messages(self):
        messages = self.load("messages/messages.json")
        erased = 0
        for message in messages:
            if message["erased_date"]:
                erased += 1
            elif self.hashes.get(message["path"]) != message["sha256"]:
                what = f"{message['name']}, whose SHA-256 was recorded as {message['sha256']}"
                self.faults.append(f"{message['path']}: these are not the bytes of {what}.")
        self.checked.append(f"Documents compared with their SHA-256: {len(messages) - erased}.")
        if erased:
            self.notes.append(f"Documents erased after retention, their SHA-256 kept: {erased}.")
        return messages

    def check_batch(self, folder, messages):
        batch = self.load(f"{folder}/batch.json")
        wanted = (batch["reference"], "out", "payment")
        told = ("batch", "direction", "purpose")
        sent = [message for message in messages if tuple(message[key] for key in told) == wanted]
        if sent:
            self._try(f"{folder}/approvals.json", self._check_approvals, folder, batch)
        if batch["sealed_erased_date"]:
            gone = f"the sealed text was erased on {batch['sealed_erased_date']}, its digest kept"
            self.notes.append(f"{folder}: {gone}: amounts can't be compared any more.")
        if batch["sealed_erased_date"] or not batch["seal"]:
            return
        content = self.pack.read(f"{folder}/sealed.json")
        digest, seal = hashlib.sha256(content).hexdigest(), batch["seal"]
        if digest != seal:
            self.faults.append(f"{folder}/sealed.json: its digest is {digest}, not {seal}.")
        sealed = json.loads(content.decode("utf-8"))
        for message in sent:
            if not message["erased_date"]:
                self._try(message["path"], self._compare, message["path"], sealed)

    def _check_approvals(self, folder, batch):
        """Whether the people that the rules asked for approved exactly what is sealed."""
        name = f"{folder}/approvals.json"
        asked = (batch["seal"], batch["approval_requirement"])
        valid, steps = (
            [entry for entry in self.load(file) if (entry["seal"], entry["requirement"]) == asked]
            for file in (name, f"{folder}/steps.json")
        )
        valid = [entry for entry in valid if entry["decision"] == "approved"]
        if not valid:
            self.faults.append(f"{name}: nobody approved what is sealed, yet it was released.")
        elif not steps or unmet(steps, valid):
            lacking = ", ".join(unmet(steps, valid)) or "all, none is written down"
            self.faults.append(f"{name}: released without the approvals of level: {lacking}.")
        for approval in valid:
            who = approval["user_id"]
            if who["id"] == batch["preparer_id"]["id"]:
                self.faults.append(f"{name}: {who['name']} prepared it as well.")
            if approval.get("signature_valid") is False:
                self.faults.append(f"{name}: Odoo found the signature of {who['name']} broken.")

    def _compare(self, name, sealed):
        """Compare what left with what was sealed, by this file's own reading."""
        content = self.pack.read(name)
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise ValueError("it declares entities, which no payment order does")
        root = ElementTree.fromstring(content)  # noqa: S314 - standard library only, see above
        if root.find("{*}CstmrCdtTrfInitn") is None:
            self.notes.append(f"{name}: is no pain.001; its amounts were not compared.")
            return
        left = {payment["end_to_end_id"]: payment for payment in sealed["payments"]}
        count = len(left)
        for block in root.iterfind("{*}CstmrCdtTrfInitn/{*}PmtInf"):
            date = _text(block, "ReqdExctnDt/Dt") or _text(block, "ReqdExctnDt")
            said = (date, _account(block, "DbtrAcct"))
            if said != (sealed["execution_date"], _number(sealed["account"])):
                self.faults.append(f"{name}: date and account {said} are not what was sealed.")
            for transfer in block.iterfind("{*}CdtTrfTxInf"):
                key = _text(transfer, "PmtId/EndToEndId")
                payment = left.pop(key, None)
                if payment is None:
                    self.faults.append(f"{name}: payment {key} was never sealed, or leaves twice.")
                else:
                    self._compare_payment(name, key, transfer, payment)
        for key in sorted(left):
            self.faults.append(f"{name}: payment {key} was sealed, and is not in what left.")
        self.checked.append(f"{name}: compared with what was sealed, payments: {count}.")

    def _compare_payment(self, name, key, transfer, payment):
        amount = transfer.find("{*}Amt/{*}InstdAmt")
        agent = "CdtrAgt/FinInstnId/BIC"
        exact = {
            "amount": (_decimal(amount.text), _decimal(payment["amount"])),
            "currency": (amount.get("Ccy"), payment["currency"]),
            "account": (_account(transfer, "CdtrAcct"), _number(payment["account"])),
            "BIC": (_text(transfer, agent + "FI") or _text(transfer, agent), payment["bic"]),
        }
        texts = {"payee": (_text(transfer, "Cdtr/Nm"), payment["payee"]["name"])}
        if payment["creditor_reference"]:
            reference = _text(transfer, "RmtInf/Strd/CdtrRefInf/Ref")
            exact["creditor reference"] = (reference, payment["creditor_reference"])
        elif payment["text"]:
            lines = [line.text or "" for line in transfer.iterfind("{*}RmtInf/{*}Ustrd")]
            texts["text"] = ("".join(lines), payment["text"])
        wrong = {what: pair for what, pair in exact.items() if pair[0] != pair[1]}
        wrong.update({what: pair for what, pair in texts.items() if not carried(*reversed(pair))})
        self.faults += [
            f"{name}: payment {key}: {what} {left!r} left, but {sealed!r} was sealed."
            for what, (left, sealed) in sorted(wrong.items())
        ]

    def check_audit(self):
        """Follow the chain from its first line in the pack to its head."""
        before, hash_before, shown = None, None, 0
        with self.pack.open("audit/events.jsonl") as stream:
            for line in stream:
                event = json.loads(line.decode("utf-8"))
                where = f"audit/events.jsonl: event {event['position']}"
                if before and event["position"] != before + 1:
                    self.faults.append(f"{where}: follows event {before}, something is missing.")
                if before and event["previous"] != hash_before:
                    self.faults.append(f"{where}: does not follow from the one before it.")
                if "content" in event:
                    shown += 1
                    content = f"{event['signature']}\n{event['content']}".encode()
                    if hashlib.sha256(content).hexdigest() != event["digest"]:
                        self.faults.append(f"{where}: what it says was changed.")
                link = f"{event['position']}\n{event['previous']}\n{event['digest']}"
                if hashlib.sha256(link.encode()).hexdigest() != event["hash"]:
                    self.faults.append(f"{where}: its hash is not the one of what it says.")
                before, hash_before = event["position"], event["hash"]
        head = self.load("audit/head.json")
        if (head["position"], head["hash"]) != (before, hash_before):
            self.faults.append("audit/head.json: the chain does not end where its head says.")
        followed = f"Audit trail followed to event {before or 0}"
        self.checked.append(f"{followed}; events shown in full: {shown}.")


# -- reading ----------------------------------------------------------------------------------


def carried(sealed, left):
    """Whether ``left`` may be what a bank's character set made of ``sealed``.

    What the set carries must be the same, accents may be gone, and a letter or sign that it does
    not know may be up to three others.
    """
    sealed, left = sealed or "", left or ""
    if unicodedata.normalize("NFC", sealed) == unicodedata.normalize("NFC", left):
        return True
    places = {0}
    for char in unicodedata.normalize("NFKD", sealed):
        if char in PLAIN:
            places = {place + 1 for place in places if left[place : place + 1] == char}
        elif unicodedata.category(char) not in ("Mn", "Cf"):
            places = {place + width for place in places for width in (1, 2, 3)}
    return len(left) in places


def unmet(steps, approvals):
    """Levels that lack people, when each person counts for one level of those open to them."""
    seats = [step for step in steps for _number in range(step["people"])]
    people = {entry["user_id"]["id"]: set(entry["counts_for"].split()) for entry in approvals}
    holder = {}

    def sit(person, seen):
        for seat, step in enumerate(seats):
            if seat not in seen and str(step["number"]) in people[person]:
                seen.add(seat)
                if seat not in holder or sit(holder[seat], seen):
                    holder[seat] = person
                    return True
        return False

    for person in people:
        sit(person, set())
    return sorted({step["level_name"] for seat, step in enumerate(seats) if seat not in holder})


def _text(element, path):
    found = element.find("/".join("{*}" + part for part in path.split("/")))
    return (found.text or "").strip() or None if found is not None else None


def _account(element, name):
    return _text(element, name + "/Id/IBAN") or _text(element, name + "/Id/Othr/Id")


def _number(account):
    return account.get("iban") or account.get("other")


def _decimal(text):
    """An amount as (digits, decimals) without trailing zeros: no number is rounded here."""
    whole, _point, part = text.strip().partition(".")
    part = part.rstrip("0")
    return (int(whole + part), len(part))


def _bare(fingerprint):
    return "".join(char for char in fingerprint.lower() if char.isalnum())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", help="the ZIP file")
    parser.add_argument("--fingerprint", help="of the signing key, as Odoo shows it")
    options = parser.parse_args(arguments)
    try:
        with zipfile.ZipFile(options.pack) as pack:
            verifier = Verifier(pack, options.fingerprint)
            verifier.run()
    except (OSError, zipfile.BadZipFile) as error:
        print(f"FAULT  {options.pack}: can't be read: {error}")
        return 1
    said = [("ok    ", line) for line in verifier.checked]
    said += [("note  ", line) for line in verifier.notes]
    said += [("FAULT ", line) for line in verifier.faults]
    for label, line in said:
        # What a pack calls its files is not to steer anybody's screen.
        print(label, "".join(char if char.isprintable() else "?" for char in line))
    print(f"Faults: {len(verifier.faults)}." if verifier.faults else "Nothing is wrong.")
    return 1 if verifier.faults else 0


if __name__ == "__main__":
    sys.exit(main())
