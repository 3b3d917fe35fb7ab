"""One invented person with everything that belongs to them, in the spellings of their country."""

import ipaddress
import re
import unicodedata

import phonenumbers
from faker import Factory
from phonenumbers import PhoneNumberFormat, PhoneNumberType

import credentials
import money
import national

# Faker has English streets for these: own ones instead.
STREETS = {
    "ar_SA": (["شارع الملك فهد", "شارع العليا", "طريق الأمير سلطان", "شارع التحلية"], ["الرياض", "جدة", "الدمام", "المدينة المنورة"]),
    "tr_TR": (["Atatürk Caddesi", "Bağdat Caddesi", "İstiklal Sokak", "Cumhuriyet Bulvarı"], ["Eskişehir", "Beyoğlu", "Çankaya", "Kadıköy"]),
    "ja_JP": (["千代田区丸の内", "中区栄", "北区梅田", "青葉区国分町"], ["名古屋市", "大阪市", "仙台市", "横浜市"]),
    "fr_BE": (["rue du Midi", "avenue Louise", "chaussée de Wavre", "rue Haute"], ["Charleroi", "Namur", "Ixelles", "Tournai"]),
    "ko_KR": (["서초대로", "테헤란로", "강남대로", "올림픽로"], ["수원시", "성남시", "부산광역시", "대전광역시"]),
}
FAMILY_FIRST = {"ja_JP", "zh_CN", "zh_TW", "ko_KR", "hu_HU"}
UNSPACED = {"ja_JP", "zh_CN", "zh_TW", "ko_KR"}
CALLING = {"1": "001", "44": "0044"}
MOBILE = ("MOBILE", "FIXED_LINE")
LATIN = {"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "ı": "i"}
PAST_YEARS = (1942, 2004)

_generators = {}


def faker(locale, rng):
    if locale not in _generators:
        _generators[locale] = Factory.create(locale)
    _generators[locale].random = rng
    return _generators[locale]


def ascii_slug(text):
    text = "".join(LATIN.get(c, c) for c in text.lower())
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", text)


def phone_number(rng, region):
    """A valid number of the plan of `region`, outside what plans keep for fiction."""
    util = phonenumbers
    kind = getattr(PhoneNumberType, rng.choice(MOBILE))
    example = util.example_number_for_type(region, kind) or util.example_number(region)
    text = util.national_significant_number(example)
    for _ in range(200):
        keep = rng.choice([2, 3, 3, 4])
        tail = "".join(rng.choice("0123456789") for _ in range(len(text) - keep))
        digits = text[:keep] + tail
        if region in {"US", "CA"}:
            area = {"US": ["212", "415", "617", "303", "206"], "CA": ["416", "604", "514"]}[region]
            digits = rng.choice(area) + str(rng.randint(2, 9)) + tail[:2] + tail[-4:]
            digits = (digits + "7352")[:10]
            if digits[3:6] == "555":
                continue
        # Ranges that the British regulator keeps for drama, and the like.
        if digits.startswith(("2079460", "7700900", "1144960", "1632960", "8081570", "9098790", "491570", "55500")):
            continue
        number = util.PhoneNumber(country_code=example.country_code, national_number=int(digits))
        if example.italian_leading_zero and digits.startswith("0"):
            number.italian_leading_zero = True
        if util.is_valid_number(number):
            return number
    return example


class Person:
    """Values are made when first asked for, then stay. `locale` is Faker's."""

    def __init__(self, rng, locale, domains):
        self.rng, self.locale, self.domains = rng, locale, domains
        self.country = locale[3:]
        self.made = {}

    def once(self, name, make):
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def fake(self):
        return faker(self.locale, self.rng)

    # Names

    def first(self):
        return self.once("first", lambda: self._word(self.fake.first_name))

    def last(self):
        return self.once("last", lambda: self._word(self.fake.last_name))

    def _word(self, make):
        for _ in range(50):
            text = make()
            if len(text) >= (2 if self.locale in UNSPACED else 4):
                return text
        return text

    def full(self):
        parts = [self.last(), self.first()] if self.locale in FAMILY_FIRST else [self.first(), self.last()]
        return ("" if self.locale in UNSPACED else " ").join(parts)

    def reversed(self):
        return f"{self.last()}, {self.first()}"

    def username(self):
        def make():
            a, b = ascii_slug(self.first()), ascii_slug(self.last())
            if len(a) < 2 or len(b) < 3:
                a, b = self.rng.choice(["lumen", "kite", "rover", "pixel"]), self.rng.choice(["fox", "tree", "star"])
            return self.rng.choice([f"{a[0]}{b}{self.rng.randint(10, 99)}", f"{a}_{b}{self.rng.randint(1, 9)}", f"{b}.{a[0]}{self.rng.randint(1960, 2009)}"])

        return self.once("username", make)

    def email(self):
        def make():
            r, a, b = self.rng, ascii_slug(self.first()), ascii_slug(self.last())
            if len(a) < 2 or len(b) < 3:
                a, b = r.choice(["user", "sakura", "river", "moon"]), r.choice(["lee", "sky", "wave"]) + str(r.randint(10, 9999))
            local = r.choice([f"{a}.{b}", f"{a}.{b}{r.randint(1, 99)}", f"{a[0]}{b}{r.randint(10, 999)}", f"{b}-{a}", f"{a}_{b}", f"{a}+{r.choice(['shop', 'news', 'bank'])}{r.randint(1, 99)}"])
            if r.random() < 0.08:
                local = local.title()
            return f"{local}@{r.choice(self.domains)}"

        return self.once("email", make)

    # Places

    def street(self):
        def make():
            if self.locale in STREETS:
                return f"{self.rng.choice(STREETS[self.locale][0])} {self.rng.randint(1, 240)}"
            return " ".join(self.fake.street_address().split())

        return self.once("street", make)

    def city(self):
        def make():
            if self.locale in STREETS:
                return self.rng.choice(STREETS[self.locale][1])
            return self._word(self.fake.city)

        return self.once("city", make)

    def postcode(self):
        return self.once("postcode", lambda: self.fake.postcode())

    def one_line(self):
        if self.country in {"US", "GB", "CA", "AU", "IN"}:
            return f"{self.street()}, {self.city()}, {self.postcode()}"
        return f"{self.street()}, {self.postcode()} {self.city()}"

    # Contact

    def phone(self, form):
        number = self.once("phone", lambda: phone_number(self.rng, self.country))
        util = phonenumbers
        e164 = util.format_number(number, PhoneNumberFormat.E164)
        intl = util.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        return {
            "e164": lambda: e164,
            "intl": lambda: intl,
            "national": lambda: util.format_number(number, PhoneNumberFormat.NATIONAL),
            "uri": lambda: util.format_number(number, PhoneNumberFormat.RFC3966),
            "zeros": lambda: "00" + intl[1:],
            "dots": lambda: re.sub(r"[ \-()]+", ".", intl),
            "trunk": lambda: re.sub(r"^(\+\d+) ", r"\1 (0)", intl) if self.country in {"DE", "GB", "NL", "AT", "CH", "FR", "SE"} else intl,
            "plain": lambda: e164[1:],
        }[form]()

    def ip4(self):
        def make():
            while True:
                ip = ipaddress.IPv4Address(self.rng.randint(0x02000000, 0xDFFFFFFF))
                # 198.18.0.0/15 and the documentation ranges are not global either.
                if ip.is_global and all(len(part) > 1 for part in str(ip).split(".")[:2]):
                    return str(ip)

        return self.once("ip4", make)

    def ip6(self):
        def make():
            prefix = self.rng.choice([0x2A02, 0x2600, 0x2A00, 0x2804, 0x2400, 0x2601])
            words = [prefix] + [self.rng.randint(0x100, 0xFFFF) for _ in range(7)]
            if self.rng.random() < 0.5:
                for at in range(4, self.rng.choice([6, 7, 8])):
                    words[at] = 0
            whole = ":".join(f"{w:04x}" for w in words)
            return whole if self.rng.random() < 0.15 else str(ipaddress.IPv6Address(whole))

        return self.once("ip6", make)

    # Papers

    def born(self, form):
        year, month, day = self.once("born", lambda: (self.rng.randint(*PAST_YEARS), self.rng.randint(1, 12), self.rng.randint(1, 28)))
        return {
            "iso": f"{year}-{month:02}-{day:02}",
            "us": f"{month:02}/{day:02}/{year}",
            "dots": f"{day:02}.{month:02}.{year}",
            "slash": f"{day:02}/{month:02}/{year}",
            "compact": f"{year}{month:02}{day:02}",
            "instant": f"{year}-{month:02}-{day:02}T00:00:00Z",
        }[form]

    def passport(self):
        def make():
            r, n = self.rng, national.number
            return r.choice([
                lambda: n(r, 9),
                lambda: r.choice("CFGHJK") + "".join(r.choice("0123456789CFGHJKLMNPRTVWXYZ") for _ in range(7)) + r.choice("0123456789"),
                lambda: f"{n(r, 2, '0123456789')}{r.choice('ABCDEFGHJ')}{r.choice('ABCDEFGHJ')}{n(r, 5)}",
                lambda: r.choice("ABEGKNPZ") + n(r, 8),
                lambda: r.choice("ABCXY") + r.choice("ABCFGH") + n(r, 7),
                lambda: r.choice("KLMPRSZ") + n(r, 7),
            ])()  # fmt: skip

        return self.once("passport", make)

    def licence(self):
        def make():
            r, n = self.rng, national.number
            surname = (ascii_slug(self.last()).upper() + "99999")[:5]
            return r.choice([
                lambda: r.choice("ABDFGHKNRSY") + n(r, 7),
                lambda: f"{r.choice('BDFLMSW')}{n(r, 3)}-{n(r, 4)}-{n(r, 4)}",
                lambda: f"{surname}{r.randint(4, 9)}{r.randint(1, 12):02}{r.randint(1, 28):02}{r.randint(1, 9)}{r.choice('ABJKM')}9{r.choice('ABCDEF')}{r.choice('GHJKL')}",
                lambda: f"{r.choice('BCEFJK')}{n(r, 3)}{r.choice('ACEHKR')}{n(r, 4)}{r.choice('ABCDE')}{n(r, 1)}",
                lambda: n(r, 10),
            ])()  # fmt: skip

        return self.once("licence", make)

    def national_id(self, country, known):
        """That of `country`, or else of the person's own if it is among `known`."""
        country = country or (self.country if self.country in known else self.rng.choice(known))
        return self.once(f"natid {country}", lambda: national.MAKERS[country](self.rng)), country

    # Money

    def card(self):
        return self.once("card", lambda: money.card(self.rng))

    def iban(self):
        country = self.country if self.country in money.IBANS else self.rng.choice(sorted(money.IBANS))
        return self.once("iban", lambda: money.iban(self.rng, country))

    def password(self):
        return self.once("password", lambda: credentials.password(self.rng))
