"""Verify a project's ledger without qua3ck: the standard library and ``cryptography`` only.

Usage: python tools/verify_ledger.py PROJECT_FOLDER [WITNESS.json ...]
Exit 0 and the number of events, or exit 1 with the line and the reason. A witness is a copy
of the signed head; those in $QUA3CK_WITNESS and the user's key store are found by themselves.
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = {"actor": str, "at": str, "body": dict, "event": str, "prev": str, "seq": int}
FIELDS |= {"subject": str, "hash": str}  # in the order in which they are stored
SHOWN = ("version", "approver", "decision", "reason", "roles")
UNWITNESSED = "witness: none was looked at; a ledger that was set back as a whole, together"
UNWITNESSED += " with its head, cannot be seen without one: name a copy of head.json"
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def signed(key, signature, said):
    """Tell whether a hex signature over canonical JSON fits a base64 Ed25519 key."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        raw = bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(raw, text.encode())
    except (InvalidSignature, *BROKEN):
        return False
    return raw.hex() == signature


def check_lines(data, people, problems):
    """Hold each line against the one before; return the hashes in order."""
    *lines, torn = data.split(b"\n")
    hashes, before = [], "0" * 64
    for number, line in enumerate(lines, 1):
        rest, _, end = line.rpartition(b',"hash":"')
        try:
            event = json.loads(line)
            found = [(name, type(value)) for name, value in event.items()]
        except BROKEN:
            found = []
        if found != list(FIELDS.items()):
            problems.append(f"line {number}: is not an event (changed, or inserted)")
            hashes.append("")
            before = None
            continue
        if end != hashlib.sha256(rest + b"}").hexdigest().encode() + b'"}':
            problems.append(f"line {number}, seq {event['seq']}: changed after it was written")
        elif event["seq"] != number - 1:
            problems.append(f"line {number}: seq {event['seq']} stands where {number - 1} is due")
        elif before is not None and event["prev"] != before:
            problems.append(f"line {number}, seq {event['seq']}: does not follow the line before")
        before = event["hash"]
        hashes.append(before)
        if "signed" in event["body"] or event["event"].startswith(("person.", "approval.")):
            check_signed(number, event, people, problems)
    if torn:
        problems.append(f"line {len(lines) + 1}: torn, {len(torn)} bytes without an end")
    return hashes


def check_signed(number, event, people, problems):
    """Check the signature in an approval or an enrolment; an enrolment adds to the people."""
    body, enrols = event["body"], event["event"] == "person.enrolled"
    what = {"person": "qua3ck enrolment", "approval": "qua3ck approval"}
    try:
        by, said = body["signed"]["by"], body["signed"]["statement"]
        signer = said if enrols and not people and said["name"] == by else people[by]
        shown = {key: said[key] for key in SHOWN if key in body}
        good = (
            signed(signer["signing"], body["signed"]["signature"], said)
            and said["what"] == what.get(event["event"].split(".")[0], said["what"])
            and shown == {key: body[key] for key in shown}
            and (not enrols or ("owner" in signer["roles"] and event["subject"] == said["name"]))
        )
        if said["head"] != {"n": event["seq"], "hash": event["prev"]}:
            problems.append(f"line {number}: the head that {by} signed is not the one before it")
        if enrols and good:
            people[said["name"]] = said
    except BROKEN:
        good = False
    if not good:
        problems.append(f"line {number}, {event['event']}: its signature does not hold")


def read_head(path):
    """Return the head in a file, None if it is missing or not exactly one head."""
    try:
        data = path.read_bytes()
        head = json.loads(data)
        exact = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        whole = set(head) == {"n", "hash", "at", "signer", "signature"} and type(head["n"]) is int
    except BROKEN:
        return None
    return head if whole and head["n"] > 0 and exact.encode() == data else None


def check_head(folder, hashes, people, problems):
    """Hold the signed head against the chain."""
    head, after = read_head(folder / "head.json"), read_head(folder / "head.next.json")
    n = len(hashes)

    def holds(one):
        said = {key: one[key] for key in one if key != "signature"} | {"what": "qua3ck ledger head"}
        return signed(people.get(one["signer"], {}).get("signing"), one["signature"], said)

    crashed = after and after["n"] == (head["n"] if head else 0) + 1 == n
    if crashed and after["hash"] == hashes[-1] and holds(after):
        return  # between the line and the rename of its head; the next writer finishes it
    if head is None:
        problems.append("head.json: missing or unreadable")
    elif not holds(head):
        problems.append(f"head.json: the signature of {head['signer']} does not hold")
    elif head["n"] > n:
        problems.append(f"line {n + 1}: seq {n} to {head['n'] - 1} missing, the end was cut off")
    elif head["n"] < n:
        problems.append(f"line {head['n'] + 1}: {n - head['n']} lines after the signed head")
    elif head["hash"] != hashes[-1]:
        problems.append(f"line {n}: not the event the head was signed over")


def check_witness(path, hashes, problems):
    """Hold a copy of a head, kept elsewhere, against the chain; return how many events it saw."""
    if not path.exists():
        return 0
    seen, n = read_head(path), len(hashes)
    if seen is None:
        problems.append(f"witness {path}: unreadable")
    elif seen["n"] > n:
        problems.append(f"line {n + 1}: witness {path} saw {seen['n']} events, here are {n}")
    elif hashes[seen["n"] - 1] != seen["hash"]:
        problems.append(f"line {seen['n']}: not the event that witness {path} saw")
    return seen["n"] if seen else 0


def witnesses(data):
    """Return where copies of the head may lie, by the project's id in the first event."""
    try:
        name = json.loads(data.split(b"\n", 1)[0])["body"]["id"] + ".json"
    except BROKEN:
        return []
    env = os.environ
    config = env.get("APPDATA") if sys.platform == "win32" else env.get("XDG_CONFIG_HOME")
    keys = env.get("QUA3CK_KEYS") or Path(config or Path.home() / ".config") / "qua3ck" / "keys"
    further = [Path(env["QUA3CK_WITNESS"]).expanduser()] if env.get("QUA3CK_WITNESS") else []
    further = [one if one.suffix == ".json" else one / name for one in further]
    return [Path(keys).expanduser() / "heads" / name, *further]


def main(root, *more):
    """Check everything, say the result, return the exit code."""
    chain, problems, people = root / "ledger" / "chain.jsonl", [], {}
    data = chain.read_bytes() if chain.exists() else b""
    hashes = check_lines(data, people, problems)
    for name, said in people.items():
        try:
            file = json.loads((root / "people" / f"{name}.pub").read_bytes())
            same = all(file[key] == said[key] for key in ("name", "roles", "signing", "sealing"))
        except BROKEN:
            same = False
        if not same:
            problems.append(f"people/{name}.pub: missing, or not what the ledger enrolled")
    check_head(root / "ledger", hashes, people, problems)
    places = [*more, *witnesses(data)]
    saw = max([check_witness(path, hashes, problems) for path in places], default=0)
    good = f"ok: {len(hashes)} events, {len(people)} people, signed head"
    witnessed = f"witness: looked at, it saw {saw} of {len(hashes)} events" if saw else UNWITNESSED
    told = ["NOT OK", *problems[:20]] if problems else [good]
    sys.stdout.write("\n  ".join([*told, witnessed]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    sys.exit(main(*map(Path, sys.argv[1:])))
