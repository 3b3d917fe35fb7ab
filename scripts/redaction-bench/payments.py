"""Records as a payment API sends them, for the speed: some fifty values of which six are personal, names and places in the
letters of their country. Most of what an API sends is like this; the corpus with planted truth is far denser."""

import json
import random

import negatives
from people import Person

EVENTS = ["payment.captured", "payment.refunded", "payout.settled", "charge.disputed"]
ITEMS = ["Kaffee-Abo, 500 g geröstet", "Café filtre – 12 sachets", "Zestaw śniadaniowy, duży", "Gift box (blue), size M"]
DECLINE = ["", "insufficient_funds", "do_not_honor"]


def records(seed, count, family):
    """JSON texts, about 1.6 KiB each; the same seed and family (locales, domains of mail) give the same texts."""
    rng = random.Random(f"{seed}/payments")
    return [json.dumps(record(rng, family), ensure_ascii=False, separators=(",", ":")) for _ in range(count)]


def record(rng, family):
    def some(kind):
        return negatives.TEXT[kind](rng)

    who = Person(rng, rng.choice(family.LOCALES), family.DOMAINS)
    amount = rng.randint(100, 900_000)
    created = rng.randint(*negatives.RECENT)
    return {
        "id": some("uuid v7"), "object": "event", "type": rng.choice(EVENTS), "api_version": "2024-06-20", "livemode": True,
        "created": created, "pending_webhooks": rng.randint(0, 3), "request": {"id": some("vendor id"), "idempotency_key": some("uuid v4")},
        "data": {
            "id": some("vendor id"), "object": "payment", "amount": amount, "amount_captured": amount, "amount_refunded": 0,
            "currency": rng.choice(["eur", "usd", "pln", "sek"]), "status": "succeeded", "captured": True, "paid": True, "disputed": False,
            "description": rng.choice(ITEMS), "statement_descriptor": "NORTHFOLD SHOP", "failure_code": None, "decline_reason": rng.choice(DECLINE),
            "balance_transaction": some("vendor id"), "created_at": some("iso timestamp"), "captured_at": some("iso timestamp"),
            "customer": {"id": some("vendor id"), "name": who.full(), "email": who.email(), "phone": who.phone("e164"), "locale": some("locale"), "tax_exempt": "none"},
            "billing_details": {"address": {"line1": who.street(), "city": who.city(), "country": some("country code")}},
            "payment_method": {
                "type": "card", "brand": "visa", "funding": "credit", "exp_month": rng.randint(1, 12), "exp_year": 2030, "last4": f"{rng.randint(0, 9999):04}",
                "fingerprint": some("ulid"), "network": "visa", "checks": {"cvc_check": "pass", "address_line1_check": "pass"},
                "payer_account": who.iban(),
            },
            "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "risk_score": rng.randint(1, 99), "seller_message": "Payment complete."},
            "metadata": {"order_id": some("order number"), "cart": some("sku"), "build": some("version 3"), "trace": some("hex 32")},
            "lines": [{"sku": some("sku"), "quantity": rng.randint(1, 9), "unit_price": some("price"), "ean": some("gtin")} for _ in range(2)],
            "receipt_url": "https://pay.northfold.io/receipts/" + some("ulid"),
        },
    }  # fmt: skip
