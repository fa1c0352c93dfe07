#!/usr/bin/env python3
"""Verifies an export of the clearing house: python3 verify_export.py EXPORT HOUSE_KEYS [HEAD]. Needs Python 3.11 and nothing else.

For auditors, to be read from top to bottom; it shares no code with `clh verify`. HOUSE_KEYS: the house's public keys, a line of 64 hexadecimal digits
each, from elsewhere than the export; nothing else is taken on trust. HEAD: the hash of a head that was told earlier. What does not hold is printed as
`file: entry: what`, and the exit code is 1. What the files are: docs/how-to/verify-an-export.md.
"""

# fmt: off
import contextlib
import hashlib
import json
import multiprocessing
import re
import sys
import tarfile
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import chain, islice
from pathlib import Path

FILES = ("manifest.json", "manifest.sig", "statement.json", "entries.jsonl", "proof.json", "chain.jsonl", "result.json")
KINDS = ("run", "line", "entry", "attempt", "night")
HEIGHT = 11  # rows are checked in blocks of 2 ** 11, on all processors: so many leaves are a complete subtree of their party's tree
BAD_CONTENT = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, ArithmeticError)

# --- Ed25519, verification only, as RFC 8032 writes it (sections 5.1 and 6); points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z -------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

def point_add(a, b):
    s, t, u, v = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P

def point_times(n, a):
    return point_add(point_times(n >> 1, point_add(a, a)), a if n & 1 else (0, 1, 1, 0)) if n else (0, 1, 1, 0)

def point_read(data):
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 != sign else x
    return None if y >= P or (x * x - square) % P or x == P else (x, y, 1, x * y % P)

BASE = point_read((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def signed(public, message, signature):
    key, r = len(public) == 32 and point_read(public), len(signature) == 64 and point_read(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if not key or not r or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = point_times(s, BASE), point_add(r, point_times(k, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0

# --- what is hashed: the first byte says what it is, and every part has its length before it ------------------------------------------------
def sha(data):
    return hashlib.sha256(data).digest()

written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode  # the one form of a JSON value

def unhex(digits):  # small letters, nothing between them
    if (value := bytes.fromhex(digits)).hex() != digits:
        raise ValueError("not in the one form of its content")
    return value

def text(value):
    return written(value).encode()

def packed(*parts):
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])

@lru_cache(100_000)
def named(part):  # a name or a number, packed: the same ones come again and again
    return packed(str(part).encode())

def adds(kind, party, body):  # what a leaf adds to the totals that lines rest on, and, in the order of their names, to the sums of the nodes above it
    totals, sums = [], {"count/" + kind: 1}
    if kind == "line":
        sums["net/" + body["currency"]] = body["amount_minor"] * ((body["creditor"] == party) - (body["debtor"] == party))
    for *names, amount in body.get("moves", []):
        code, _sponsor, _contract, _counterparty, _counter, unit = names
        if not type(code) is type(amount) is int or unit is None or not all(name is None or type(name) is str for name in names[1:]):
            raise ValueError("a movement has code, sponsor, contract, counterparty, its contract, unit and amount")
        totals.append((tuple(names), amount))
        sums[f"moved/{unit}/{code}"] = sums.get(f"moved/{unit}/{code}", 0) + amount
    if body.get("outcome") is not None:
        sums[f"events/{body['outcome']}"] = 1
    sums = dict(sorted(sums.items()))
    return totals, sums, sums_text(1, sums)

def sums_text(leaves, sums):
    return named(leaves) + b"".join([named(name) + named(value) for name, value in sums.items()])

def node_text(node):  # a node of a party's tree: hash, number of leaves, sums, and the text of both
    return packed(node[0]) + node[3]

def above(left, right):
    leaves, ours, theirs = left[1] + right[1], left[2], right[2]
    if ours.keys() != theirs.keys():
        names = sorted({**ours, **theirs})
        ours, theirs = ({name: sums.get(name, 0) for name in names} for sums in (ours, theirs))
    sums = {name: value + theirs[name] for name, value in ours.items()}
    return sha(b"\x01" + packed(node_text(left), node_text(right))), leaves, sums, sums_text(leaves, sums)

def grown(stack, node, height=0):  # the complete subtrees so far as (height, node), the highest first
    while stack and stack[-1][0] == height:
        node, height = above(stack.pop()[1], node), height + 1
    stack.append((height, node))

def root_of(stack):
    return reduce(lambda right, left: above(left, right), [node for _, node in reversed(stack)])

def top_above(left, right):  # a node of the tree over the parties: hash, first party, last party
    if not left[2] < right[1]:
        raise ValueError("parties out of order")
    return sha(b"\x03" + packed(*(packed(n[0], n[1].encode(), n[2].encode()) for n in (left, right)))), left[1], right[2]

def climbed(node, index, count, path):  # the root, from a leaf, its place among so many, and the nodes beside its way, the lowest first
    if not 0 <= index < count or (count == 1 and path):
        raise ValueError("the path does not fit")
    if count == 1:
        return node
    split, (*lower, beside) = 1 << (count - 1).bit_length() - 1, path
    if index < split:
        return top_above(climbed(node, index, split, lower), beside)
    return top_above(beside, climbed(node, index - split, count - split, lower))

# --- rows of the entries, each a leaf; what is found in a block of them is put together in Export.entries ------------------------------------
def party_of(row):
    return row.rpartition(b'"party":"')[2].partition(b'"')[0].decode(errors="replace")

def blocks(rows):  # (party, number of the first row, rows), in their order
    number, some = 1, list(islice(rows, 2 ** HEIGHT))
    while some:  # where the last row is of the party of the first, those between are looked at when they are read
        party, size = party_of(some[0]), len(some)
        if party_of(some[-1]) != party:
            size = next(at for at, row in enumerate(some) if party_of(row) != party)
        yield party, number, some[:size]
        number, some = number + size, [*some[size:], *islice(rows, size)]

# How a row is written. TEXT: any text in its one form; NAME: one in which nothing is escaped. A body, what is said of a person, and movements are each a whole
# JSON value, which begins where they begin and ends where it is whole: so there is one way to take a row apart, and all of it is looked at. Nearly all rows are
# entries: ENTRY is the one form of their bodies, with the types of their fields, so that they need not be parsed and written again to be compared.
TEXT = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))[^"\\\x00-\x1f]*+)*+"'
NAME, MAYBE = r'"([^"\\\x00-\x1f]*+)"', f"(?:null|{TEXT})"
ROW = re.compile(f'{{"body":({{.*}}),"committed":{NAME},"key":{NAME},"kind":{NAME},"leaf":{NAME},"party":{NAME},'
                 f'"personal":(null|{{.*}}),"salt":(?:null|{NAME})}}')
ENTRY = re.compile(fr'{{"code":{MAYBE},"event_day":{MAYBE},"id":(?:null|({TEXT})),"moves":(\[.*\]),"outcome":({TEXT}),"received":{TEXT},'
                   f'"sender":{MAYBE},"source":{MAYBE},"type":{MAYBE}}}')
PERSON = re.compile(f'null|{{"card":{MAYBE},"content":{MAYBE},"member":{MAYBE}}}')  # of nearly all rows; others are parsed

def read(told):
    if written(value := json.loads(told)) != told:
        raise ValueError("not in the one form of its content")
    return value

@lru_cache(10_000)
def entry_adds(moves, outcome):  # the same come again and again
    return adds("entry", None, {"moves": read(moves), "outcome": read(outcome)})

def checked(block):  # every leaf is what its hash says, in its order
    party, first, rows = block
    problems, stack, totals, bodies, places = [], [], {}, [], []
    for number, row in enumerate(rows, first):
        entry = f"line {number}"
        try:
            told, committed, key, kind, leaf, whose, personal, salt = ROW.fullmatch(row.decode()).groups()
            entry = f"{whose} {kind} {key}"
            if kind == "entry":
                event, moves, outcome = ENTRY.fullmatch(told).groups()
                entry += f" (event {event[1:-1]})" if event else ""
                moved, *sums = entry_adds(moves, outcome)
            else:
                moved, *sums = adds(kind, whose, body := read(told))
                bodies += [(kind, body)] if kind in ("line", "run") else []
                if kind == "line" and key != str(body["line"]):
                    problems.append((entry, "it is another line by its number"))
            # without salt and personal data the person is erased, or not for this reader
            hidden = unhex(committed)
            if not PERSON.fullmatch(personal):
                read(personal)
            if (salt is None) != (personal == "null") or (salt is not None and sha(b"\x04" + packed(unhex(salt), personal.encode())) != hidden):
                problems.append((entry, "what it says of a person is not what was sealed"))
            digest = sha(b"\x00" + named(whose) + named(kind) + packed(key.encode(), told.encode(), hidden))
            if digest.hex() != leaf or whose != party:
                problems.append((entry, "it was changed"))
            front = key.rstrip("0123456789")
            place = party, KINDS.index(kind), front, int(key[len(front):] or 0), entry
            if places and misplaced(places[-1], place):
                problems.append((entry, MISPLACED))
            places[1 if places else 0:] = [place]  # the first and the last
            for names, amount in moved:
                totals[names] = totals.get(names, 0) + amount
            grown(stack, (digest, 1, *sums))
        except BAD_CONTENT:
            problems.append((entry, "it cannot be read, or is not in the one form of its content"))
    return party, problems, stack, totals, bodies, places

MISPLACED = "it stands behind what comes after it, or twice"

def misplaced(before, place):
    return place[:2] < before[:2] or (place[:3] == before[:3] and place[3] <= before[3])

# --- an export: a tar with the seven files in their order and nothing else in it ----------------------------------------------------------------
@lru_cache
def frame_of(name, size):  # the header of a file in the archive: nothing but its name and size varies
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)

class Export:
    def __init__(self, path, keys, head=None):
        lines = [line for line in map(str.strip, Path(keys).read_text("ascii").splitlines()) if line and not line.startswith("#")]
        if not lines or not all(re.fullmatch(r"[0-9a-fA-F]{64}(\s.*)?", line) for line in lines):
            raise ValueError("no public keys")
        public = [bytes.fromhex(line[:64]) for line in lines]
        self.keys, self.known, self.problems = {sha(key).hex()[:16]: key for key in public}, head, []
        self.roots, self.lines, self.runs, self.totals, self.head, self.manifest, self.settled = {}, {}, {}, {}, {}, {}, None
        self.path, self.begins, self.bytes = Path(path), {}, {}
        with self.path.open("rb") as file:
            for name in FILES:
                frame = file.read(512)
                size = int(frame[124:135], 8) if re.fullmatch(b"[0-7]{11}", frame[124:135]) else 0
                self.begins[name], digest, left = file.tell(), hashlib.sha256(), size
                while left and (some := file.read(min(left, 1 << 20))):
                    digest.update(some)
                    left -= len(some)
                self.bytes[name] = {"bytes": size - left, "sha256": digest.hexdigest()}
                if frame != frame_of(name, size) or file.read(-size % 512) != bytes(-size % 512):
                    self.wrong(name, "its header in the archive, or what fills its last block, was changed")
            if file.read() != bytes(1024):
                self.wrong(FILES[-1], "the archive does not end behind it")
        steps = ((self.bytes_signed, 0), (self.chain, 5), (self.entries, 3), (self.proof, 4), (self.statement, 2), (self.follows, 3), (self.result, 6))
        for step, name in () if self.problems else steps:
            try:
                step()
            except BAD_CONTENT as error:
                self.wrong(FILES[name], f"it cannot be read as what it should be ({type(error).__name__})")

    def wrong(self, file, what, entry=None):
        self.problems.append(": ".join(part for part in (file, entry, what) if part))

    def content(self, name):
        with self.path.open("rb") as file:
            file.seek(self.begins[name])
            return file.read(self.bytes[name]["bytes"])

    def read(self, name):
        value = json.loads(content := self.content(name))
        if text(value) != content:
            self.wrong(name, "it is not in the one form of its content")
        return value

    def rows(self, name):
        row, left = b"", self.bytes[name]["bytes"]
        with self.path.open("rb") as file:
            file.seek(self.begins[name])
            while left and (row := file.readline(left)):
                left -= len(row)
                yield row.removesuffix(b"\n")
        if not row.endswith(b"\n"):
            self.wrong(name, "its last line has no end")

    def bytes_signed(self):  # the manifest is signed, and the other files have the bytes that it names
        found = re.fullmatch(b"([0-9a-f]{64}) ([0-9a-f]{128})\n", self.content("manifest.sig")) or self.wrong("manifest.sig", "it is no signature")
        self.manifest = self.read("manifest.json")
        digest = self.bytes["manifest.json"]["sha256"].encode()
        key, message = self.keys.get(self.manifest["key"], b""), b"clh export manifest 1\n" + self.content("manifest.json")
        if found and not signed(key, message, bytes.fromhex(found[2].decode())):
            self.wrong("manifest.sig" if found[1] == digest else "manifest.json", "the signature of the manifest does not hold")
        elif found and found[1] != digest:
            self.wrong("manifest.sig", "it names another hash than that of the manifest")
        for name in sorted({*FILES[2:], *self.manifest["files"]}):
            if self.manifest["files"].get(name) != self.bytes[name]:
                self.wrong(name, "its bytes are not those that were signed")

    def chain(self):  # every head is signed and names the one before it; the last is the one that the manifest means
        heads, head = [None], {}
        for number, line in enumerate(self.rows("chain.jsonl"), 1):
            link = json.loads(line)
            head = link["head"]
            if "signatures" not in head and head["window"] == self.manifest.get("window"):
                self.head = head
            if text(link) != line or not signed(self.keys.get(head["key"], b""), b"clh seal head 1\n" + text(head), unhex(link["signature"])):
                self.wrong("chain.jsonl", "its signature does not hold", f"head {number}")
            if (head["number"], head["previous"], head["programme"]) != (number, heads[-1], self.manifest.get("programme")):
                self.wrong("chain.jsonl", "it does not follow from the head before it", f"head {number}")
            heads.append(sha(text(head)).hex())
        if self.known not in heads:
            self.wrong("chain.jsonl", "the head that was told before is not in it")
        if (heads[-1], head.get("window")) != (self.manifest.get("head_sha256"), self.manifest.get("window")):
            self.wrong("chain.jsonl", "its last head is not that of the manifest")
        self.settled = head if "signatures" in head else None  # of the result of a settled window, behind the head of its entries

    def entries(self):  # all leaves; from the blocks' subtrees grow the trees of the parties
        many = self.bytes["entries.jsonl"]["bytes"] > 1 << 24
        stacks, before, waiting = {}, None, blocks(self.rows("entries.jsonl"))
        with multiprocessing.Pool() if many else contextlib.nullcontext() as pool:
            some = iter(lambda: list(islice(waiting, 32)), [])  # so many blocks at once: memory does not grow with the file
            found = (pool.imap(checked, each) if pool else map(checked, each) for each in some)
            for party, problems, stack, totals, bodies, places in chain.from_iterable(found):
                if before and places and misplaced(before, places[0]):
                    self.wrong("entries.jsonl", MISPLACED, places[0][4])
                before = places[-1] if places else before
                for entry, what in problems:
                    self.wrong("entries.jsonl", what, entry)
                for names, amount in totals.items():
                    self.totals[party, *names] = self.totals.get((party, *names), 0) + amount
                for kind, body in bodies:
                    (self.lines if kind == "line" else self.runs).setdefault(party, []).append(body)
                for height, node in stack:
                    grown(stacks.setdefault(party, []), node, height)
        self.roots = {party: root_of(stack) for party, stack in stacks.items()}

    def result(self):  # of a settled window: one maker and two checkers, who are three people, signed its report; payments are those that were sealed
        told, head = self.read("result.json"), self.settled
        if told is None or head is None:
            if told is not head:
                self.wrong("result.json", "it tells of a result, and the chain of none, or the other way round")
            return
        signatures, made, about = told["signatures"], [one["statement"] for one in told["signatures"]], {name: head[name] for name in ("programme", "window")}
        run = {name: self.head["run"][name] for name in ("run", "report_sha256")}
        if head["run"] != run or head["parties"] != self.head["parties"] or sha(text(signatures)).hex() != head["signatures"]:
            self.wrong("result.json", "the sealed result is another's")
        for one in signatures:
            said, key, signature = one["statement"], unhex(one["public_key"]), unhex(one["signature"])
            if said != said | about | run or not signed(key, b"clh settlement signature v1\n" + text(said), signature):
                self.wrong("result.json", "it was not signed so", f"{said['person']} {said['action']}")
        people = {said["person"] for said in made}, {one["public_key"] for one in signatures}
        if [said["action"] for said in made] != ["submit", "approve", "approve"] or [len(each) for each in people] != [3, 3]:
            self.wrong("result.json", "it was not submitted by one person and approved by two others")
        if len({said["accounts_sha256"] for said in made if said.get("accounts_sha256") is not None}) > 1:
            self.wrong("result.json", "it was not signed for the same accounts")
        if set(told) != {"signatures", "payments", "paths"} or not set(told["payments"]) == set(told["paths"]) == set(self.roots):
            self.wrong("result.json", "it tells payments of other parties")
        for party, own in told["payments"].items():
            for one in own:
                other = one["payee"] if party == one["payer"] else one["payer"]
                if party not in (one["payer"], one["payee"]) or (len(self.roots) == head["parties"] and one not in told["payments"].get(other, [])):
                    self.wrong("result.json", f"payment {one['id']} of {party} is another's, or {other} is not told of it")
            path = [(unhex(node["hash"]), node["first"], node["last"]) for node in told["paths"][party]["path"]]
            leaf = sha(b"\x05" + packed(party.encode(), text(own))), party, party
            if climbed(leaf, told["paths"][party]["index"], head["parties"], path)[0].hex() != head["root"]:
                self.wrong("result.json", f"the payments of {party} are not those that were sealed")

    def proof(self):  # every party's tree stands in the signed root, at the one place of that party
        paths, run = self.read("proof.json")["paths"], {"window": self.head["window"], **self.head["run"]}
        if set(paths) != set(self.roots) or self.manifest["party"] not in self.roots or len(self.roots) not in (1, self.head["parties"]):
            self.wrong("proof.json", "it proves others than the party whose export this is, or all parties of the window")
        for party, root in self.roots.items():
            path = [(unhex(node["hash"]), node["first"], node["last"]) for node in paths[party]["path"]]
            leaf = sha(b"\x02" + packed(party.encode(), node_text(root))), party, party
            if climbed(leaf, paths[party]["index"], self.head["parties"], path)[0].hex() != self.head["root"]:
                self.wrong("entries.jsonl", f"the entries of {party} are not all those that were sealed, and no other")
            if self.runs.get(party) != [run]:
                self.wrong("entries.jsonl", f"the run of {party} is not that of the head")

    def statement(self):  # the statement is the sealed lines, and their sum
        party, net = self.manifest["party"], {}
        for line in (lines := self.lines.get(party, [])):
            net[line["currency"]] = net.get(line["currency"], 0) + line["amount_minor"] * (1 if line["creditor"] == party else -1)
        told = [{name: line[name] for name in line if name not in ("sources", "basis")} for line in lines]
        whole = {"format": 1, "party": party, "report_sha256": self.head["run"]["report_sha256"], "lines": told, "net_minor": net}
        if self.read("statement.json") != whole | {name: self.head[name] for name in ("programme", "window")}:
            self.wrong("statement.json", "it does not follow from the sealed lines")

    def follows(self):  # quantities are those of the entries, amounts are quantity × price, or a percentage, rounded once, half-even
        for party, lines in self.lines.items():
            for line in lines:
                due = self.due(party, line, {line["line"]: line for line in lines})
                if due is None or round(due) != line["amount_minor"]:
                    self.wrong("entries.jsonl", f"it says {line['amount_minor']}, what it rests on says {due}", f"{party} line {line['line']}")
        if len(self.roots) > 1:
            self.two_sides()

    def two_sides(self):  # what one side tells the other side tells too, and positions add up to zero
        net, told = {}, {(party, line["line"]): line for party, lines in self.lines.items() for line in lines}
        for party, lines in self.lines.items():
            for line in lines:
                other, sign = (line["debtor"], 1) if line["creditor"] == party else (line["creditor"], -1)
                net[line["currency"]] = net.get(line["currency"], 0) + sign * line["amount_minor"]
                if told.get((other, line["line"])) != line:
                    self.wrong("entries.jsonl", f"{other} has another line of that number, or none", f"{party} line {line['line']}")
        for currency, minor in net.items():
            if minor:
                self.wrong("entries.jsonl", f"positions in {currency} add up to {minor}", "all lines")
        for (party, *key), total in self.totals.items():
            other = key[3] if party == key[1] else key[1]
            if other is not None and self.totals.get((other, *key)) != total:
                what = f"code {key[0]} in {key[5]}, of sponsor {key[1]} with counterparty {key[3]}"
                self.wrong("entries.jsonl", f"{party} and {other} have other entries of {what}")

    def due(self, party, line, lines):  # the exact amount in minor units; None where its quantity, or what it rests on, is another
        price = None if line["unit_price"] is None else Fraction(line["unit_price"]) * 10 ** line["places"]
        if keys := {tuple(key) for key in line["sources"]}:
            if len(keys) != len(line["sources"]) or {len(key) for key in keys} != {6}:  # a total counts once
                return None
            quantity = sum(self.totals.get((party if key[1] is None or party in (key[1], key[3]) else key[1], *key), 0) for key in keys)
            return quantity if price is None else quantity * price if quantity == line["quantity"] else None
        basis = line["basis"]
        if basis is None:  # a monthly fee
            return price if line["quantity"] == 1 and line["kind"] == "fee" else None
        if "percent" not in basis:  # what the fees of the month fall short of
            return Fraction(basis["minimum_minor"]) - Fraction(basis["paid_minor"])
        for number, counts in basis["of"]:
            amount, most = lines[number]["amount_minor"], Fraction(lines[number]["unit_price"] or 0) * (lines[number]["quantity"] or 0)
            most = max(abs(most * 10 ** lines[number]["places"]), amount)
            if abs(Fraction(counts)) > most or (line["kind"] == "vat" and abs(Fraction(counts)) != amount):
                return None
        return abs(Fraction(basis["percent"]) / 100 * sum(Fraction(counts) for _, counts in basis["of"]))

if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(print("usage: python3 verify_export.py EXPORT HOUSE_KEYS [HEAD]", file=sys.stderr) or 2)
    try:
        export = Export(*sys.argv[1:4])
    except OSError as error:
        sys.exit(print(f"{error.filename}: {error.strerror}", file=sys.stderr) or 2)
    except ValueError:  # of the keys: what is wrong with an export is found and named
        sys.exit(print(f"{sys.argv[2]}: it holds no public keys: a line of 64 hexadecimal digits for each", file=sys.stderr) or 2)
    print("\n".join([*export.problems, f"{sys.argv[1]}: {'IT DOES NOT HOLD' if export.problems else 'everything holds'}"]))
    sys.exit(bool(export.problems))
