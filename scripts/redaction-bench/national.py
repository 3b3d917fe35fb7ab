"""National ids of natural persons with right check digits, each computed from the issuer's published rule."""

import string

LETTERS = string.ascii_uppercase


def luhn(digits):
    """The check digit that makes `digits` plus it divisible by ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        digit = int(digit) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def weighted(digits, weights):
    return sum(int(d) * w for d, w in zip(digits, weights))


def number(rng, length, first="123456789"):
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(length - 1))


class Birth:
    """A day of birth in the spellings the ids use."""

    def __init__(self, rng):
        self.year, self.month, self.day = rng.randint(1942, 2004), rng.randint(1, 12), rng.randint(1, 28)
        self.yy, self.mm, self.dd = f"{self.year % 100:02}", f"{self.month:02}", f"{self.day:02}"


def germany(rng):
    # ISO 7064 MOD 11,10; exactly one digit of the first ten occurs twice.
    digits = rng.sample("0123456789", 10)
    while digits[0] == "0":
        rng.shuffle(digits)
    digits[9 if digits[0] != digits[9] else 8] = digits[rng.randint(1, 4)]
    product = 10
    for d in digits:
        total = (int(d) + product) % 10 or 10
        product = total * 2 % 11
    plain = "".join(digits) + str((11 - product) % 10)
    return rng.choice([plain, plain, f"{plain[:2]} {plain[2:5]} {plain[5:8]} {plain[8:]}"])


def france(rng):
    b = Birth(rng)
    body = f"{rng.choice('12')}{b.yy}{b.mm}{rng.randint(1, 95):02}{rng.randint(1, 900):03}{rng.randint(1, 999):03}"
    body = body[:5] + ("01" if body[5:7] == "20" else body[5:7]) + body[7:]
    plain = body + f"{97 - int(body) % 97:02}"
    spaced = f"{plain[0]} {plain[1:3]} {plain[3:5]} {plain[5:7]} {plain[7:10]} {plain[10:13]} {plain[13:]}"
    return rng.choice([plain, plain, spaced])


DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def spain(rng):
    if rng.random() < 0.3:
        prefix = rng.randint(0, 2)
        rest = number(rng, 7, "0123456789")
        return "XYZ"[prefix] + rest + DNI[int(f"{prefix}{rest}") % 23]
    n = rng.randint(10_000_000, 99_999_999)
    return f"{n}{rng.choice(['', '', '-'])}{DNI[n % 23]}"


def italy(rng):
    b = Birth(rng)
    consonants = "BCDFGLMNPRSTVZ"
    letters = "".join(rng.choice(consonants) for _ in range(6))
    day = b.day + (40 if rng.random() < 0.5 else 0)
    body = f"{letters}{b.yy}{'ABCDEHLMPRST'[b.month - 1]}{day:02}{rng.choice('ABCDEFGHIL')}{rng.randint(100, 999)}"
    odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
    total = 0
    for place, c in enumerate(body):
        value = int(c) if c.isdigit() else LETTERS.index(c)
        total += odd[value] if place % 2 == 0 else value
    return body + LETTERS[total % 26]


def netherlands(rng):
    while True:
        digits = number(rng, 8)
        check = weighted(digits, range(9, 1, -1)) % 11
        if check < 10:
            return digits + str(check)


def belgium(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.mm}{b.dd}{rng.randint(1, 997):03}"
    check = 97 - int(("2" if b.year >= 2000 else "") + body) % 97
    plain = f"{body}{check:02}"
    return rng.choice([plain, f"{plain[:2]}.{plain[2:4]}.{plain[4:6]}-{plain[6:9]}.{plain[9:]}"])


def poland(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.month + (20 if b.year >= 2000 else 0):02}{b.dd}{number(rng, 4, '0123456789')}"
    return body + str(-weighted(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)


def portugal(rng):
    body = number(rng, 8, "12")
    check = 11 - weighted(body, range(9, 1, -1)) % 11
    return body + str(check if check < 10 else 0)


def brazil(rng):
    body = number(rng, 9)
    for weights in (range(10, 1, -1), range(11, 1, -1)):
        check = 11 - weighted(body, weights) % 11
        body += str(check if check < 10 else 0)
    return rng.choice([body, f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"])


def sweden(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.mm}{b.dd}{rng.randint(1, 989):03}"
    body += luhn(body)
    return rng.choice([f"{body[:6]}-{body[6:]}", f"{b.year // 100}{body}", f"{b.year // 100}{body[:6]}-{body[6:]}"])


def norway(rng):
    while True:
        b = Birth(rng)
        serial = rng.randint(0, 499) if b.year < 2000 else rng.randint(500, 999)
        body = f"{b.dd}{b.mm}{b.yy}{serial:03}"
        for weights in ([3, 7, 6, 1, 8, 9, 4, 5, 2], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]):
            check = -weighted(body, weights) % 11
            if check == 10:
                break
            body += str(check)
        else:
            return body


def denmark(rng):
    while True:
        b = Birth(rng)
        serial = f"{rng.choice('0123' if b.year < 2000 else '4567')}{rng.randint(0, 99):02}"
        body = f"{b.dd}{b.mm}{b.yy}{serial}"
        check = -weighted(body, [4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        if check < 10:
            return f"{body[:6]}-{body[6:]}{check}"


def finland(rng):
    b = Birth(rng)
    serial = f"{rng.randint(2, 899):03}"
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(b.dd + b.mm + b.yy + serial) % 31]
    return f"{b.dd}{b.mm}{b.yy}{'A' if b.year >= 2000 else '-'}{serial}{check}"


def turkey(rng):
    d = [int(c) for c in number(rng, 9)]
    ten = (sum(d[0::2]) * 7 - sum(d[1::2])) % 10
    eleven = (sum(d) + ten) % 10
    return "".join(map(str, d)) + f"{ten}{eleven}"


def china(rng):
    b = Birth(rng)
    region = rng.choice(["110101", "310104", "440305", "330106", "510107", "420111", "500112"])
    body = f"{region}{b.year}{b.mm}{b.dd}{rng.randint(1, 999):03}"
    return body + "10X98765432"[weighted(body, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11]


def korea(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.mm}{b.dd}{rng.choice('12' if b.year < 2000 else '34')}{number(rng, 5, '0123456789')}"
    check = (11 - weighted(body, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10
    return f"{body[:6]}-{body[6:]}{check}"


def japan(rng):
    body = number(rng, 11)
    rest = sum(int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(body), 1)) % 11
    return body + str(0 if rest <= 1 else 11 - rest)


D = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6], [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
     [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1], [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
     [8, 7, 6, 5, 9, 3, 2, 1, 0, 4], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]  # fmt: skip
P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    P.append([P[-1][P[1][i]] for i in range(10)])


def verhoeff(digits):
    c = 0
    for place, digit in enumerate(reversed(digits), 1):
        c = D[c][P[place % 8][int(digit)]]
    return str(D[c].index(0))


def india(rng):
    body = number(rng, 11, "23456789")
    body += verhoeff(body)
    return rng.choice([body, f"{body[:4]} {body[4:8]} {body[8:]}"])


def britain(rng):
    # NHS number.
    while True:
        body = number(rng, 9, "4567")
        check = -weighted(body, range(10, 1, -1)) % 11
        if check < 10:
            return rng.choice([f"{body}{check}", f"{body[:3]} {body[3:6]} {body[6:]}{check}"])


def britain_nino(rng):
    # No check digit, but a closed set of prefixes and suffixes.
    prefix = rng.choice(["AB", "CE", "HJ", "JK", "LM", "NX", "PR", "SY", "WE", "YZ"])
    d = number(rng, 6, "0123456789")
    return rng.choice([f"{prefix}{d}{'ABCD'[int(d) % 4]}", f"{prefix} {d[:2]} {d[2:4]} {d[4:]} {'ABCD'[int(d) % 4]}"])


def australia(rng):
    # Tax file number.
    while True:
        body = number(rng, 9)
        if weighted(body, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0:
            return rng.choice([body, f"{body[:3]} {body[3:6]} {body[6:]}"])


def canada(rng):
    body = number(rng, 8, "1234567")
    body += luhn(body)
    return rng.choice([body, f"{body[:3]}-{body[3:6]}-{body[6:]}", f"{body[:3]} {body[3:6]} {body[6:]}"])


def ean_check(body):
    return str(-sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(body)) % 10)


def switzerland(rng):
    body = "756" + number(rng, 9, "0123456789")
    body += ean_check(body)
    return rng.choice([f"{body[:3]}.{body[3:7]}.{body[7:11]}.{body[11:]}", body])


def austria(rng):
    while True:
        b = Birth(rng)
        serial = str(rng.randint(100, 999))
        check = weighted(serial + b.dd + b.mm + b.yy, [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11
        if check < 10:
            return rng.choice([f"{serial}{check} {b.dd}{b.mm}{b.yy}", f"{serial}{check}{b.dd}{b.mm}{b.yy}"])


def czechia(rng):
    while True:
        b = Birth(rng)
        if b.year < 1954:
            continue
        body = f"{b.yy}{b.month + rng.choice([0, 50]):02}{b.dd}{rng.randint(1, 999):03}"
        check = int(body) % 11
        if check < 10:
            return f"{body[:6]}/{body[6:]}{check}"


def romania(rng):
    b = Birth(rng)
    body = f"{rng.choice('12' if b.year < 2000 else '56')}{b.yy}{b.mm}{b.dd}{rng.randint(1, 46):02}{rng.randint(1, 999):03}"
    check = weighted(body, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
    return body + str(1 if check == 10 else check)


def bulgaria(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.month + (40 if b.year >= 2000 else 0):02}{b.dd}{rng.randint(1, 999):03}"
    return body + str(weighted(body, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10)


def croatia(rng):
    body, product = number(rng, 10), 10
    for d in body:
        total = (int(d) + product) % 10 or 10
        product = total * 2 % 11
    return body + str((11 - product) % 10)


def estonia(rng):
    b = Birth(rng)
    body = f"{rng.choice('34' if b.year < 2000 else '56')}{b.yy}{b.mm}{b.dd}{rng.randint(1, 999):03}"
    check = weighted(body, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
    if check == 10:
        check = weighted(body, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10
    return body + str(check)


def greece(rng):
    body = number(rng, 8)
    return body + str(weighted(body, [256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10)


def ireland(rng):
    body = number(rng, 7)
    suffix = rng.choice(["", "A", "B"])
    total = weighted(body, range(8, 1, -1)) + (LETTERS.index(suffix) + 1) * 9 if suffix else weighted(body, range(8, 1, -1))
    return body + ("W" + LETTERS)[total % 23] + suffix


def south_africa(rng):
    b = Birth(rng)
    body = f"{b.yy}{b.mm}{b.dd}{rng.randint(0, 9999):04}08"
    return body + luhn(body)


def israel(rng):
    body = number(rng, 8)
    # Doubles every second digit from the left, which for nine digits is Luhn.
    return body + luhn(body)


def singapore(rng):
    prefix = rng.choice("STFG")
    body = number(rng, 7, "0123456789")
    total = weighted(body, [2, 7, 6, 5, 4, 3, 2]) + (4 if prefix in "TG" else 0)
    return prefix + body + ("JZIHGFEDCBA" if prefix in "ST" else "XWUTRQPNMLK")[total % 11]


def hong_kong(rng):
    letter, body = rng.choice(LETTERS), number(rng, 6, "0123456789")
    total = 36 * 9 + (LETTERS.index(letter) + 10) * 8 + weighted(body, range(7, 1, -1))
    return f"{letter}{body}({'0123456789A'[-total % 11]})"


def taiwan(rng):
    order = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
    letter = rng.choice("ABCDEFGHKNT")
    code = order.index(letter) + 10
    body = rng.choice("12") + number(rng, 7, "0123456789")
    total = code // 10 + code % 10 * 9 + weighted(body, range(8, 0, -1))
    return f"{letter}{body}{-total % 10}"


def thailand(rng):
    body = number(rng, 12, "12345678")
    plain = body + str((11 - weighted(body, range(13, 1, -1)) % 11) % 10)
    return rng.choice([plain, f"{plain[0]}-{plain[1:5]}-{plain[5:10]}-{plain[10:12]}-{plain[12]}"])


def chile(rng):
    body = str(rng.randint(5_000_000, 24_999_999))
    rest = 11 - sum(int(d) * (2 + n % 6) for n, d in enumerate(reversed(body))) % 11
    check = {11: "0", 10: "K"}.get(rest, str(rest))
    return rng.choice([f"{int(body):,}-{check}".replace(",", "."), f"{body}-{check}"])


def argentina(rng):
    while True:
        body = rng.choice(["20", "23", "27"]) + str(rng.randint(10_000_000, 44_999_999))
        check = -weighted(body, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        if check < 10:
            return rng.choice([f"{body[:2]}-{body[2:]}-{check}", f"{body}{check}"])


def mexico(rng):
    b = Birth(rng)
    consonants = "BCDFGHJKLMNPQRSTVXYZ"
    head = rng.choice(consonants) + rng.choice("AEIOU") + rng.choice(consonants) + rng.choice(consonants)
    body = f"{head}{b.yy}{b.mm}{b.dd}{rng.choice('HM')}{rng.choice(['DF', 'JC', 'NL', 'PL', 'YN'])}"
    body += "".join(rng.choice(consonants) for _ in range(3)) + ("A" if b.year >= 2000 else "0")
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    return body + str(-sum(alphabet.index(c) * (18 - n) for n, c in enumerate(body)) % 10)


# Code of the country: what makes an id.
MAKERS = {
    "DE": germany, "FR": france, "ES": spain, "IT": italy, "NL": netherlands, "BE": belgium, "PL": poland, "PT": portugal,
    "BR": brazil, "SE": sweden, "NO": norway, "DK": denmark, "FI": finland, "TR": turkey, "CN": china, "KR": korea, "JP": japan,
    "IN": india, "GB": britain, "GB_NINO": britain_nino, "AU": australia, "CA": canada, "CH": switzerland, "AT": austria,
    "CZ": czechia, "RO": romania, "BG": bulgaria, "HR": croatia, "EE": estonia, "GR": greece, "IE": ireland, "ZA": south_africa,
    "IL": israel, "SG": singapore, "HK": hong_kong, "TW": taiwan, "TH": thailand, "CL": chile, "AR": argentina, "MX": mexico,
}  # fmt: skip
