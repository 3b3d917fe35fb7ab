"""Harmless values that look like personal ones, of the kinds that redactors are known to alter."""

import base64
import json
import string
import time
import uuid

from credentials import BASE62, HEX, some
from national import ean_check, luhn, number

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Seconds between which instants lie: 2019 to 2026.
SPAN = (1_546_300_800, 1_790_000_000)
RECENT = (1_600_000_000, 1_790_000_000)


def at(rng):
    return rng.randint(*SPAN)


def hexes(rng, length):
    return some(rng, HEX, length)


def stamped_uuid(rng):
    millis = at(rng) * 1000 + rng.randint(0, 999)
    n = millis << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=n))


def ulid(rng):
    n = (at(rng) * 1000) << 80 | rng.getrandbits(80)
    return "".join(CROCKFORD[n >> 5 * (25 - i) & 31] for i in range(26))


def timestamp(rng):
    t = time.gmtime(at(rng))
    base = time.strftime("%Y-%m-%dT%H:%M:%S", t)
    fraction = f".{rng.randint(0, 999):03}"
    return rng.choice([base + "Z", base + fraction + "Z", base + "+02:00", f"{base}.{rng.randint(0, 999999):06}Z", base.replace("T", " "), base + fraction + "-0500"])


def http_date(rng):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(at(rng)))


def day(rng):
    return time.strftime(rng.choice(["%Y-%m-%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"]), time.gmtime(at(rng)))


def version3(rng):
    return f"{rng.randint(0, 30)}.{rng.randint(0, 99)}.{rng.randint(0, 400)}" + rng.choice(["", "", "-rc.1", "-beta", "+build.77"])


def version4(rng):
    """Could be an address; only its name tells."""
    if rng.random() < 0.3:
        return wide_version(rng)
    return rng.choice([f"{rng.randint(1, 30)}.{rng.randint(0, 20)}.{rng.randint(0, 99)}.{rng.randint(0, 255)}", ".".join(str(rng.randint(1, 254)) for _ in range(4))])


def wide_version(rng):
    """Cannot be an address."""
    return rng.choice([f"{rng.randint(90, 140)}.0.{rng.randint(1000, 7000)}.{rng.randint(10, 250)}", f"{rng.randint(2, 16)}.{rng.randint(0, 9)}.{rng.randint(10000, 40000)}.{rng.randint(300, 4000)}"])


def agent(rng):
    chrome = f"{rng.randint(90, 140)}.0.{rng.randint(1000, 7000)}.{rng.randint(10, 250)}"
    return rng.choice([
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome} Safari/537.36",
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_{rng.randint(0, 6)} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{rng.randint(0, 6)} Mobile/15E148 Safari/604.1",
        f"okhttp/4.{rng.randint(1, 12)}.{rng.randint(0, 3)}",
        f"python-requests/2.{rng.randint(20, 32)}.{rng.randint(0, 3)}",
        f"PostmanRuntime/7.{rng.randint(20, 45)}.{rng.randint(0, 9)}",
    ])  # fmt: skip


def tracking(rng):
    return rng.choice([
        lambda: "1Z" + some(rng, string.digits + string.ascii_uppercase, 6) + number(rng, 10),
        lambda: "JJD" + number(rng, 18, "0123456789"),
        lambda: "RR" + number(rng, 9) + "DE",
        lambda: "94" + number(rng, 20, "0123456789"),
        lambda: number(rng, 12, "789"),
    ])()  # fmt: skip


def luhn16(rng):
    """Passes Luhn; no issuer has such numbers."""
    body = rng.choice("178") + number(rng, 14, "0123456789")
    return body + luhn(body)


def id16(rng):
    while True:
        n = number(rng, 16, "789")
        if luhn(n[:-1]) != n[-1]:
            return n


def isbn(rng):
    body = rng.choice(["978", "979"]) + number(rng, 9)
    n = body + ean_check(body)
    return rng.choice([n, n, f"{n[:3]}-{n[3]}-{n[4:7]}-{n[7:12]}-{n[12]}"])


def gtin(rng):
    body = rng.choice(["40", "50", "76", "87", "301"]) + number(rng, 9)
    body = (body + "12")[:12]
    return body + ean_check(body)


def float_literal(rng):
    """Literals that a parse and a print would change."""
    return rng.choice([f"{rng.randint(1, 900)}.{rng.randint(1, 9)}0", f"{rng.randint(1, 9)}.{rng.randint(1, 99):02}E+{rng.randint(2, 9)}",
                       f"{rng.randint(10, 99)}.0000", f"-0.{rng.randint(1, 9)}00", f"{rng.randint(1, 9)}e{rng.randint(3, 12)}"])  # fmt: skip


def sku(rng):
    n = lambda k: number(rng, k)  # noqa: E731
    return rng.choice([f"{n(3)}-{n(3)}-{n(4)}-{rng.choice(['XL', 'BLK', 'R2'])}", f"SKU-{n(3)}-{n(4)}", f"{n(2)}-{n(4)}-{n(4)}A", f"ART{n(3)}.{n(3)}.{n(3)}"])


PATHS = ["/var/lib/orders/{}/batch.json", "C:\\Reports\\{}\\summary.xlsx", "/srv/app/releases/{}/main.py", "exports/{}/totals.parquet"]
URLS = ["https://cdn.{}.com/assets/{}/logo.svg", "https://docs.{}.io/v{}/guide#limits", "https://api.{}.net/v2/catalog/{}?page=3&sort=asc", "https://{}.eu/terms-{}.html"]
HOSTS = "ridgeline northfold quaylight brightmere oakhollow tidepool ironvale".split()


def cursor(rng):
    """Base64 of JSON in which nothing is personal."""
    return base64.b64encode(json.dumps({"page": rng.randint(2, 90), "after": rng.randint(10_000, 99_999), "sort": "created"}).encode()).decode()


def blob(rng):
    return base64.b64encode(rng.choice([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0"]) + rng.randbytes(rng.randint(30, 90))).decode()


def pick(words):
    words = words.split("|")
    return lambda rng: rng.choice(words)


# Kind: maker of its text. `names` under the key `name` are each family's own (see the families).
TEXT = {
    "uuid v1": lambda r: str(uuid.UUID(fields=(r.getrandbits(32), r.getrandbits(16), 0x11EE | r.getrandbits(8) & 3, 0x80 | r.getrandbits(6), r.getrandbits(8), r.getrandbits(48)))),
    "uuid v4": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "uuid v7": stamped_uuid,
    "ulid": ulid,
    "objectid": lambda r: f"{at(r):08x}{hexes(r, 16)}",
    "hex 32": lambda r: hexes(r, 32),
    "hex 40": lambda r: hexes(r, 40),
    "hex 64": lambda r: hexes(r, 64),
    "iso timestamp": timestamp,
    "http date": http_date,
    "epoch s": lambda r: str(r.randint(*RECENT)),
    "epoch ms": lambda r: str(r.randint(*RECENT) * 1000 + r.randint(0, 999)),
    "epoch us": lambda r: str(r.randint(*RECENT) * 1_000_000 + r.randint(0, 999_999)),
    "date": day,
    "version 3": version3,
    "version 4": version4,
    "version 4.wide": wide_version,
    "user agent": agent,
    "order number": lambda r: r.choice([f"ORD-{number(r, 8)}", f"SO{number(r, 7)}", f"{number(r, 3)}-{number(r, 7)}-{number(r, 7)}", f"#{number(r, 6)}", f"PO/{r.randint(2020, 2026)}/{number(r, 6)}"]),
    "invoice number": lambda r: r.choice([f"INV-{r.randint(2020, 2026)}-{number(r, 5)}", f"RE{number(r, 8)}", f"{some(r, string.digits + 'ABCDEF', 8)}-{number(r, 4)}"]),
    "tracking number": tracking,
    "id of 9 digits": lambda r: number(r, 9),
    "id of 10 digits": lambda r: number(r, 10),
    "id of 12 digits": lambda r: number(r, 12),
    "id of 16 digits": id16,
    "id of 16 digits, Luhn": luhn16,
    "vendor id": lambda r: r.choice(["pi_3", "ch_3", "evt_1", "txn_", "req_", "sub_1", "prod_"]) + some(r, BASE62, 22),
    "isbn": isbn,
    "gtin": gtin,
    "coordinate": lambda r: f"{r.choice(['', '-'])}{r.randint(10, 89)}.{number(r, r.choice([6, 13, 14]))}",
    "price": lambda r: f"{r.randint(100, 99999)}.{r.randint(1, 99):02}",
    "float literal": float_literal,
    "big integer": lambda r: number(r, r.choice([17, 18, 19]), "9"),
    "amount": lambda r: str(r.randint(1000, 9_999_999)),
    "sku": sku,
    "currency": pick("EUR|USD|GBP|SEK|PLN|JPY|CHF|BRL"),
    "locale": pick("de-DE|en_US|fr-CA|pt-BR|zh-Hans-CN|sv_SE"),
    "time zone": pick("Europe/Berlin|America/Sao_Paulo|Asia/Tokyo|America/New_York|UTC+05:30"),
    "mime type": pick("application/pdf|image/jpeg|text/csv|application/vnd.api+json|application/octet-stream"),
    "etag": lambda r: r.choice(['"{}"', 'W/"{}"']).format(hexes(r, 32)),
    "hex colour": lambda r: "#" + some(r, HEX, 6),
    "git commit": lambda r: hexes(r, 40),
    "file path": lambda r: r.choice(PATHS).format(f"{r.randint(2020, 2026)}-{r.randint(1, 12):02}"),
    "status": pick("succeeded|requires_capture|IN_TRANSIT|pending_review|CLEARED|partially_refunded|awaiting_pickup|DECLINED"),
    "country code": pick("DE|FRA|US|GBR|NL|ESP|IT|SWE"),
    "unit": pick("KGM|mmol/L|lbs|cm³|kWh|°C|pcs"),
    "binary as base64": blob,
    "cursor": cursor,
    "version range": lambda r: r.choice(["^1.2.3", ">=2.0.0 <3.0.0", "~4.17.21", "1.x || >=2.5.0"]),
    "cron": pick("*/5 * * * *|0 0 1 1 *|15 3 * * 1-5|0 12 */2 * ?|@every 1h30m"),
    "url": lambda r: r.choice(URLS).format(r.choice(HOSTS), r.randint(10, 9999)),
    "trace context": lambda r: f"00-{hexes(r, 32)}-{hexes(r, 16)}-01",
    "event": pick("customer.subscription.updated|payment_intent.succeeded|OrderShipped|user.signup.completed|invoice.finalized|KYC_CHECK_PASSED"),
    "boolean as text": pick("true|false|yes|TRUE"),
    "ratio": lambda r: f"0.{number(r, 16)}",
    "queue": lambda r: f"arn:aws:sqs:eu-west-1:{number(r, 12)}:{r.choice(HOSTS)}-events",
    "duration": pick("PT1H30M|P3DT4H|PT45.5S|P1Y2M10D"),
    "request id": lambda r: f"{some(r, string.ascii_uppercase + string.digits, 8)}:{hexes(r, 8)}/{number(r, 5)}",
}  # fmt: skip
# Those that may also stand as numbers.
NUMERIC = {"epoch s", "epoch ms", "epoch us", "id of 9 digits", "id of 10 digits", "id of 12 digits", "id of 16 digits",
           "id of 16 digits, Luhn", "coordinate", "price", "float literal", "big integer", "amount", "gtin", "ratio"}  # fmt: skip


