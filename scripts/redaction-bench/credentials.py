"""Passwords, vendor keys in their published shapes, opaque tokens, JWT, private keys. All values are invented."""

import base64
import json
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
URLSAFE = BASE62 + "-_"
HEX = "0123456789abcdef"


def some(rng, alphabet, length):
    """Random characters; with a digit and a letter where the alphabet has both and the length allows it."""
    mixed = length >= 6 and any(c.isdigit() for c in alphabet) and any(c.isalpha() for c in alphabet)
    while True:
        out = "".join(rng.choice(alphabet) for _ in range(length))
        if not mixed or (any(c.isdigit() for c in out) and any(c.isalpha() for c in out)):
            return out


def github(rng, prefix):
    body = some(rng, BASE62, 30)
    n, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        n, rest = divmod(n, 62)
        check = BASE62[rest] + check
    return f"{prefix}{body}{check}"


UPPER32 = string.ascii_uppercase + "234567"
VENDORS = {
    "aws": lambda r: "AKIA" + some(r, UPPER32, 16),
    "aws-session": lambda r: "ASIA" + some(r, UPPER32, 16),
    "github": lambda r: github(r, r.choice(["ghp_", "gho_", "ghs_"])),
    "github-fine": lambda r: f"github_pat_{some(r, BASE62, 22)}_{some(r, BASE62, 59)}",
    "gitlab": lambda r: "glpat-" + some(r, URLSAFE, 20),
    "slack-bot": lambda r: f"xoxb-{r.randint(10**11, 10**12)}-{r.randint(10**11, 10**12)}-{some(r, BASE62, 24)}",
    "slack-user": lambda r: f"xoxp-{r.randint(10**10, 10**11)}-{r.randint(10**10, 10**11)}-{r.randint(10**11, 10**12)}-{some(r, HEX, 32)}",
    "slack-hook": lambda r: f"https://hooks.slack.com/services/T{some(r, BASE62.upper(), 8)}/B{some(r, BASE62.upper(), 10)}/{some(r, BASE62, 24)}",
    "stripe": lambda r: r.choice(["sk_live_", "rk_live_"]) + some(r, BASE62, 24),
    "stripe-hook": lambda r: "whsec_" + some(r, BASE62, 32),
    "google": lambda r: "AIza" + some(r, URLSAFE, 35),
    "google-oauth": lambda r: "GOCSPX-" + some(r, URLSAFE, 28),
    "sendgrid": lambda r: f"SG.{some(r, URLSAFE, 22)}.{some(r, URLSAFE, 43)}",
    "twilio": lambda r: "SK" + some(r, HEX, 32),
    "npm": lambda r: github(r, "npm_"),
    "pypi": lambda r: "pypi-AgEIcHlwaS5vcmc" + some(r, URLSAFE, 70),
    "shopify": lambda r: r.choice(["shpat_", "shpss_"]) + some(r, HEX, 32),
    "digitalocean": lambda r: "dop_v1_" + some(r, HEX, 64),
    "openai": lambda r: f"sk-proj-{some(r, BASE62, 20)}T3BlbkFJ{some(r, BASE62, 20)}",
    "anthropic": lambda r: f"sk-ant-api03-{some(r, URLSAFE, 93)}AA",
    "telegram": lambda r: f"{r.randint(10**8, 10**10 - 1)}:AA{some(r, URLSAFE, 33)}",
    "mailgun": lambda r: "key-" + some(r, HEX, 32),
    "square": lambda r: "sq0atp-" + some(r, URLSAFE, 22),
    "databricks": lambda r: "dapi" + some(r, HEX, 32),
    "huggingface": lambda r: "hf_" + some(r, string.ascii_letters, 34),
    "vault": lambda r: "hvs." + some(r, URLSAFE, 96),
    "linear": lambda r: "lin_api_" + some(r, BASE62, 40),
    "postman": lambda r: f"PMAK-{some(r, HEX, 24)}-{some(r, HEX, 34)}",
    "newrelic": lambda r: "NRAK-" + some(r, string.digits + string.ascii_uppercase, 27),
    "grafana": lambda r: f"glsa_{some(r, BASE62, 32)}_{some(r, HEX, 8)}",
    "atlassian": lambda r: f"ATATT3xFfGF0{some(r, URLSAFE, 171)}={some(r, HEX.upper(), 8)}",
    "airtable": lambda r: f"pat{some(r, BASE62, 14)}.{some(r, HEX, 64)}",
    "doppler": lambda r: "dp.pt." + some(r, BASE62, 43),
    "mapbox": lambda r: f"sk.eyJ{some(r, BASE62, 60)}.{some(r, URLSAFE, 22)}",
    "facebook": lambda r: "EAACEdEose0cBA" + some(r, BASE62, 80),
    "notion": lambda r: "ntn_" + some(r, BASE62, 46),
    "sentry": lambda r: f"sntryu_{some(r, HEX, 64)}",
    "rubygems": lambda r: "rubygems_" + some(r, HEX, 48),
    "flutterwave": lambda r: f"FLWSECK-{some(r, HEX, 32)}-X",
    "brevo": lambda r: f"xkeysib-{some(r, HEX, 64)}-{some(r, BASE62, 16)}",
    "razorpay": lambda r: "rzp_live_" + some(r, BASE62, 14),
    "mercadopago": lambda r: f"APP_USR-{r.randint(10**15, 10**16 - 1)}-{r.randint(100000, 999999)}-{some(r, HEX, 32)}-{r.randint(10**8, 10**9)}",
}  # fmt: skip


def token(rng):
    shape = rng.randint(0, 4)
    if shape == 0:
        return some(rng, HEX, rng.choice([32, 40, 64]))
    if shape == 1:
        return some(rng, URLSAFE, rng.choice([43, 22, 32]))
    if shape == 2:
        return base64.b64encode(rng.randbytes(rng.choice([24, 32, 48]))).decode()
    if shape == 3:
        return "-".join([some(rng, HEX, 8), some(rng, HEX, 4), "4" + some(rng, HEX, 3), "a" + some(rng, HEX, 3), some(rng, HEX, 12)])
    return some(rng, BASE62, rng.choice([24, 28, 36, 48]))


WORDS = "Sommer Tiger Monsoon Kettle Falcon Velvet Harbor Nimbus Cobalt Juniper Marble Tundra Walnut Saffron Comet".split()


def password(rng):
    word = rng.choice(WORDS)
    return rng.choice([
        lambda: f"{word}{rng.randint(1950, 2030)}!{some(rng, BASE62, 3)}",
        lambda: f"{some(rng, BASE62, 6)}&{word}<{rng.randint(10, 99)}",
        lambda: some(rng, BASE62 + "!#$%*+?@^", 14),
        lambda: f"{word.lower()}-{rng.choice(WORDS).lower()}-{rng.randint(100, 999)}",
        lambda: f'{word}"{some(rng, BASE62, 7)}',
        lambda: f"{word[:4]}é{some(rng, BASE62, 6)}ß",
    ])()  # fmt: skip


def plain_password(rng):
    """One that needs no escaping anywhere."""
    return f"{rng.choice(WORDS)}{some(rng, BASE62, 7)}"


def urlsafe(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(rng, claims):
    head = urlsafe(json.dumps({"alg": rng.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}, separators=(",", ":")).encode())
    payload = urlsafe(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{head}.{payload}.{urlsafe(rng.randbytes(rng.choice([32, 64])))}"


def private_key(rng):
    kind = rng.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
    text = base64.b64encode(b"\x30\x82" + rng.randbytes(rng.choice([118, 238, 318]))).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"]), lines
