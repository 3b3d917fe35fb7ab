"""Cards, accounts, routing numbers, VAT ids and wallets with right check digits."""

import hashlib

from national import LETTERS, luhn, number, weighted

# Issuer prefix and length. Prefixes of published test numbers are avoided by the caller's random digits.
ISSUERS = [
    ("4", 16), ("4", 16), ("51", 16), ("53", 16), ("55", 16), ("2221", 16), ("2412", 16), ("34", 15), ("37", 15), ("6011", 16),
    ("644", 16), ("36", 14), ("3528", 16), ("62", 16),
]  # fmt: skip
# Published test numbers that a redactor may leave alone.
TEST_CARDS = ("424242", "411111", "400000", "555555", "378282", "371449", "401288", "222300", "510510", "601111")


def card(rng):
    while True:
        prefix, length = rng.choice(ISSUERS)
        body = prefix + number(rng, length - 1 - len(prefix), "123456789")
        if not body.startswith(TEST_CARDS):
            return body + luhn(body)


def card_grouped(digits, separator):
    cuts = {15: (4, 10), 14: (4, 10)}.get(len(digits), (4, 8, 12))
    return separator.join(digits[a:b] for a, b in zip((0, *cuts), (*cuts, len(digits))))


# Country: shape of the BBAN (n digit, a letter, c either).
IBANS = {
    "DE": "n18", "FR": "n10c11n2", "ES": "n20", "IT": "a1n10c12", "NL": "a4n10", "BE": "n12", "PL": "n24", "PT": "n21",
    "GB": "a4n14", "SE": "n20", "NO": "n11", "DK": "n14", "FI": "n14", "CH": "n5c12", "AT": "n16", "CZ": "n20", "IE": "a4n14",
    "RO": "a4c16", "HU": "n24", "TR": "n5c17", "GR": "n7c16", "HR": "n17", "SA": "n2c18", "IL": "n19", "BR": "n23a1c1",
    "LU": "n3c13", "UA": "n6c19", "BG": "a4n6c8", "LT": "n16", "EE": "n16",
}  # fmt: skip


def fill(rng, shape):
    out, at = "", 0
    while at < len(shape):
        kind, end = shape[at], at + 1
        while end < len(shape) and shape[end].isdigit():
            end += 1
        alphabet = {"n": "0123456789", "a": LETTERS, "c": "0123456789ABCDEFGHKLMNPRSTVWXZ"}[kind]
        out += "".join(rng.choice(alphabet) for _ in range(int(shape[at + 1 : end])))
        at = end
    return out


def to_digits(text):
    return "".join(str(int(c, 36)) for c in text)


def iban(rng, country):
    bban = fill(rng, IBANS[country])
    return f"{country}{98 - int(to_digits(bban + country + '00')) % 97:02}{bban}"


def grouped(text, size=4):
    return " ".join(text[i : i + size] for i in range(0, len(text), size))


def aba(rng):
    body = f"{rng.choice([*range(1, 13), *range(21, 33)]):02}" + number(rng, 6, "0123456789")
    return body + str(-weighted(body, [3, 7, 1, 3, 7, 1, 3, 7]) % 10)


def account(rng):
    return number(rng, rng.randint(8, 12))


def ssn(rng):
    area = rng.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def vat(rng, country):
    if country == "DE":
        body, product = number(rng, 8), 10
        for d in body:
            total = (int(d) + product) % 10 or 10
            product = total * 2 % 11
        return f"DE{body}{(11 - product) % 10}"
    if country == "IT":
        body = number(rng, 10, "0123456789")
        return f"IT{body}{luhn(body)}"
    if country == "BE":
        body = "0" + number(rng, 7)
        return f"BE{body}{97 - int(body) % 97:02}"
    if country == "FR":
        siren = number(rng, 8)
        siren += luhn(siren)
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"
    if country == "PL":
        while True:
            body = number(rng, 9)
            check = weighted(body, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11
            if check < 10:
                return f"PL{body}{check}"
    if country == "AT":
        body = number(rng, 7)
        total = sum((int(d) * (1 + n % 2) - 9) if int(d) * (1 + n % 2) > 9 else int(d) * (1 + n % 2) for n, d in enumerate(body))
        return f"ATU{body}{(10 - (total + 4) % 10) % 10}"
    if country == "NL":
        while True:
            body = number(rng, 8)
            check = weighted(body, range(9, 1, -1)) % 11
            if check < 10:
                return f"NL{body}{check}B{rng.randint(1, 99):02}"
    if country == "PT":
        body = number(rng, 8, "5")
        check = 11 - weighted(body, range(9, 1, -1)) % 11
        return f"PT{body}{check if check < 10 else 0}"
    if country == "SE":
        body = number(rng, 9)
        return f"SE{body}{luhn(body)}01"
    body = number(rng, 7)  # Finland
    check = -weighted(body, [7, 9, 10, 5, 8, 4, 2]) % 11
    return f"FI{body}{check}" if check < 10 else vat(rng, country)


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def base58check(payload):
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    n, out = int.from_bytes(data, "big"), ""
    while n:
        n, rest = divmod(n, 58)
        out = BASE58[rest] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def bech32(prefix, words):
    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for bit, g in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
                check ^= g if top >> bit & 1 else 0
        return check

    high = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(high + words + [0] * 6) ^ 1
    return prefix + "1" + "".join(BECH32[w] for w in words + [check >> 5 * (5 - i) & 31 for i in range(6)])


def wallet(rng):
    twenty = rng.randbytes(20)
    n = int.from_bytes(twenty, "big")
    return rng.choice([
        lambda: base58check(b"\0" + twenty),
        lambda: base58check(b"\x05" + twenty),
        lambda: bech32("bc", [0] + [n >> 5 * (31 - i) & 31 for i in range(32)]),
        lambda: "0x" + twenty.hex(),
        lambda: "0x" + twenty.hex(),
    ])()  # fmt: skip
