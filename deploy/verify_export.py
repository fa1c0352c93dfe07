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

def not_whole(digits):
    raise ValueError(f"{digits[:40]} is no whole number")

def parsed(told):  # JSON of texts and whole numbers
    return json.loads(told, parse_float=not_whole, parse_constant=not_whole)

def packed(*parts):
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])

@lru_cache(100_000)
def named(part):  # a name or a number, packed: the same ones come again and again
    return packed(str(part).encode())

def adds(kind, party, body):  # what a leaf adds to the totals that lines rest on, and, in the order of their names, to the sums of the nodes above it
    totals, sums = {}, {"count/" + kind: 1}
    if kind == "line":
        sums["net/" + body["currency"]] = body["amount_minor"] * ((body["creditor"] == party) - (body["debtor"] == party))
    for *names, amount in body.get("moves", []):
        code, _sponsor, _contract, _counterparty, _counter, unit = names
        if not type(code) is type(amount) is int or unit is None or not all(name is None or type(name) is str for name in names[1:]):
            raise ValueError("a movement has code, sponsor, contract, counterparty, its contract, unit and amount")
        totals[tuple(names)] = totals.get(tuple(names), 0) + amount
        sums[f"moved/{unit}/{code}"] = sums.get(f"moved/{unit}/{code}", 0) + amount
    if body.get("outcome") is not None:
        sums[f"events/{body['outcome']}"] = 1
    sums = dict(sorted(sums.items()))
    return totals.items(), sums, sums_text(1, sums)

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

def path_of(way):
    return [(unhex(node["hash"]), node["first"], node["last"]) for node in (shaped("path", node) for node in shaped("way", way)["path"])]

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

# What stands before the last number of a key, by kind: topic and numbers, by which rows stand in their order.
NUMBER, TOPIC = "(0|[1-9][0-9]{0,18})", "([A-Za-z0-9._-]{1,249})"
FRONTS = {"run": "()", "line": "()", "entry": f"{TOPIC}/{NUMBER}/", "attempt": f"{TOPIC}/{NUMBER}/{NUMBER}#", "night": f"(){NUMBER}/"}

@lru_cache(10_000)
def front_of(kind, front):
    topic, *numbers = re.fullmatch(FRONTS[kind], front).groups()
    return KINDS.index(kind), topic, [int(number) for number in numbers]

# What objects hold. #: a whole number; ?: text, or perhaps null; *: looked at apart.
FIELDS = {
    "run": "previous_report_sha256? programme_sha256 report_sha256 run# window",
    "line": "amount_minor# basis* contract? creditor currency debtor detail? events#? kind line# places# quantity#? sources* unit_price?",
    "attempt": "attempt# became code? refused?", "night": "earned? expiry? moves*", "sources": "0# 1? 2? 3? 4? 5", "of": "0# 1",
    "percent": "of* percent", "minimum": "minimum_minor paid_minor", "path": "first hash last", "way": "index# path*", "link": "head* signature",
    "payment": "amount_minor# confirmed_minor# currency id kind payee payer state statements* value_date",
    "head": "format# key number# parties# previous? programme root run* window", "manifest": "files* format# head_sha256 key party programme window",
    "result": "format# key number# parties# previous? programme root run* signatures window",
}

@lru_cache
def fields(kind):  # the types that each may have; None: any
    marked = [(field.rstrip("#?*"), field) for field in FIELDS[kind].split()]
    return {name: None if "*" in field else (int if "#" in field else str, type(None) if "?" in field else str) for name, field in marked}

def shaped(kind, value):  # an object, or a list, has these fields, of these types, and no other
    told, known = value if type(value) is dict else {str(at): part for at, part in enumerate(value)}, fields(kind)
    if told.keys() != known.keys() or not all(types is None or type(told[name]) in types for name, types in known.items()):
        raise ValueError(f"no {kind}")
    return value

def body_of(kind, told):
    body = shaped(kind, read(told))
    if kind == "line":
        for source in body["sources"]:
            shaped("sources", source)
        if body["basis"] is not None and "of" in shaped("percent" if "of" in body["basis"] else "minimum", body["basis"]):
            for part in body["basis"]["of"]:
                shaped("of", part)
    return body

def short(name):
    return name if len(name) <= 200 else name[:200] + "…"

def read(told):
    if written(value := parsed(told)) != told:
        raise ValueError("not in the one form of its content")
    return value

@lru_cache(10_000)
def entry_adds(moves, outcome):  # the same come again and again
    return adds("entry", None, {"moves": read(moves), "outcome": read(outcome)})

def checked(block):  # every leaf is what its hash says, in its order
    party, first, rows = block
    problems, stack, totals, bodies, places, topics = [], [], {}, [], [], {}  # totals: by key, what moved, and in how many entries
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
                moved, *sums = adds(kind, whose, body := body_of(kind, told))
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
            digits = key[len(front):]
            if len(digits) > 19 or (digits[:1] == "0" and digits != "0") or (digits == "") != (kind == "run"):
                raise ValueError("no key")
            at, topic, numbers = front_of(kind, front)
            place = party, at, topic, (numbers, int(digits or 0)), entry
            if places and misplaced(places[-1], place):
                problems.append((entry, MISPLACED))
            elif not places or places[-1][2] != topic or places[-1][1] != at:  # what is of one topic stands together
                problems += [(entry, MISPLACED)] if (at, topic) in topics else []
                topics.setdefault((at, topic), entry)
            places[1 if places else 0:] = [place]  # the first and the last
            for names, amount in moved:
                total, events = totals.get(names, (0, 0))
                totals[names] = total + amount, events + (kind == "entry")
            grown(stack, (digest, 1, *sums))
        except BAD_CONTENT:
            problems.append((entry, "it cannot be read, or is not in the one form of its content"))
    return party, problems, stack, totals, bodies, places, topics

MISPLACED = "it stands behind what comes after it, or twice"

def misplaced(before, place):
    return place[:2] < before[:2] or (place[:3] == before[:3] and place[3] <= before[3])

# --- lines: what may follow from totals, which have code, sponsor, its contract, counterparty, its contract, unit (rules 16 to 25) ----------------
OP, SUMS = None, ("discount_funding", "reward", "cash_back", "round_up_match", "privilege", "pass")
RULES = {  # by code: kind of line, debtor and creditor (places in the key; OP: the operator), whose contract version
    1: [("issue", 1, OP, 2)], 4: [("redemption", 1, 3, 2), ("issue", 1, OP, 2)], 5: [("issue_reversal", OP, 1, 2)], 6: [("issue_reversal", 3, 1, 2)],
    3: [("redemption", 1, 3, 2), ("redemption", OP, 3, 4), ("issue", 1, OP, 2)], 8: [("unused_points", OP, 1, 2)], 11: [("issue", 1, 3, 2)],
    7: [("redemption_reversal", 3, 1, 2), ("redemption_reversal", 3, OP, 4), ("redemption_reversal", OP, 1, 2)], 41: [("fee", 1, OP, 2)],
    **{21 + 2 * at: [(kind, 1, 3, None)] for at, kind in enumerate(SUMS)}, **{22 + 2 * at: [(kind + "_reversal", 3, 1, None)] for at, kind in enumerate(SUMS)},
    **{33 + at: [(kind, 1, 3, None)] for at, kind in enumerate(("adjustment", "dispute", "default_loss"))},
}
PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,40})?", re.ASCII)  # no exponents: what is read is soon multiplied
EXACT = re.compile("-?[0-9]{1,40}(/[0-9]{1,40})?", re.ASCII)
PLACES = {  # of ISO 4217
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW", 2: """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP
    DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"""}
PLACES = {code: places for places, codes in PLACES.items() for code in codes.split()}

def exact(line, quantity):  # in minor units
    return Fraction(quantity) if line["unit_price"] is None else quantity * Fraction(line["unit_price"]) * 10 ** line["places"]

def demand(holds, why):
    if not holds:
        raise ValueError(why)

def formed(party, line):  # what has to be so in every line
    demand(PLACES.get(line["currency"]) == line["places"], f"{line['currency']} is no currency, or has other places than {line['places']}")
    demand(line["unit_price"] is None or PLAIN.fullmatch(line["unit_price"]), "its price is not written as prices are")
    demand(party in (line["debtor"], line["creditor"]) and line["debtor"] != line["creditor"], f"it is not between {party} and another")
    demand(line["amount_minor"] >= 0, "its amount is below zero")
    return True

def rule_of(key, line):  # where a line could follow in two ways, the one that names both sides comes first
    for kind, debtor, creditor, version in RULES.get(key[0], ()):
        if ((line["kind"], line["detail"]) == (kind, "per_transaction" if kind == "fee" else None) and line["contract"] == (version and key[version])
            and all(at is OP or line[side] == key[at] for side, at in (("debtor", debtor), ("creditor", creditor)))
            and (version or line["currency"] == key[5]) and (line["unit_price"] is None) == (line["quantity"] is None) == (version is None)):
            return line["debtor"] if debtor is OP else line["creditor"] if creditor is OP else None
    raise ValueError(f"such a line does not follow from a total of code {key[0]}")

class Lines:  # of a party: what was charged already is charged once
    def __init__(self, party, shown, totals, events, operator):
        self.party, self.shown, self.totals, self.events, self.operator, self.charged, self.counting = party, shown, totals, events, operator, set(), {}
        for number, line in sorted(shown.items()):
            with contextlib.suppress(ValueError):
                for key in line["sources"] if line["sources"] and formed(line["debtor"], line) else ():
                    fee, payer, version = ("percent_of_issue", key[1], key[2]) if "issue" in line["kind"] else ("percent_of_redemption", key[3], key[4])
                    back = line["kind"].endswith("_reversal")
                    if fee == "percent_of_issue" or (key[0] == (7 if back else 3) and line["debtor" if back else "creditor"] == payer):
                        of = self.counting.setdefault((fee, payer, version, line["currency"]), {})
                        of[number] = of.get(number, 0) + exact(line, self.total(key)) * (-1 if back else 1)

    def total(self, key, of=None):
        return (self.totals if of is None else of).get((self.party if key[1] is None or self.party in (key[1], key[3]) else key[1], *key), 0)

    def once(self, *what):
        demand(what not in self.charged, f"{what[0]}: this is charged by another line already")
        self.charged.add(what)

    def operates(self, name):
        self.operator += [] if self.operator else [name]
        demand(name in self.operator, f"{name} stands where the operator has to, which is {self.operator[0]}")

    def due(self, line):  # the exact amount in minor units; raises where the line does not follow
        formed(self.party, line)
        basis, keys = line["basis"], {tuple(key) for key in line["sources"]}
        if keys:
            demand(len(keys) == len(line["sources"]) and basis is None, "it names a total twice, or lines also")
            for key in keys:
                if (name := rule_of(key, line)) is not None:
                    self.operates(name)
                for side in ("debtor", "creditor"):
                    self.once(f"total of code {key[0]}", side, line[side], key)
            quantity = sum(map(self.total, keys))
            demand(line["unit_price"] is None or quantity == line["quantity"], f"its quantity is {line['quantity']}, its entries add up to {quantity}")
            counts, told = [self.total(key, self.events) for key in keys], line["events"] or 0  # an event can be in several totals of a line
            demand(max(counts) <= told <= sum(counts) and (line["events"] is None) == (told == 0), f"it tells of {told} events, its entries are {counts}")
            return exact(line, quantity)
        demand(line["contract"] is not None and line["events"] is None, "it names no contract, or events and no total")
        what = line["kind"], line["detail"]
        if line["kind"] == "fee":
            self.once("fee", *(line[name] for name in ("detail", "debtor", "creditor", "currency", "contract")))
        if basis is None:
            demand(what == ("fee", "monthly") and line["quantity"] == 1 and line["unit_price"] is not None, "nothing is named from which it follows")
            self.operates(line["creditor"])
            return exact(line, 1)
        demand(line["quantity"] is line["unit_price"] is None, "it has quantity or price, and rests on lines")
        if "of" not in basis:  # what the fees of the month fall short of
            demand(what == ("fee", "monthly_minimum") and all(map(EXACT.fullmatch, basis.values())), "it is no minimum")
            self.operates(line["creditor"])
            return Fraction(basis["minimum_minor"]) - Fraction(basis["paid_minor"])
        demand(PLAIN.fullmatch(basis["percent"]), "its percent is not written as that is")
        of = self.taxed(line) if what == ("vat", None) else self.counted(line)
        return Fraction(basis["percent"]) / 100 * of

    def counted(self, line):  # a percentage rests on all that counts for it, and on nothing else; where more came back the operator owes it
        for payer, other, sign in ((line["debtor"], line["creditor"], 1), (line["creditor"], line["debtor"], -1)):
            of = self.counting.get((line["detail"], payer, line["contract"], line["currency"]), {})
            if line["kind"] == "fee" and of and line["basis"]["of"] == [[number, str(counts)] for number, counts in of.items()] and sum(of.values()) * sign > 0:
                self.operates(other)
                return sum(of.values()) * sign
        raise ValueError("the lines that it rests on are not those that count for it")

    def taxed(self, line):  # lines between the same two, each once, as far as they go the way of the tax
        base = 0
        for number, counts in line["basis"]["of"]:
            of = self.shown.get(number, {"kind": None})
            demand(of["kind"] in ("fee", "issue", "issue_reversal", "redemption", "redemption_reversal"), f"line {number} bears no tax")
            same = {of["debtor"], of["creditor"]} == {line["debtor"], line["creditor"]}
            same = same and (of["currency"], of["contract"]) == (line["currency"], line["contract"])
            owed = of["amount_minor"] * (1 if of["debtor"] == line["debtor"] else -1)
            demand(same and counts == str(owed), f"it counts {counts} of line {number}, which has {owed}, or is another's")
            self.once("tax", number)
            base += owed
        return base

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
        self.keys, self.known, self.problems, self.notes = {sha(key).hex()[:16]: key for key in public}, head, [], []
        self.roots, self.lines, self.runs, self.totals, self.events, self.head, self.manifest, self.settled = {}, {}, {}, {}, {}, {}, {}, None
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
        self.problems.append(": ".join(part for part in (file, entry and short(entry), what) if part))

    def content(self, name):
        with self.path.open("rb") as file:
            file.seek(self.begins[name])
            return file.read(self.bytes[name]["bytes"])

    def read(self, name):
        value = parsed(content := self.content(name))
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
        self.manifest = shaped("manifest", self.read("manifest.json"))
        digest = self.bytes["manifest.json"]["sha256"].encode()
        key, message = self.keys.get(self.manifest["key"], b""), b"clh export manifest 1\n" + self.content("manifest.json")
        if found and not signed(key, message, bytes.fromhex(found[2].decode())):
            self.wrong("manifest.sig" if found[1] == digest else "manifest.json", "the signature of the manifest does not hold")
        elif found and found[1] != digest:
            self.wrong("manifest.sig", "it names another hash than that of the manifest")
        for name in sorted({*FILES[2:], *self.manifest["files"]}):
            if text(self.manifest["files"].get(name)) != text(self.bytes.get(name)):
                self.wrong(name, "its bytes are not those that were signed")

    def chain(self):  # every head is signed and names the one before it; the last is the one that the manifest means
        heads, head = [None], {}
        for number, line in enumerate(self.rows("chain.jsonl"), 1):
            link = shaped("link", parsed(line))
            head = shaped("result" if "signatures" in link["head"] else "head", link["head"])
            if "signatures" not in head and head["window"] == self.manifest.get("window"):
                self.head = head
            if text(link) != line or not signed(self.keys.get(head["key"], b""), b"clh seal head 1\n" + text(head), unhex(link["signature"])):
                self.wrong("chain.jsonl", "its signature does not hold", f"head {number}")
            if (head["format"], head["number"], head["previous"], head["programme"]) != (1, number, heads[-1], self.manifest.get("programme")):
                self.wrong("chain.jsonl", "it does not follow from the head before it", f"head {number}")
            heads.append(sha(text(head)).hex())
        if self.known not in heads:
            self.wrong("chain.jsonl", "the head that was told before is not in it")
        if (heads[-1], head.get("window")) != (self.manifest.get("head_sha256"), self.manifest.get("window")):
            self.wrong("chain.jsonl", "its last head is not that of the manifest")
        self.settled = head if "signatures" in head else None  # of the result of a settled window, behind the head of its entries

    def entries(self):  # all leaves; from the blocks' subtrees grow the trees of the parties
        many = self.bytes["entries.jsonl"]["bytes"] > 1 << 24
        stacks, seen, before, waiting = {}, {}, None, blocks(self.rows("entries.jsonl"))
        with multiprocessing.Pool() if many else contextlib.nullcontext() as pool:
            some = iter(lambda: list(islice(waiting, 32)), [])  # so many blocks at once: memory does not grow with the file
            found = (pool.imap(checked, each) if pool else map(checked, each) for each in some)
            for party, problems, stack, totals, bodies, places, topics in chain.from_iterable(found):
                if before and places and misplaced(before, places[0]):
                    self.wrong("entries.jsonl", MISPLACED, places[0][4])
                known = seen.setdefault(party, {})
                for topic, entry in topics.items():
                    if topic in known and (before[0], *before[1:3]) != (party, *topic):
                        self.wrong("entries.jsonl", MISPLACED, entry)
                known.update(topics)
                before = places[-1] if places else before
                for entry, what in problems:
                    self.wrong("entries.jsonl", what, entry)
                for names, (amount, events) in totals.items():
                    self.totals[party, *names] = self.totals.get((party, *names), 0) + amount
                    self.events[party, *names] = self.events.get((party, *names), 0) + events
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
        if text(head["run"]) != text(run) or head["parties"] != self.head["parties"] or sha(text(signatures)).hex() != head["signatures"]:
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
                if shaped("payment", one)["amount_minor"] <= 0 or one["currency"] not in PLACES or one["payer"] == one["payee"]:
                    self.wrong("result.json", f"payment {one['id']} is of nothing, in no currency, or to oneself")
                other = one["payee"] if party == one["payer"] else one["payer"]
                if party not in (one["payer"], one["payee"]) or (len(self.roots) == head["parties"] and one not in told["payments"].get(other, [])):
                    self.wrong("result.json", f"payment {one['id']} of {party} is another's, or {other} is not told of it")
            path = path_of(told["paths"][party])
            leaf = sha(b"\x05" + packed(party.encode(), text(own))), party, party
            if climbed(leaf, told["paths"][party]["index"], head["parties"], path)[0].hex() != head["root"]:
                self.wrong("result.json", f"the payments of {party} are not those that were sealed")

    def proof(self):  # every party's tree stands in the signed root, at the one place of that party
        proof, run = self.read("proof.json"), {"window": self.head["window"], **self.head["run"]}
        paths, party = proof.pop("paths"), self.manifest["party"]
        if proof or set(paths) != set(self.roots) or party not in self.roots or len(self.roots) not in (1, self.head["parties"]):
            self.wrong("proof.json", "it proves others than the party whose export this is, or all parties of the window")
        for party, root in self.roots.items():
            path = path_of(paths[party])
            leaf = sha(b"\x02" + packed(party.encode(), node_text(root))), party, party
            if climbed(leaf, paths[party]["index"], self.head["parties"], path)[0].hex() != self.head["root"]:
                self.wrong("entries.jsonl", f"the entries of {party} are not all those that were sealed, and no other")
            if text(self.runs.get(party)) != text([run]):
                self.wrong("entries.jsonl", f"the run of {party} is not that of the head")

    def statement(self):  # the statement is the sealed lines, and their sum
        party, net = self.manifest["party"], {}
        for line in (lines := self.lines.get(party, [])):
            net[line["currency"]] = net.get(line["currency"], 0) + line["amount_minor"] * (1 if line["creditor"] == party else -1)
        told = [{name: line[name] for name in line if name not in ("sources", "basis")} for line in lines]
        whole = {"format": 1, "party": party, "report_sha256": self.head["run"]["report_sha256"], "lines": told, "net_minor": net}
        if text(self.read("statement.json")) != text(whole | {name: self.head[name] for name in ("programme", "window")}):
            self.wrong("statement.json", "it does not follow from the sealed lines")

    def follows(self):  # quantities are those of the entries, amounts are quantity × price, or a percentage, rounded once, half-even
        shown = {line["line"]: line for lines in self.lines.values() for line in lines}
        operator = [self.manifest["party"]] if len(self.roots) > 1 else []
        for party in self.roots:
            lines, follow = self.lines.get(party, []), Lines(party, shown, self.totals, self.events, operator)
            for line in lines:
                try:
                    due = follow.due(line)
                    if round(due) != line["amount_minor"] or due <= 0:
                        self.wrong("entries.jsonl", f"it says {line['amount_minor']}, what it rests on says {round(due)}", f"{party} line {line['line']}")
                except ValueError as error:
                    self.wrong("entries.jsonl", short(str(error)), f"{party} line {line['line']}")
            behind = {tuple(key) for line in lines for key in line["sources"]}
            for (whose, *key), total in self.totals.items():
                if whose == party and tuple(key) not in behind and key[0] in RULES and key[0] != 41 and key[1] != key[3]:
                    what = f"code {key[0]} in {key[5]}, of sponsor {key[1]} ({key[2]}) with counterparty {key[3]} ({key[4]})"
                    if key[0] > 20 and total:  # amounts are owed as they are
                        self.wrong("entries.jsonl", f"no line is there for {what}", f"{party} lines")
                    elif key[0] < 20:
                        self.notes.append(f"{party} has no line for {what}: its contract says whether that has a price; this export cannot tell")
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

if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(print("usage: python3 verify_export.py EXPORT HOUSE_KEYS [HEAD]", file=sys.stderr) or 2)
    try:
        export = Export(*sys.argv[1:4])
    except OSError as error:
        sys.exit(print(f"{error.filename}: {error.strerror}", file=sys.stderr) or 2)
    except ValueError:  # of the keys: what is wrong with an export is found and named
        sys.exit(print(f"{sys.argv[2]}: it holds no public keys: a line of 64 hexadecimal digits for each", file=sys.stderr) or 2)
    said = export.problems or [f"note: {note}" for note in export.notes]
    print("\n".join([*said, f"{sys.argv[1]}: {'IT DOES NOT HOLD' if export.problems else 'everything holds'}"]))
    sys.exit(bool(export.problems))
