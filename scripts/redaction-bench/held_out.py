"""The family `held-out`: names, shapes, sentences and locales that no rule may be fitted to. Look at its totals only."""

from draft import Either, Inside, Many

LOCALES = "en_CA en_AU en_IN en_US en_GB de_AT de_CH fr_CA fr_BE es_MX nl_BE cs_CZ da_DK fi_FI no_NO hu_HU ro_RO ko_KR zh_TW ru_RU uk_UA hi_IN pt_PT el_GR he_IL hr_HR".split()
DOMAINS = "yahoo.com icloud.com gmx.at bluewin.ch seznam.cz videotron.ca mail.ru naver.com proton.me student.hkv.ac.in telenet.be kancelar.oakhollow.cz".split()
VENDORS = "aws-session github-fine slack-user stripe-hook google-oauth huggingface vault linear postman newrelic grafana atlassian airtable doppler mapbox facebook notion sentry rubygems flutterwave brevo razorpay mercadopago github stripe aws".split()

NAMES = {
    "product": ["Merino Base Layer", "Kettle 1.7L Steel", "Gaming Chair Apex", "Olive Oil 500 ml", "Standing Desk 140x70", "LED Strip RGB"],
    "plan": ["Team Unlimited", "Pro Yearly", "Family Bundle", "Pay As You Go", "Scale 2000"],
    "company": ["Ridgeline Travel Pty", "Oakhollow Insurance SE", "Nordkai Reederei KG", "Sunmarsh Retail S.A.", "Helio Freight OÜ"],
    "file": ["scan_0042.tiff", "contract-draft-v2.docx", "payroll-2024-06.xlsx", "selfie_check.png"],
    "host": ["mx2-ams", "kube-node-9f", "replica-3.internal", "gw-sin-01"],
    "event name": ["trial_converted", "Video Played", "document.signed", "BatteryLow"],
    "bank": ["Raiffeisen Oberland", "Pacific Coast Credit Union", "Banque de la Vallée", "Česká Obchodní"],
    "bucket": ["raw-events-ap1", "user-media-cdn", "nightly-dumps", "invoices-cold"],
    "department": ["People Operations", "Warehouse North", "Legal & Compliance"],
    "service": ["Economy Select", "quote-service", "Same Day Courier", "ledger-sync"],
}

FIELDS = {
    "email": "shopper.shopperEmail payer.payer_email guest.mail subscriber.workEmail attendee.contact_email ansprechpartner.mailadresse usuario.correo_electronico "
    "klant.mailadres invitee.inviteeEmail PersonEmail notification_email secondary_email",
    "person": "shopper.shopperName payer.payer_name guest.guest_name policyHolder.policyHolderName attendee.attendee_name consignee.contact_person "
    "ansprechpartner.ansprechpartner_name usuario.nombre_y_apellidos creditor.cdtr_name nameOnCard legal_name ownerName titulaire insured.name sender.name traveler.name",
    "person.first": "shopper.fname payer.given_name ansprechpartner.vornamen usuario.primer_nombre klant.voornaam titulaire.prénom GivenNames",
    "person.last": "shopper.lname payer.family_name usuario.apellidos klant.achternaam titulaire.nom_usage middle_and_last_name LastNames",
    "phone": "shopper.telephoneNumber payer.phone_no guest.cell attendee.mobile_phone consignee.contactPhone ansprechpartner.rufnummer usuario.numero_movil klant.telefoonnummer "
    "titulaire.numero_telephone WorkPhone faxNumber daytime_phone",
    "phone.e164": "sms.from_number sms.to_number whatsapp_id contactMsisdn",
    "street": "residence.street_line_1 deliveryAddress.houseAndStreet domicilio.direccion_linea_1 woonadres.straatnaam wohnsitz.straße_hausnummer StreetName1 BillingStreet",
    "address": "consignee.mailing_address place.address_display residence.addressText usuario.domicilio_completo",
    "city": "residence.locality deliveryAddress.cityName domicilio.poblacion woonadres.woonplaats wohnsitz.wohnort BillingCity",
    "postcode": "residence.pin_code deliveryAddress.zip_code domicilio.cp woonadres.pstcd wohnsitz.postleitzahl BillingPostalCode",
    "dob": "insured.dayOfBirth guest.dateOfBirth shopper.birthday subscriber.born_on usuario.fecha_de_nacimiento klant.geboortedatum versicherter.geburtstag",
    "card": "paymentMethod.encryptedCardNumber funding.primary_account_number instrument.cc_number zahlung.kreditkartennummer tarjeta.numero_de_tarjeta acctNumCard",
    "iban": "payout.ibanNumber mandate.debtor_iban bankverbindung.iban_nr creditor.creditorIban ownerIban",
    "aba": "transfer.aba_routing funding.routing_transit_number bankAccount.bankRoutingCode",
    "account": "transfer.acct_no funding.accountNo bankverbindung.konto_nr bankAccount.deposit_account_number",
    "ssn": "borrower.social_security taxpayer.us_ssn worker.socialSecurityNo",
    "ip4": "fraud.customer_ip shopperIP audit.source_ip visitor.ipAddr origin.remoteAddress",
    "ip6": "fraud.customer_ip visitor.ipAddr shopperIP audit.sourceIPv6",
    "passport": "travelDocument.passport_no guest.travel_document_number ausweis.reisepassnummer usuario.numero_pasaporte",
    "licence": "rider.driving_licence_no vehicle.driverLicenceNumber fahrzeug.führerschein_nr dl_number",
    "username": "principal.preferred_username owner.login_name principal.userPrincipalName screen_name handle",
    "password": "principal.pwd onboarding.initial_password accessPassword contraseña mot_de_passe",
    "apikey": "connection.apiToken provider.apiSecretKey plugin.access_key webhook.signing_secret",
    "token": "grant.oauth_token device.pushToken handshake.session_secret api_secret webhook.shared_secret verification_token",
    "jwt": "grant.assertion handshake.client_assertion ssoToken",
    "pem": "keypair.rsa_private_key certificate.privateKeyPem",
    "vat": "invoiceRecipient.vat_registration_number supplier.tva_intracom sole_trader.ustIdNr",
    "wallet": "withdrawal.to_address blockchain.eth_wallet depositAddress",
}
NATIONAL = {
    "DE": "versicherter.steuer_identifikationsnummer", "FR": "assuré.num_secu", "ES": "usuario.nif_nie usuario.documento_identidad", "IT": "contribuente.cod_fiscale", "NL": "klant.burgerservicenummer",
    "PL": "ubezpieczony.numer_pesel", "BR": "pagador.cpf_cnpj comprador.nr_cpf", "SE": "person.personal_identity_number", "NO": "kunde.fodselsnummer", "DK": "borger.cpr_nummer", "FI": "henkilo.henkilotunnus hetu",
    "TR": "kisi.kimlik_numarasi", "CN": "applicant.resident_id_no", "GB": "subject.nhsNo", "GB_NINO": "worker.ni_number", "IN": "kyc.aadhaarNo uidai_number", "CA": "worker.sin_number", "AU": "worker.tfn",
    "JP": "worker.individual_number_jp", "BE": "verzekerde.insz", "CH": "versicherte.avs_number sozialversicherungsnummer", "AT": "versicherter.svnr", "KR": "applicant.jumin_no", "MX": "usuario.clave_curp", "ZA": "borrower.rsa_id_number",
    "PT": "titular.numero_nif", "CZ": "klient.rodne_cislo", "RO": "client.cnp", "BG": "client.egn", "HR": "korisnik.oib", "EE": "isik.isikukood", "GR": "polites.afm", "IE": "worker.pps_number",
    "IL": "subject.teudat_zehut", "SG": "applicant.nric", "HK": "applicant.hkid", "TW": "applicant.national_identification_card", "TH": "applicant.thai_id", "CL": "persona.rut persona.run", "AR": "persona.cuil",
    "US_ANY": "subject.government_id subject.personal_id_number borrower.taxpayer_id identity_number",
}  # fmt: skip
HARMLESS = {
    "uuid v4": "uid conversation_id TransactionUuid", "uuid v1": "node_uuid", "uuid v7": "envelopeId", "ulid": "workflow_id", "objectid": "documentRef",
    "hex 32": "md5 b3_trace", "hex 40": "sha1", "hex 64": "digest blob_hash", "iso timestamp": "occurred_at bookingDateTime CreatedDate",
    "epoch s": "iat nbf", "epoch ms": "eventTime", "epoch us": "clock_us", "date": "valueDate checkin policyStart", "version 3": "sdk_version schemaVersion",
    "version 4": "driver_version appBuild", "user agent": "browserInfo", "order number": "merchantReference po_ref", "invoice number": "belegnummer factura",
    "tracking number": "waybill consignmentNo", "id of 9 digits": "branch_ref", "id of 10 digits": "contractNo kundennr_extern", "id of 12 digits": "pspReference tenantNo",
    "id of 16 digits": "rowKey", "id of 16 digits, Luhn": "loyalty_ref deviceSerial", "vendor id": "object_ref", "isbn": "book_isbn", "gtin": "gtin13 upc_ean",
    "coordinate": "geo_lat geo_lon", "price": "gross netAmount", "float literal": "fxRate weightKg", "big integer": "offset tweet_id", "amount": "minorUnits",
    "sku": "materialNumber part_no", "currency": "ccy", "locale": "preferredLanguage", "time zone": "tz", "mime type": "contentType", "etag": "entity_tag", "hex colour": "brandColour",
    "git commit": "gitSha", "file path": "storagePath", "status": "lifecycle outcome", "country code": "countryIso", "unit": "uom", "binary as base64": "logo_png",
    "cursor": "pageToken", "version range": "peerDependency", "cron": "recurrence", "url": "helpLink", "trace context": "w3c_trace", "event": "topic",
    "boolean as text": "flag", "ratio": "probability", "queue": "resourceArn", "duration": "validity", "request id": "diagnosticId",
    "product": "article.name lineItem.name", "plan": "tariff.name priceList.name", "company": "employer.name carrier.name", "file": "upload.name document.fileName",
    "host": "node.name machineName", "event name": "activity.name", "bank": "institution.name institution_name", "bucket": "container.name", "department": "orgUnit.name", "service": "courier.name",
}  # fmt: skip
WRAPPERS = [["Envelope", "Content"], [], [], ["d", "results", 0], ["notification", "entity"], ["records", 0, "fields"], ["Data"], ["value", 0], ["output", "view", "model"]]
PAIRS = [("attribute", "val"), ("fieldName", "fieldValue"), ("id", "answer"), ("label", "text"), ("k", "v")]

RESIDENCE = {"street_line_1": "{@street}", "locality": "{@city}", "pin_code": "{@postcode}", "countryIso": "{~country code}"}

DOCUMENTS = [
    # Payments
    {"merchantReference": "{~order number}", "pspReference": "{~id of 12 digits}", "amount": {"value": "{#~amount}", "currency": "{~currency}"}, "shopperEmail": "{@email}", "shopperIP": "{@ip4}",
     "shopperName": {"fname": "{@person.first}", "lname": "{@person.last}"}, "telephoneNumber": "{@phone}", "paymentMethod": {"type": "scheme", "encryptedCardNumber": "{@card}", "holderName": "{@person}"},
     "deliveryAddress": {"houseAndStreet": "{@street}", "cityName": "{@city}", "zip_code": "{@postcode}"}, "browserInfo": {"userAgent": "{~user agent}"}},
    {"Data": {"Transaction": Many({"TransactionId": "{~uuid v4}", "BookingDateTime": "{~iso timestamp}", "Amount": {"Amount": "{~price}", "Currency": "{~currency}"}, "CreditDebitIndicator": "Debit",
     "CreditorAccount": {"SchemeName": "UK.OBIE.IBAN", "Identification": "{@iban:pair}", "Name": "{@person}"}, "TransactionInformation": "Transfer to {@person/1} ref {~invoice number}"})}, "Meta": {"TotalPages": 4}},
    {"accounts": Many({"account_id": "{~vendor id}", "mask": "0421", "name": "{~plan}", "institution": {"name": "{~bank}"}, "numbers": {"ach": {"acct_no": "{@account}", "aba_routing": "{@aba}"}},
     "owners": [{"names": ["{@person}"], "emails": [{"data": "{@email:pair}", "primary": True}], "phone_numbers": [{"data": "{@phone.e164:pair}"}], "addresses": [{"data": {"streetAndNumber": "{@street}", "region": "ON"}}]}]}, 1, 2), "request_id": "{~request id}"},
    # Delivery
    {"consignment": {"waybill": "{~tracking number}", "courier": {"name": "{~service}"}, "consignee": {"contact_person": "{@person}", "contactPhone": "{@phone}", "mailing_address": "{@address}"}, "parcels": Many(
     {"weightKg": "{#~float literal}", "uom": "{~unit}", "gtin13": "{~gtin}"}), "eta": "{~iso timestamp}", "hub": {"name": "{~host}", "geo": {"geo_lat": "{#~coordinate}", "geo_lon": "{#~coordinate}"}}}},
    {"results": Many({"place_id": "{~vendor id}", "address_display": "{@address}", "address_components": [{"long_name": "{@street:pair}", "types": ["route"]}, {"long_name": "{@postcode:pair}", "types": ["postal_code"]}],
     "geometry": {"location": {"geo_lat": "{#~coordinate}", "geo_lon": "{#~coordinate}"}}}, 1, 2), "status": "OK"},
    # Messaging
    {"sid": "SM{~hex 32}", "date_created": "{~http date}", "from_number": "{@phone.e164}", "to_number": "{@phone.e164/1}", "body": "Your code was sent, {@person.first/1}. Questions: {@email/1}", "num_segments": "1", "price": "-0.0075", "api_version": "2010-04-01", "status": "delivered"},
    # Identity
    {"inquiry": {"uid": "{~uuid v4}", "subject": {"GivenNames": "{@person.first}", "LastNames": "{@person.last}", "dateOfBirth": "{@dob}", "government_id": "{@natid}", "residence": RESIDENCE}, "travelDocument": {"passport_no": "{@passport}", "expiry": "{~date}"},
     "rider": {"driving_licence_no": "{@licence}"}, "outcome": "{~status}", "probability": "{#~ratio}", "upload": {"name": "{~file}", "md5": "{~hex 32}"}}},
    {"sub": "{~uuid v4}", "preferred_username": "{@username}", "contact_email": "{@email}", "email_verified": True, "given_name": "{@person.first}", "family_name": "{@person.last}", "birthday": "{@dob.iso}", "zoneinfo": "{~time zone}", "iat": "{#~epoch s}", "nbf": "{#~epoch s}"},
    {"principal": {"userPrincipalName": "{@email}", "pwd": "{@password}", "initial_password": "{@password}"}, "device": {"pushToken": "{@token}", "osVersion": "{~version 3}"}, "grant": {"assertion": "{@jwt}", "oauth_token": "{@token}"}},
    # CRM, HR
    {"attributes": {"type": "Contact", "url": "/services/data/v59.0/sobjects/Contact/{~vendor id}"}, "Id": "{~vendor id}", "FamilyName": "{@person.last}", "PersonEmail": "{@email}", "WorkPhone": "{@phone}", "BillingStreet": "{@street}", "BillingCity": "{@city}",
     "BillingPostalCode": "{@postcode}", "CreatedDate": "{~iso timestamp}", "Account": {"Name": "{~company}", "Industry": "Energy"}},
    {"worker": {"Worker_ID": "{~id of 9 digits}", "Personal_Data": {"Legal_Name_Data": {"legal_name": "{@person}"}, "dayOfBirth": "{@dob}", "socialSecurityNo": "{@ssn}", "Contact": {"workEmail": "{@email}", "mobile_phone": "{@phone}", "residence": RESIDENCE}},
     "orgUnit": {"name": "{~department}"}, "bankAccount": {"ibanNumber": "{@iban}", "institution_name": "{~bank}"}}, "schemaVersion": "{~version 3}"},
    # Health
    {"resourceType": "Bundle", "entry": Many({"fullUrl": "urn:uuid:{~uuid v4}", "resource": {"resourceType": "RelatedPerson", "name": [{"text": "{@person}"}], "telecom": [{"system": "sms", "use": "mobile", "value": "{@phone:pair}"}], "dayOfBirth": "{@dob.iso}",
     "identifier": [{"type": {"text": "National id"}, "value": "{@natid:pair}"}]}}, 1, 2), "total": 2},
    # Travel
    {"reservation": {"confirmation": "QX81LM", "guest": {"guest_name": "{@person}", "mail": "{@email}", "cell": "{@phone}", "travel_document_number": "{@passport}", "dateOfBirth": "{@dob.slash}"}, "room": {"name": "Deluxe Twin"}, "checkin": "{~date}", "gross": "{#~price}",
     "funding": {"primary_account_number": "{@card}", "expiry": "11/28"}}},
    # Other languages
    {"versicherter": {"vertragsnummer": "{~id of 10 digits}", "ansprechpartner_name": "{@person}", "geburtstag": "{@dob.dots}", "mailadresse": "{@email}", "rufnummer": "{@phone}", "wohnsitz": {"straße_hausnummer": "{@street}", "postleitzahl": "{@postcode}", "wohnort": "{@city}"},
     "bankverbindung": {"iban_nr": "{@iban.spaced}", "kreditinstitut": "{~bank}"}}, "tariff": {"name": "{~plan}"}, "policyStart": "{~date}"},
    {"usuario": {"primer_nombre": "{@person.first}", "apellidos": "{@person.last}", "correo_electronico": "{@email}", "numero_movil": "{@phone}", "fecha_de_nacimiento": "{@dob.slash}", "domicilio": {"direccion_linea_1": "{@street}", "poblacion": "{@city}", "cp": "{@postcode}"}},
     "pedido": {"folio": "{~order number}", "importe": "{#~price}"}},
    {"klant": {"voornaam": "{@person.first}", "achternaam": "{@person.last}", "mailadres": "{@email}", "telefoonnummer": "{@phone}", "geboortedatum": "{@dob}", "burgerservicenummer": "{@natid.NL}", "woonadres": {"straatnaam": "{@street}", "woonplaats": "{@city}"}}, "polis": {"nummer": "{~id of 9 digits}"}},
    # OData, JSON:API, HAL
    {"@odata.context": "$metadata#Partners", "value": Many({"BusinessPartner": "{~id of 10 digits}", "ownerName": "{@person}", "StreetName1": "{@street}", "materialNumber": "{~sku}", "@odata.etag": "{~etag}"}, 1, 2)},
    {"data": [{"type": "attendees", "id": "{~ulid}", "attributes": {"attendee_name": "{@person}", "contact_email": "{@email}", "mobile_phone": "{@phone}", "registered-at": "{~iso timestamp}"}, "links": {"self": "https://api.ridgeline.travel/attendees?filter[contact_email]={@email}"}}]},
    # Nameless, keys, numbers
    {"table": {"head": ["a", "b", "c", "d"], "body": Many(["{@iban:opaque}", "{@phone.e164:opaque}", "{~gtin}", "{~version 4.wide}"])}, "generated": "{~epoch s}"},
    {"presence": {"{@email}": "online", "{@email/1}": "away"}, "consents": {"{@phone.e164/2}": True}, "risk": {"{@ip4/3}": "{#~ratio}", "{@card.plain/4}": "{#~ratio}"}, "eventTime": "{~epoch ms}"},
    {"answers": ["{@email:opaque}", "{@card/1:opaque}", "{@ip6/2:opaque}", "{@wallet/3:opaque}", "{~order number}", "{~hex 64}", "{~objectid}", "{~id of 16 digits, Luhn}", "{~id of 10 digits}", "{~isbn}"]},
    {"instrument": {"cc_number": "{#@card.plain}", "nameOnCard": "{@person}"}, "payer": {"phone_no": "{#@phone.plain}"}, "transfer": {"acct_no": "{#@account}", "minorUnits": "{#~amount}"}, "rowKey": "{#~id of 16 digits}", "clock_us": "{#~epoch us}", "fxRate": "{#~float literal}"},
    # Documents within documents
    {"Type": "Notification", "MessageId": "{~uuid v4}", "TopicArn": "{~queue}", "Message": Inside("json", {"payer": {"payer_email": "{@email}", "payer_name": "{@person}"}, "sourceIPv6": "{@ip6}", "gross": "{#~price}", "detail": {"waybill": "{~tracking number}"}}), "Timestamp": "{~iso timestamp}"},
    {"specversion": "1.0", "type": "{~event}", "id": "{~uuid v7}", "data_base64": Inside("base64", {"guest": {"mail": "{@email}", "cell": "{@phone}", "guest_name": "{@person}"}, "funding": {"primary_account_number": "{@card}"}, "uid": "{~uuid v4}"})},
    {"spans": Many({"b3_trace": "{~hex 32}", "http.url": "https://api.oakhollow.cz/quote?payer_email={@email}&contractNo={~id of 10 digits}", "payload": Inside("base64", {"mandate": {"debtor_iban": "{@iban}"}, "outcome": "{~status}"})}, 1, 2)},
    {"audit": {"rawRequest": Inside("form", "payer_email={@email}&given_name={@person.first}&debtor_iban={@iban}&gross={~price}"), "rawResponse": Inside("xml", "<Guest><Mail>{@email}</Mail><Cell>{@phone}</Cell><Waybill>{~tracking number}</Waybill></Guest>")}, "iat": "{#~epoch s}"},
    {"link": "https://book.ridgeline.travel/manage?mail={@email}&ref={~uuid v4}", "deeplink": "https://m.ridgeline.travel/profile/{@phone.e164/1}/trips?sdk={~version 3}", "return_to": "https://id.ridgeline.travel/go?to=https%3A%2F%2Fm.ridgeline.travel%2Fq&payer_email={@email/2}"},
    # Errors, settings
    {"errors": [{"title": "Duplicate", "detail": "A subscriber with {@email} and number {@phone.intl} exists since {~date}", "source": {"pointer": "/data"}}], "diagnosticId": "{~request id}", "appBuild": "{~version 4}"},
    {"connection": {"uid": "{~uuid v4}", "apiToken": "{@apikey}", "signing_secret": "{@token}", "endpoint": "{~url}"}, "plugin": {"access_key": "{@apikey}", "peerDependency": "{~version range}", "recurrence": "{~cron}"}},
    {"variables": [{"k": "SMTP_PASS", "v": "{@password.plain:pair}"}, {"k": "SENTRY_ENV", "v": "staging"}, {"k": "ACCESS_TOKEN", "v": "{@token:pair}"}], "gitSha": "{~git commit}"},
    {"certificate": {"privateKeyPem": "{@pem}", "sha1": "{~hex 40}", "validity": "{~duration}"}},
    {"stderr": "fatal: authentication failed using {@apikey} (exit 128)", "machineName": "{~host}", "storagePath": "{~file path}"},
    # Nothing personal
    {"articles": Many({"materialNumber": "{~sku}", "article": {"name": "{~product}"}, "book_isbn": "{~isbn}", "netAmount": "{#~float literal}", "brandColour": "{~hex colour}", "logo_png": "{~binary as base64}"}, 2, 4), "pageToken": "{~cursor}"},
    {"release": {"gitSha": "{~git commit}", "sdk_version": "{~version 3}", "driver_version": "{~version 4}", "document": {"fileName": "{~file}"}, "node": {"name": "{~host}"}, "blob_hash": "{~hex 64}", "w3c_trace": "{~trace context}"}, "container": {"name": "{~bucket}"}, "activity": {"name": "{~event name}"}},
    {"series": Many({"eventTime": "{#~epoch ms}", "geo_lat": "{#~coordinate}", "geo_lon": "{#~coordinate}", "offset": "{#~big integer}", "probability": "{#~ratio}"}, 2, 5), "uom": "{~unit}", "tz": "{~time zone}", "employer": Either({"name": "{~company}"}, None)},
]  # fmt: skip

GRAPHQL = [
    ("mutation Book($guest: GuestInput!) { bookRoom(guest: $guest) { reservation { ref } } }",
     {"guest": {"guest_name": "{@person}", "mail": "{@email}", "cell": "{@phone}", "dateOfBirth": "{@dob.iso}", "residence": RESIDENCE}},
     {"data": {"bookRoom": {"reservation": {"ref": "{~ulid}", "guest": {"mail": "{@email}", "guest_name": "{@person}"}, "checkin": "{~date}"}}}}),
    ("query Owner($mail: String) { owner(mail: $mail) { policies { nodes { no } } } }",
     {"mail": "{@email}", "pageToken": "{~cursor}"},
     {"data": {"owner": {"ownerName": "{@person}", "faxNumber": "{@phone}", "policies": {"nodes": Many({"no": "{~id of 10 digits}", "tariff": {"name": "{~plan}"}})}}}, "extensions": {"appBuild": "{~version 4}"}}),
]  # fmt: skip
INLINE = [
    'mutation {\n  invite(payload: {inviteeEmail: "{@email}", given_name: "{@person.first}", contactMsisdn: "{@phone.e164}", part_no: "{~sku}"}) { token }\n}',
    'query { mandates(debtor_iban: "{@iban}", pageToken: "{~cursor}") { status } waybill(no: "{~tracking number}") { eta } }',
    '{ visitor(ipAddr: "{@ip4}", uid: "{~uuid v4}") { risk(model: "{~version 3}") } }',
]
LINES = [
    "[{~iso timestamp}] auth.NOTICE: account {@email} locked after 5 attempts from {@ip4} (agent {~user agent})",
    "{~epoch ms} gateway pid=311 src={@ip6} route=/quote/{~uuid v4} build={~version 4} 503",
    "E0311 10:12:44.000123 1 retry.go:88] cannot notify {@phone.e164} via sms gateway, attempt {~id of 9 digits}",
    "CEF:0|Oakhollow|waf|{~version 3}|100|blocked|5|src={@ip4} suser={@username} requestId={~hex 32}",
    "kafka offset {~big integer} payload iban {@iban} status {~status} sum {~hex 64}",
    "amqp://svc:{@password.plain}@mq.internal:5672/%2F connected, client {~version 3}",
    "leaked credential {@apikey} found in {~file path} at {~git commit}",
    "cardholder PAN {@card} rejected by issuer, waybill {~tracking number}, ean {~gtin}",
    "job {~ulid} done in 812 ms; next run {~cron}; range {~version range}; book {~isbn}",
    "proxy-authorization: Bearer {@jwt} relayed for {~uuid v1}",
]
MAILS = [
    "Hello {@person},\n\nwe could not deliver consignment {~tracking number} on {~date}. Please confirm your number {@phone.intl} or reply from {@email}.\n\n{~company}, order desk\n",
    "Bonjour {@person.first} {@person.last},\n\nvotre remboursement sera versé sur {@iban.spaced} (dossier {~id of 10 digits}). Contact : {@email}.\n",
    "Ticket {~order number}: guest complains that {@card} is still blocked since {~iso timestamp}. Callback {@phone.intl}. Loyalty {~id of 16 digits, Luhn}, app {~version 4}.\n",
]
URLS = [
    "https://api.oakhollow.cz/policies/{~id of 10 digits}/holders/{@email}?expand=all",
    "https://api.oakhollow.cz/find?payer_email={@email}&contactMsisdn={@phone.e164}&offset={~id of 9 digits}",
    "/verify?verification_token={@token}&mail={@email/1}&iat={~epoch s}",
    "https://id.oakhollow.cz/authorize?return=https%3A%2F%2Fapp.oakhollow.cz%2Fx%3Fuid%3D{~uuid v4}&payer_email={@email}&nonce={~hex 32}",
    "https://maps.ridgeline.travel/geocode?q={~coordinate}&access_key={@apikey}&v={~version 4.wide}",
]
REQUESTS = [
    "PUT /policies/holder?lang=cs HTTP/1.1\nHost: api.oakhollow.cz\nUser-Agent: {~user agent}\nProxy-Authorization: Bearer {@token:header}\nCookie: JSESSIONID={@token:cookie}; consent=all; seen={~epoch ms}\nX-Real-IP: {@ip4:header}\nReferer: https://www.oakhollow.cz/quote?payer_email={@email:header}&plan=2\nX-B3-TraceId: {~hex 32}\nX-Correlation-Id: {~uuid v4}\n",
    "GET /guests?mail={@email:url query} HTTP/1.1\nHost: api.ridgeline.travel\nAuthorization: Basic {@basic:header}\nX-Auth-Token: {@token:header}\nForwarded: for={@ip4/1:header};proto=https\nIf-Unmodified-Since: {~http date}\n",
    "HTTP/1.1 302 Found\nDate: {~http date}\nSet-Cookie: sso={@jwt:cookie}; Secure; SameSite=Lax\nLocation: https://book.ridgeline.travel/welcome?mail={@email:header}\nX-Powered-By: Express/{~version 3}\nETag: {~etag}\n",
]
XMLS = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<r:Reservation xmlns:r="urn:ridgeline:res" uid="{~uuid v4}">\n <r:Guest mail="{@email}" cell="{@phone}"><r:GivenNames>{@person.first}</r:GivenNames><r:LastNames>{@person.last}</r:LastNames></r:Guest>\n <r:Residence><r:StreetName1>{@street}</r:StreetName1><r:Locality>{@city}</r:Locality><r:ZipCode>{@postcode}</r:ZipCode></r:Residence>\n <r:Room name="Deluxe Twin" build="{~version 4}"/><r:Gross ccy="{~currency}">{~price}</r:Gross>\n <r:Occurred>{~iso timestamp}</r:Occurred>\n</r:Reservation>',
    '<S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope"><S:Body><SubmitClaim xmlns="urn:oakhollow"><PolicyHolderName>{@person}</PolicyHolderName><DateOfBirth>{@dob.iso}</DateOfBirth><DebtorIban>{@iban}</DebtorIban><Pwd>{@password}</Pwd><Belegnummer>{~invoice number}</Belegnummer></SubmitClaim></S:Body></S:Envelope>',
    '<?xml version="1.0"?>\n<Shipment><Consignee><ContactPerson>{@person}</ContactPerson><ContactPhone>{@phone}</ContactPhone></Consignee><Remarks><![CDATA[Reply to {@email} & quote {~order number}]]></Remarks><Waybill>{~tracking number}</Waybill><LoyaltyRef>{~id of 16 digits, Luhn}</LoyaltyRef></Shipment>',
]
HTMLS = [
    '<html lang="en"><body><h1>Booking {~order number}</h1><div class="who">{@email:html text}</div><ul><li>IBAN: {@iban:html text}</li><li>Phone: {@phone.intl:html text}</li><li>Build {~version 4}</li></ul><form action="/pay?mail={@email/1:html attribute}"><input name="verification_token" value="{@token:html attribute}"></form><script>var uid = "{~uuid v4}";</script></body></html>\n',
]
