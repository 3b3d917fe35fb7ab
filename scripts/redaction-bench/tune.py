"""The family `tune`: names, shapes, sentences and locales that rules may be improved with. Shares no name of a personal field
with `held_out`."""

from draft import Either, Inside, Many

LOCALES = "en_US en_US en_GB de_DE de_DE fr_FR es_ES it_IT nl_NL pl_PL sv_SE ja_JP zh_CN ar_SA pt_BR tr_TR".split()
DOMAINS = "gmail.com web.de orange.fr hotmail.co.uk outlook.com libero.it ziggo.nl wp.pl uol.com.br mail.tunelli-bau.de eng.brightmere.io".split()
VENDORS = "aws github gitlab slack-bot slack-hook stripe google sendgrid twilio npm pypi shopify openai anthropic telegram square databricks mailgun digitalocean".split()

# What stands under `name` without being a person.
NAMES = {
    "product": ["Trail Runner 3 GTX", "Espresso Beans Dark 1kg", "USB-C Cable 2m", "Oak Side Table", "Noise Cancelling Headset", "Rain Jacket Storm"],
    "plan": ["Business Plus", "Starter Monthly", "Enterprise Annual", "Free Tier", "Growth 500"],
    "company": ["Northfold Logistics GmbH", "Quaylight Software Ltd", "Tidepool Energy B.V.", "Ironvale Foods Inc.", "Brightmere Labs AG"],
    "file": ["report-q3-final.pdf", "invoice_batch_07.csv", "floorplan.dwg", "IMG_20240311.jpg"],
    "host": ["edge-fra-02", "db-primary-eu1", "worker-17.cluster.local", "cache-use1-b"],
    "event name": ["checkout_started", "Page Viewed", "cart.item.removed", "SessionEnded"],
    "bank": ["Sparkasse Kraichgau", "First Harbor Bank", "Banco del Litoral", "Deutsche Kreditbank"],
    "bucket": ["prod-exports-eu", "tmp-uploads-7d", "ml-features-v2", "audit-archive"],
    "department": ["Accounts Receivable", "Platform Engineering", "Field Sales EMEA"],
    "service": ["billing-worker", "Express Saver", "Next Day Parcel", "price-engine"],
}

# Spec: names that say what it is, with the parent that gives the context.
FIELDS = {
    "email": "customer.email user.emailAddress billing_details.email contact.e_mail account.primaryEmail kunde.emailAdresse receipt_email "
    "client.courrielle customer.email_address replyToEmail persona.correo",
    "person": "customer.name cardholder_name billing_details.name recipient.fullName account.account_holder_name beneficiary_name "
    "employee.displayName patient.fullname contact.contactName kunde.vollstaendigerName receiver.name naamRekeninghouder nombreCompleto",
    "person.first": "customer.first_name user.firstName employee.preferredFirstName kunde.vorname client.prenom persona.nombre passenger.forename",
    "person.last": "customer.last_name user.lastName employee.legalLastName kunde.nachname client.nom_de_famille persona.apellido surname",
    "phone": "customer.phone user.phoneNumber billing_details.phone_number contact.mobile recipient.telephone kunde.telefon client.telephone_portable "
    "persona.telefono employee.homePhone sms_number",
    "phone.e164": "caller.msisdn customer.phone mobileNumber",
    "street": "address.line1 shipping_address.street billing_address.address1 anschrift.strasse adresse.rue direccion.calle recipient.streetAddress",
    "address": "customer.fullAddress delivery.formatted_address employee.home_address pickup_address",
    "city": "address.city shipping_address.town anschrift.ort adresse.ville direccion.ciudad",
    "postcode": "address.postal_code shipping_address.zip billing_address.postcode anschrift.plz adresse.code_postal direccion.codigo_postal",
    "dob": "customer.birth_date patient.birthDate applicant.dob kunde.geburtsdatum client.date_naissance persona.fechaNacimiento",
    "card": "card.number payment_method.card_number source.cardNumber creditCard.pan kreditkarte.kartennummer numeroTarjeta",
    "iban": "bank_account.iban debtorAccount.iban kontoverbindung.IBAN sepa_debit.iban refundIban",
    "aba": "us_bank_account.routing_number ach.routingNumber wire.aba_number",
    "account": "us_bank_account.account_number ach.accountNumber bank.bank_account_number kontoverbindung.kontonummer",
    "ssn": "applicant.ssn employee.social_security_number individual.ssnNumber",
    "ip4": "client_ip request.ipAddress session.ip_address device.ip login.remote_addr",
    "ip6": "client_ip request.ipAddress device.ipv6 login.ip",
    "passport": "document.passport_number traveller.passportNumber reisepass.passnummer identity.passportNum",
    "licence": "driver.license_number document.drivers_license fahrer.fuehrerscheinnummer driverLicenseNumber",
    "username": "user.username account.login credentials.user_name benutzername nickname",
    "password": "user.password credentials.passwd login.newPassword kennwort",
    "apikey": "config.api_key integration.apiKey settings.secret_key x_api_key",
    "token": "auth.access_token session.refreshToken oauth.client_secret credentials.authToken sessionToken csrf_token",
    "jwt": "auth.id_token session.jwt bearerToken",
    "pem": "tls.private_key signing.privateKey",
    "vat": "customer.vat_id company.vatNumber kunde.ust_id",
    "wallet": "payout.wallet_address destination.btc_address cryptoAddress",
}
NATIONAL = {
    "DE": "kunde.steuerId tax_identification_number", "FR": "client.numero_securite_sociale client.nir", "ES": "persona.dni persona.nif", "IT": "cliente.codiceFiscale",
    "NL": "klant.bsn", "PL": "osoba.pesel", "BR": "cliente.cpf", "SE": "kund.personnummer", "TR": "musteri.tcKimlikNo", "CN": "user.id_card_number",
    "GB": "patient.nhs_number", "GB_NINO": "employee.national_insurance_number employee.nino", "IN": "customer.aadhaar_number", "CA": "employee.social_insurance_number",
    "AU": "employee.tax_file_number", "JP": "employee.my_number", "BE": "burger.rijksregisternummer", "CH": "mitarbeiter.ahvNummer", "KR": "user.resident_registration_number",
    "MX": "persona.curp", "ZA": "applicant.id_number", "PT": "cliente.contribuinte", "US_ANY": "customer.national_id applicant.nationalIdNumber individual.tax_id",
}  # fmt: skip
HARMLESS = {
    "uuid v4": "id request_id correlationId idempotency_key", "uuid v1": "legacy_id", "uuid v7": "event_id messageId", "ulid": "cursor_id jobId", "objectid": "_id",
    "hex 32": "trace_id checksum", "hex 40": "fingerprint", "hex 64": "sha256 content_hash", "iso timestamp": "created_at updatedAt expires_at",
    "epoch s": "created timestamp", "epoch ms": "createdMs ts", "epoch us": "micros", "date": "due_date shippedOn valid_until", "version 3": "version apiVersion",
    "version 4": "build firmware", "user agent": "user_agent userAgent", "order number": "order_number orderId", "invoice number": "invoice_no invoiceNumber",
    "tracking number": "tracking_number trackingCode", "id of 9 digits": "batch_id", "id of 10 digits": "store_id entityId", "id of 12 digits": "aws_account campaignId",
    "id of 16 digits": "ad_id", "id of 16 digits, Luhn": "external_id shardKey", "vendor id": "payment_intent object_id", "isbn": "isbn isbn13", "gtin": "ean gtin barcode",
    "coordinate": "lat lng latitude", "price": "amount unit_price total", "float literal": "score rate", "big integer": "sequence snowflake", "amount": "amount_cents",
    "sku": "sku article_no", "currency": "currency currencyCode", "locale": "locale", "time zone": "timezone", "mime type": "mime_type", "etag": "etag", "hex colour": "color",
    "git commit": "commit revision", "file path": "path", "status": "status state", "country code": "country country_code", "unit": "unit", "binary as base64": "thumbnail",
    "cursor": "next_cursor", "version range": "requires", "cron": "schedule", "url": "url docs_url", "trace context": "traceparent", "event": "event type",
    "boolean as text": "livemode", "ratio": "confidence", "queue": "queue", "duration": "ttl", "request id": "x_request_id",
    "product": "product.name item.name", "plan": "plan.name subscription.planName", "company": "merchant.name vendor.company_name", "file": "attachment.name file.filename",
    "host": "server.name hostname", "event name": "event.name", "bank": "bank.name bank_name", "bucket": "bucket.name", "department": "department.name", "service": "service.name",
}  # fmt: skip
# Names of the root under which a record may stand.
WRAPPERS = [["data"], ["result"], [], [], ["payload", "object"], ["response", "body"], ["items", 0], ["data", "attributes"], ["event", "data"]]
# Name and value of a pair in lists of pairs.
PAIRS = [("key", "value"), ("name", "value"), ("field", "content"), ("Key", "Value")]

ADDRESS = {"line1": "{@street}", "line2": None, "city": "{@city}", "postal_code": "{@postcode}", "country": "{~country code}"}
ITEM = {"sku": "{~sku}", "product": {"id": "{~uuid v4}", "name": "{~product}"}, "quantity": 2, "unit_price": "{#~price}", "ean": "{~gtin}"}

DOCUMENTS = [
    # Payments
    {"id": "{~vendor id}", "object": "charge", "amount": "{#~amount}", "currency": "{~currency}", "created": "{#~epoch s}", "status": "{~status}",
     "billing_details": {"address": ADDRESS, "email": "{@email}", "name": "{@person}", "phone": "{@phone}"}, "receipt_email": "{@email}",
     "payment_method_details": {"card": {"brand": "visa", "exp_month": 4, "fingerprint": "{~hex 32}", "number": "{@card}"}, "type": "card"},
     "metadata": {"order_number": "{~order number}", "release": "{~version 3}"}, "receipt_url": "{~url}"},
    {"payment": {"reference": "{~invoice number}", "instructedAmount": {"currency": "{~currency}", "amount": "{~price}"}, "debtorAccount": {"iban": "{@iban}"},
     "creditorAccount": {"iban": "{@iban/1}"}, "creditorName": "{@person/1}", "debtorName": "{@person}", "requestedExecutionDate": "{~date}",
     "endToEndIdentification": "{~id of 16 digits, Luhn}", "psuIpAddress": "{@ip4}"}},
    {"account": {"holder": {"account_holder_name": "{@person}", "email": "{@email}"}, "bank": {"name": "{~bank}", "country": "{~country code}"},
     "us_bank_account": {"account_number": "{@account}", "routing_number": "{@aba}"}, "status": "{~status}", "opened": "{~date}"}, "request_id": "{~request id}"},
    # Orders and delivery
    {"order": {"id": "{#~big integer}", "name": "{~order number}", "email": "{@email}", "created_at": "{~iso timestamp}", "currency": "{~currency}", "total_price": "{~price}",
     "customer": {"id": "{#~id of 12 digits}", "first_name": "{@person.first}", "last_name": "{@person.last}", "phone": "{@phone}", "state": "enabled"},
     "shipping_address": {"first_name": "{@person.first}", "address1": "{@street}", "city": "{@city}", "zip": "{@postcode}", "country_code": "{~country code}", "latitude": "{#~coordinate}"},
     "line_items": Many(ITEM), "client_details": {"browser_ip": "{@ip4}", "user_agent": "{~user agent}"}, "note": "Call {@person} on {@phone.intl} before delivery"}},
    {"shipment": {"trackingNumber": "{~tracking number}", "service": {"name": "{~service}", "code": "EXP"}, "receiver": {"name": "{@person}", "telephone": "{@phone}",
     "streetAddress": "{@street}", "town": "{@city}", "postcode": "{@postcode}"}, "events": Many({"status": "{~status}", "at": "{~iso timestamp}", "facility": "{~host}"}),
     "weight": {"value": "{#~float literal}", "unit": "{~unit}"}}},
    # Identity
    {"applicant": {"id": "{~uuid v4}", "first_name": "{@person.first}", "last_name": "{@person.last}", "dob": "{@dob}", "email": "{@email}", "ssn": "{@ssn}",
     "address": {"street": "{@street}", "town": "{@city}", "postcode": "{@postcode}"}}, "documents": Many({"type": "passport", "passport_number": "{@passport}",
     "issuing_country": "{~country code}", "file": {"name": "{~file}", "sha256": "{~hex 64}"}}, 1, 2), "check": {"result": "{~status}", "confidence": "{#~ratio}", "completed_at": "{~iso timestamp}"}},
    {"user": {"id": "{~objectid}", "username": "{@username}", "emailAddress": "{@email}", "phoneNumber": "{@phone}", "displayName": "{@person}", "locale": "{~locale}",
     "timezone": "{~time zone}", "lastLogin": {"ipAddress": "{@ip4}", "at": "{~iso timestamp}", "userAgent": "{~user agent}"}, "roles": ["admin", "editor"]}, "etag": "{~etag}"},
    {"grant_type": "password", "username": "{@email}", "password": "{@password}", "client_id": "{~uuid v4}", "client_secret": "{@token}", "scope": "read write"},
    {"access_token": "{@token}", "refresh_token": "{@token}", "id_token": "{@jwt}", "token_type": "Bearer", "expires_in": 3600, "issued_at": "{#~epoch ms}"},
    # HR
    {"employee": {"employeeId": "{~id of 9 digits}", "preferredFirstName": "{@person.first}", "legalLastName": "{@person.last}", "birthDate": "{@dob}", "homePhone": "{@phone}",
     "social_security_number": "{@ssn}", "home_address": "{@address}", "department": {"name": "{~department}", "costCenter": "{~sku}"}, "hiredOn": "{~date}",
     "bank": {"name": "{~bank}", "iban": "{@iban}"}}, "meta": {"apiVersion": "{~version 4}", "commit": "{~git commit}"}},
    # Health
    {"resourceType": "Patient", "id": "{~uuid v4}", "meta": {"versionId": "7", "lastUpdated": "{~iso timestamp}"}, "name": [{"use": "official", "family": "{@person.last}", "given": ["{@person.first}"]}],
     "telecom": [{"system": "phone", "value": "{@phone:pair}"}, {"system": "email", "value": "{@email:pair}"}], "birthDate": "{@dob.iso}",
     "identifier": [{"system": "urn:mrn", "value": "{~id of 9 digits}"}], "address": [{"line": ["{@street}"], "city": "{@city}", "postalCode": "{@postcode}", "country": "{~country code}"}]},
    # Travel
    {"booking": {"recordLocator": "X7KQ2M", "passengers": Many({"forename": "{@person.first}", "surname": "{@person.last}", "passportNumber": "{@passport}", "birth_date": "{@dob}",
     "contact": {"e_mail": "{@email}", "mobile": "{@phone}"}}), "segments": Many({"flight": "LH 400", "departs": "{~iso timestamp}", "aircraft": {"name": "Airbus A350"}}), "fare": {"amount": "{~price}", "currency": "{~currency}"}}},
    # Other languages
    {"kunde": {"kundennummer": "{~id of 10 digits}", "vorname": "{@person.first}", "nachname": "{@person.last}", "geburtsdatum": "{@dob.dots}", "emailAdresse": "{@email}", "telefon": "{@phone}",
     "anschrift": {"strasse": "{@street}", "plz": "{@postcode}", "ort": "{@city}"}, "kontoverbindung": {"IBAN": "{@iban.spaced}", "bank": "{~bank}"}}, "vertrag": {"tarif": {"name": "{~plan}"}, "beginn": "{~date}"}},
    {"client": {"prenom": "{@person.first}", "nom_de_famille": "{@person.last}", "date_naissance": "{@dob.slash}", "telephone_portable": "{@phone}", "adresse": {"rue": "{@street}", "ville": "{@city}", "code_postal": "{@postcode}"}},
     "commande": {"numero": "{~order number}", "montant": "{#~price}", "statut": "{~status}"}},
    # JSON:API, HAL
    {"jsonapi": {"version": "1.0"}, "data": {"type": "customers", "id": "{~ulid}", "attributes": {"fullname": "{@person}", "email": "{@email}", "created-at": "{~iso timestamp}"},
     "relationships": {"plan": {"data": {"type": "plans", "id": "{~uuid v4}"}}}}, "included": [{"type": "plans", "id": "{~uuid v4}", "attributes": {"name": "{~plan}", "amount": "{#~amount}"}}]},
    {"_links": {"self": {"href": "/accounts/{~id of 10 digits}"}, "search": {"href": "https://api.quaylight.net/find?email={@email}&page=2"}}, "_embedded": {"contacts": Many(
     {"contactName": "{@person}", "mobile": "{@phone}", "_links": {"self": {"href": "/contacts/{~uuid v4}"}}})}, "count": 3, "build": "{~version 4}"},
    # Values without a name, object keys, numbers
    {"rows": Many(["{~uuid v4}", "{@email:opaque}", "{~order number}", "{#~price}", "{@ip4:opaque}", "{~iso timestamp}"]), "columns": ["c0", "c1", "c2", "c3", "c4", "c5"]},
    {"balances": {"{@email}": {"amount": "{#~price}"}, "{@email/1}": {"amount": "{#~price}"}}, "limits": {"{@iban/2}": "{#~amount}", "{@phone.e164/3}": "{#~amount}"}, "as_of": "{~iso timestamp}"},
    {"hits": [{"v": "{@email:opaque}"}, {"v": "{@iban/1:opaque}"}, {"v": "{@card/2:opaque}"}, {"v": "{@phone.e164/3:opaque}"}, {"v": "{~id of 16 digits}"}, {"v": "{~isbn}"}, {"v": "{~version 4.wide}"}, {"v": "{~epoch ms}"}]},
    {"card": {"number": "{#@card.plain}", "holder": {"cardholder_name": "{@person}"}}, "customer": {"phone": "{#@phone.plain}", "id": "{#~id of 10 digits}"}, "bank_account": {"account_number": "{#@account/1}"}, "amount": "{#~float literal}", "created": "{#~epoch ms}"},
    {"blocked": Many({"entry": Either("{@ip4:opaque}", "{@ip6:opaque}", "{@ip4:opaque}"), "hits": "{#~id of 9 digits}", "firmware": "{~version 4}", "since": "{~epoch s}"}, 2, 4)},
    # Documents within documents
    {"id": "{~uuid v7}", "type": "{~event}", "body": Inside("json", {"customer": {"email": "{@email}", "name": "{@person}", "phone": "{@phone}"}, "total": "{#~price}", "order_number": "{~order number}"}), "sent_at": "{~iso timestamp}"},
    {"message": {"messageId": "{#~id of 16 digits}", "publishTime": "{~iso timestamp}", "data": Inside("base64", {"user": {"emailAddress": "{@email}", "phoneNumber": "{@phone}", "lastName": "{@person.last}"}, "ip_address": "{@ip4}", "eventId": "{~uuid v4}"})}, "subscription": "projects/demo/subscriptions/orders"},
    {"Records": Many({"kinesis": {"sequenceNumber": "{~big integer}", "data": Inside("base64", {"card": {"number": "{@card}"}, "bank_account": {"iban": "{@iban}"}, "status": "{~status}", "ref": "{~hex 32}"})}, "awsRegion": "eu-central-1"}, 1, 2)},
    {"upstream": {"request": Inside("form", "email={@email}&first_name={@person.first}&card_number={@card}&amount={~price}"), "response": Inside("xml", "<Customer><Email>{@email}</Email><FirstName>{@person.first}</FirstName><OrderNumber>{~order number}</OrderNumber></Customer>")}, "duration_ms": 18},
    {"callback": "https://shop.northfold.eu/return?email={@email}&order={~order number}&phone={@phone.e164}", "page": "https://app.northfold.eu/u/{@email/1}/orders?tab=open&v={~version 3}", "next": "https://sso.northfold.eu/login?continue=https%3A%2F%2Fapp.northfold.eu%2F&login_hint={@email/2}"},
    # Errors, settings, secrets
    {"error": {"code": "card_declined", "message": "Charge to {@card} of {@person} was declined, e-mail {@email} was not notified", "doc_url": "{~url}", "param": "source"}, "request_id": "{~uuid v4}", "http_status": 402},
    {"integration": {"id": "{~uuid v1}", "name": "{~service}", "settings": {"api_key": "{@apikey}", "secret_key": "{@apikey}", "webhook": "{~url}", "client_secret": "{@token}"}, "enabled": True, "requires": "{~version range}", "schedule": "{~cron}"}},
    {"env": [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "PAYMENT_KEY", "value": "{@apikey.stripe:pair}"}, {"name": "DB_PASSWORD", "value": "{@password.plain:pair}"}, {"name": "REGION", "value": "eu-west-1"}], "image": "registry.local/app:{~version 3}", "digest": "sha256:{~hex 64}"},
    {"tls": {"private_key": "{@pem}", "not_after": "{~iso timestamp}", "serial": "{~hex 40}"}, "host": {"name": "{~host}"}},
    {"log": "retrying with key {@apikey} after 429", "level": "warn", "service": {"name": "{~service}"}, "pid": 4711, "trace_id": "{~hex 32}"},
    # Nothing personal at all
    {"products": Many({"id": "{#~id of 10 digits}", "name": "{~product}", "isbn": "{~isbn}", "price": "{#~float literal}", "color": "{~hex colour}", "image": "{~binary as base64}", "updated_at": "{~iso timestamp}"}, 2, 4), "next_cursor": "{~cursor}"},
    {"deploy": {"commit": "{~git commit}", "version": "{~version 3}", "firmware": "{~version 4}", "artifact": {"name": "{~file}", "path": "{~file path}", "sha256": "{~hex 64}"}, "host": {"name": "{~host}"}, "queue": "{~queue}", "schedule": "{~cron}", "requires": "{~version range}"}, "traceparent": "{~trace context}"},
    {"metrics": Many({"ts": "{#~epoch ms}", "micros": "{#~epoch us}", "lat": "{#~coordinate}", "lng": "{#~coordinate}", "ratio": "{#~ratio}", "snowflake": "{#~big integer}"}, 2, 5), "unit": "{~unit}", "bucket": {"name": "{~bucket}"}},
]  # fmt: skip

GRAPHQL = [
    ("mutation UpdateCustomer($input: CustomerInput!) { updateCustomer(input: $input) { customer { id email } userErrors { message } } }",
     {"input": {"id": "gid://shop/Customer/{~id of 10 digits}", "email": "{@email}", "firstName": "{@person.first}", "lastName": "{@person.last}", "phone": "{@phone}", "address1": "{@street}"}},
     {"data": {"updateCustomer": {"customer": {"id": "gid://shop/Customer/{~id of 10 digits}", "email": "{@email}", "displayName": "{@person}", "createdAt": "{~iso timestamp}"}, "userErrors": []}}}),
    ("query Find($email: String!, $first: Int) { customers(email: $email, first: $first) { edges { node { id } } } }",
     {"email": "{@email}", "first": 10, "after": "{~cursor}"},
     {"data": {"customers": {"edges": Many({"node": {"id": "{~uuid v4}", "email": "{@email}", "phoneNumber": "{@phone}", "plan": {"name": "{~plan}"}}})}}, "extensions": {"cost": 12, "version": "{~version 4}"}}),
]  # fmt: skip
INLINE = [
    'mutation {\n  createCustomer(input: {email: "{@email}", firstName: "{@person.first}", phone: "{@phone.e164}", sku: "{~sku}"}) {\n    id\n    createdAt\n  }\n}',
    'query { payments(iban: "{@iban}", after: "{~cursor}", minAmount: 12.50) { id status } order(id: "{~uuid v4}") { total } }',
    '{ user(emailAddress: "{@email}") { id plan(version: "{~version 3}") { price } } }',
]
LINES = [
    "{~iso timestamp} INFO  login ok user={@username} ip={@ip4} agent=\"{~user agent}\" took=18ms",
    "{~iso timestamp} WARN  [checkout-{~uuid v4}] mail to {@email} bounced, order {~order number}, build {~version 4}",
    "{@ip4} - - [11/Mar/2024:10:12:44 +0000] \"GET /account?email={@email} HTTP/1.1\" 200 512 \"-\" \"{~user agent}\"",
    "level=error ts={~epoch s} msg=\"payment failed\" card={@card} customer_phone={@phone.e164} trace={~hex 32}",
    "DEBUG connecting to postgres://app:{@password.plain}@db-primary-eu1:5432/orders release {~version 3}",
    "WARN  key {@apikey} is about to expire on {~date} (commit {~git commit})",
    "INFO  refund to {@iban} accepted, reference {~invoice number}, peer {@ip6}",
    "INFO  shipped {~tracking number} via {~service}, ean {~gtin}, isbn {~isbn}",
    "INFO  Authorization: Bearer {@jwt} accepted for request {~uuid v7}",
    "INFO  ssn {@ssn} verified for applicant {~uuid v4} at {~http date}",
]
MAILS = [
    "Dear {@person},\n\nyour order {~order number} was sent on {~date} with tracking number {~tracking number}.\nWe wrote to {@email} and will call {@phone.intl} if nobody is at home.\n\nKind regards\n{~company}\n",
    "Hallo {@person.first} {@person.last},\n\nIhre Rechnung {~invoice number} liegt bei. Wir buchen von {@iban.spaced} ab.\nFragen? Schreiben Sie an {@email} (Ticket {~id of 9 digits}).\n",
    "Hi team, card {@card} was charged twice (ids {~id of 16 digits, Luhn} and {~uuid v4}). The customer can be reached at {@phone.intl} or {@email}.\nVersion {~version 4}, seen at {~iso timestamp}.\n",
]
URLS = [
    "https://api.northfold.eu/v1/customers/{@email}/orders/{~uuid v4}?limit=20",
    "https://api.northfold.eu/v1/search?email={@email}&phone={@phone.e164}&page=2&version={~version 3}",
    "/reset?token={@token}&email={@email/1}&ts={~epoch s}",
    "https://login.northfold.eu/oauth?redirect_uri=https%3A%2F%2Fshop.northfold.eu%2Fcb%3Fid%3D{~uuid v4}&login_hint={@email}&state={~hex 32}",
    "https://files.northfold.eu/download/{~file}?api_key={@apikey}&build={~version 4}",
]
REQUESTS = [
    "POST /v1/charges?source=web HTTP/1.1\nHost: api.northfold.eu\nUser-Agent: {~user agent}\nAuthorization: Bearer {@token:header}\nCookie: session_id={@token:cookie}; theme=dark; _ga=GA1.2.{~epoch s}\nX-Forwarded-For: {@ip4:header}\nReferer: https://shop.northfold.eu/cart?email={@email:header}&step=2\nX-Request-Id: {~uuid v4}\nIf-None-Match: {~etag}\n",
    "GET /v1/customers?email={@email:url query} HTTP/1.1\nHost: api.northfold.eu\nAuthorization: Basic {@basic:header}\nX-Api-Key: {@apikey:header}\nTraceparent: {~trace context}\nIf-Modified-Since: {~http date}\n",
    "HTTP/1.1 200 OK\nDate: {~http date}\nContent-Type: application/json\nSet-Cookie: refresh_token={@jwt:cookie}; Path=/; HttpOnly\nLocation: https://shop.northfold.eu/users/{@email:header}\nETag: {~etag}\nServer: nginx/{~version 3}\n",
]
XMLS = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<Order id="{~uuid v4}" xmlns="urn:northfold:order">\n  <Customer email="{@email}"><FirstName>{@person.first}</FirstName><LastName>{@person.last}</LastName>\n  <Phone>{@phone}</Phone></Customer>\n  <ShippingAddress><Street>{@street}</Street><City>{@city}</City><PostalCode>{@postcode}</PostalCode></ShippingAddress>\n  <Product><Name>{~product}</Name><EAN>{~gtin}</EAN><Price>{~price}</Price></Product>\n  <Created>{~iso timestamp}</Created><Version>{~version 4}</Version>\n</Order>',
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:pay="urn:pay"><soap:Header><pay:ApiKey>{@apikey}</pay:ApiKey></soap:Header><soap:Body><pay:Authorize><pay:CardNumber>{@card}</pay:CardNumber><pay:CardHolderName>{@person}</pay:CardHolderName><pay:Amount currency="{~currency}">{~price}</pay:Amount><pay:Reference>{~invoice number}</pay:Reference></pay:Authorize></soap:Body></soap:Envelope>',
    '<?xml version="1.0"?>\n<Document><PmtInf><Dbtr><Nm>{@person}</Nm></Dbtr><DbtrAcct><Id><IBAN>{@iban}</IBAN></Id></DbtrAcct><Ustrd><![CDATA[Invoice {~invoice number} for {@email}]]></Ustrd><ReqdExctnDt>{~date}</ReqdExctnDt><MsgId>{~id of 16 digits}</MsgId></PmtInf></Document>',
]
HTMLS = [
    '<!DOCTYPE html>\n<html><head><title>Order {~order number}</title></head><body>\n<p>Thank you, {@person:text}!</p><p>We wrote to <a href="mailto:{@email:html text}">{@email:html text}</a>.</p>\n<input type="hidden" name="csrf_token" value="{@token:html attribute}"><table><tr><td>Card</td><td>{@card:html text}</td></tr><tr><td>Version</td><td>{~version 4.wide}</td></tr></table>\n<img src="data:image/png;base64,{~binary as base64}"></body></html>\n',
]
