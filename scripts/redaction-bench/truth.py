"""What a body holds and must lose (planted values), what it holds and must keep (negatives), and the body itself."""

import json
import re
from dataclasses import asdict, dataclass, field

# Types whose values differ only by separators and by case in their spellings, so that they are compared without them.
SEPARATED = {"CARD", "IBAN", "ABA", "BANK_ACCOUNT", "US_SSN", "PHONE", "NATIONAL_ID", "VAT_ID", "PASSPORT", "DRIVER_LICENCE"}
# A checksum or a fixed range proves these: nothing excuses a leak.
CHECKED = {"CARD", "IBAN", "ABA", "US_SSN", "NATIONAL_ID"}
CREDENTIALS = {"PASSWORD", "API_KEY", "TOKEN", "JWT", "BASIC_AUTH", "PRIVATE_KEY"}
NAMES_AND_PLACES = {"PERSON", "ADDRESS", "CITY", "POSTCODE"}
# Places that give a value no name.
NAMELESS = {"opaque", "object key", "text", "html text", "url path"}
# Kinds of negatives of which none at all may be altered.
UNTOUCHABLE = {
    "uuid v1", "uuid v4", "uuid v7", "ulid", "objectid", "hex 32", "hex 40", "hex 64", "iso timestamp", "http date", "epoch s",
    "epoch ms", "epoch us", "version 3", "version 4", "git commit",
}  # fmt: skip


@dataclass
class Planted:
    """A value that must not be readable in the output. `spellings` are other texts that would give it away."""

    type: str
    value: str
    placement: str
    field: str
    detail: str = ""
    spellings: list = field(default_factory=list)

    @property
    def named(self):
        return self.placement not in NAMELESS


@dataclass
class Negative:
    """A harmless value that must still be there."""

    kind: str
    value: str
    placement: str
    field: str


@dataclass
class Body:
    """`kind` says how the body is checked for damage; `charset` how its text becomes bytes."""

    id: str
    family: str
    kind: str
    content_type: str
    text: str
    planted: list
    negatives: list
    charset: str = "utf-8"
    boundary: str = ""

    def to_json(self):
        return json.dumps(asdict(self), ensure_ascii=False)


def canonical(type_, value):
    """The form in which two spellings of one value are the same."""
    if type_ == "PHONE":
        # `00` is `+`, a bracketed zero is left out from abroad, and North America writes its 1 or not.
        digits = re.sub(r"\D", "", value.replace("(0)", "", 1)).removeprefix("00")
        return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    if type_ in SEPARATED:
        return "".join(c for c in value if c.isalnum()).casefold()
    if type_ == "DOB":
        # Day and month in either order, without a time of the day; a date that can be read in two ways is only itself.
        numbers = re.findall(r"\d+", re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", value).partition("T")[0])
        if "/" in value and len(numbers) == 3 and int(numbers[0]) <= 12 and int(numbers[1]) <= 12:
            return value
        return " ".join(sorted(numbers, key=lambda n: (-len(n), n)))
    return " ".join(value.casefold().split()) if type_ in {"EMAIL", "PERSON", "CITY", "IPV6"} else value
