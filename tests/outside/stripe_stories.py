"""localstripe with the official stripe client: the same calls come out the same with and without the recorder."""

import re

import stripe

from mirror_stories import credentials, only, the_ledger_adds_up, the_shadow_saw_what_was_counted

KEY, SHADOW_KEY = "sk_test_outside", "sk_test_shadow"
# One endpoint that writes is repeated too.
MORE = f"""
mirror.allow = ["POST /v1/customers"]
mirror.rate = "1000/s"
breaker.failures_share = "100%"
shadow.headers = {{ authorization = "Bearer {SHADOW_KEY}" }}
"""
# localstripe numbers its objects itself: the same call twice makes two ids, secrets and moments.
OWN_IDS = re.compile(r"\b(cus|pi|pm|ch|txn|prod|price|plan|card|src|tok|evt|req|re|seti)_[A-Za-z0-9_]+")
OF_THE_MOMENT = {"created", "client_secret", "invoice_prefix", "fingerprint", "available_on"}


def client(place, key=KEY):
    host, port = place
    # One attempt: a retry would hide a lost answer.
    return stripe.StripeClient(
        key,
        base_addresses={"api": f"http://{host}:{port}"},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=30),
    )


def plain(value):
    """An answer without what differs between any two calls."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if name not in OF_THE_MOMENT}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return OWN_IDS.sub(r"\1_*", value)
    return value


def customers(api):
    made = api.v1.customers.create({"email": "ada@mail.example", "name": "Ada", "metadata": {"a": "1", "b": "zwei"}})
    read = api.v1.customers.retrieve(made.id)
    changed = api.v1.customers.update(made.id, {"name": "Ada L."})
    listed = [one for one in api.v1.customers.list({"limit": 100}).data if one.id == made.id]
    gone = api.v1.customers.delete(made.id)
    return [made, read, changed, listed, gone]


def payment_intents(api):
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = api.v1.payment_methods.create({"type": "card", "card": card})
    customer = api.v1.customers.create({"email": "grace@mail.example"})
    attached = api.v1.payment_methods.attach(method.id, {"customer": customer.id})
    asked = {"amount": 1999, "currency": "eur", "customer": customer.id, "payment_method": method.id}
    intent = api.v1.payment_intents.create(asked)
    confirmed = api.v1.payment_intents.confirm(intent.id)
    read = api.v1.payment_intents.retrieve(intent.id)
    assert read.status == "succeeded", read.status
    return [method, attached, intent, confirmed, read]


def products(api):
    made = api.v1.products.create({"name": "Sample", "type": "service"})
    read = api.v1.products.retrieve(made.id)
    return [made, read]


def errors(api):
    """The client's own error classes, status, code and text."""
    said = []
    for call in (
        lambda: api.v1.customers.retrieve("cus_nobody"),
        lambda: api.v1.payment_intents.create({"amount": -1, "currency": "eur"}),
    ):
        try:
            call()
            said.append("no error")
        except stripe.StripeError as error:
            said.append([type(error).__name__, error.http_status, error.code, error.user_message])
    assert "no error" not in said, said
    return said


def same_both_ways(calls):
    def story(direct, through):
        expected, got = (plain(calls(client(place))) for place in (direct, through))
        assert got == expected, f"direct {expected}\nthrough {got}"

    return story


def stories():
    for title, calls in [
        ("customers", customers),
        ("payment intents", payment_intents),
        ("products", products),
        ("errors", errors),
    ]:
        yield title, same_both_ways(calls)


def customers_of_the_shadow(mirror):
    """Each customer made through the recorder was made at the shadow once, from the same form."""
    mirror.status()
    made = client(mirror.shadow, SHADOW_KEY).v1.customers.list({"limit": 100}).data
    assert sorted(one.email for one in made) == ["ada@mail.example", "grace@mail.example"], made


def mirror_stories():
    yield "the ledger adds up", the_ledger_adds_up
    yield "the shadow saw what was counted", the_shadow_saw_what_was_counted
    yield "nothing else that writes is mirrored", only("GET ", "POST /v1/customers HTTP")
    yield "the shadow saw its own key only", credentials(f"Bearer {SHADOW_KEY}")
    # Last: its own call is in the shadow's log as well.
    yield "customers are made there too", customers_of_the_shadow
