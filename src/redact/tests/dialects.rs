//! Formats that name their values in ways of their own: SQL, directories, assertions, letters, interchanges.

use super::*;
use base64::engine::general_purpose::STANDARD;

const NAME: &str = "Brunhilde Quittenbaum";
const BORN: &str = "1973-05-21";
const CITY: &str = "Quickborn";

/// Redacts a text alone, in a JSON string and in base64 in one: each must lose the values, keep the rest, and change no
/// more when it is redacted again. Returns what became of the text.
fn once(content_type: &str, text: &str, gone: &[&str], kept: &[&str]) -> String {
    let out = redact(content_type, text);
    assert_eq!(redact(content_type, &out), out, "twice: {text}");
    let carried = |string: &str| {
        let body = serde_json::json!({ "body": string }).to_string();
        let out = redact("application/json", &body);
        assert_eq!(redact("application/json", &out), out, "twice: {body}");
        let out: serde_json::Value = serde_json::from_str(&out).unwrap();
        out["body"].as_str().unwrap().to_owned()
    };
    let decoded = String::from_utf8(STANDARD.decode(carried(&STANDARD.encode(text))).unwrap()).unwrap();
    for out in [&out, &carried(text), &decoded] {
        gone.iter().for_each(|value| assert!(!out.contains(value), "{value} of {text} in {out}"));
        kept.iter().for_each(|value| assert!(out.contains(value), "{value} of {text} not in {out}"));
    }
    out
}

#[test]
fn literals_of_sql_stand_under_their_columns() {
    let rows = format!(
        "INSERT INTO public.customers (id, full_name, birth_date, city, note, status) VALUES\n(7, '{NAME}', DATE '{BORN}', \
         '{CITY}', NULL, 'ACTIVE'),\n(8, 'O''Brien-Quitt   ', '{BORN}'::date, lower('{CITY}'), 'it''s fine', 'BLOCKED');\n-- end"
    );
    let out = once(
        "application/sql",
        &rows,
        &[NAME, BORN, CITY, "O''Brien", "Quitt"],
        &[
            "(id, full_name, birth_date, city, note, status) VALUES\n(7, '",
            "NULL, 'ACTIVE'),\n(8, '",
            "'it''s fine', 'BLOCKED');\n-- end",
        ],
    );
    assert_eq!(out.matches('\'').count(), rows.matches('\'').count() - 2, "{out}");
    for statement in [
        format!(
            "UPDATE users SET city = '{CITY}', state = 'open', \"first_name\"='Brunhilde' WHERE u.birth_date >= '{BORN}' AND n = 3"
        ),
        format!(
            "select * from `users` where `users`.`birth_date` = \"{BORN}\" and city in ('{CITY}', 'Quittendorf') and state <> 'open'"
        ),
        format!(
            "delete from t where lower([city]) like lower('%{CITY}%') or birth_date between '{BORN}' and '1973-05-21' or x = 'open'"
        ),
        format!(
            "REPLACE INTO t(first_name,city,state) VALUES (\"Brunhilde\",\"{CITY}\",\"open\") ON DUPLICATE KEY UPDATE city='{CITY}'"
        ),
        format!("SELECT 1 FROM t WHERE data->>'city' = '{CITY}' AND data #>> '{{a}}' = 'open'"),
        format!(
            "CREATE TABLE t (\n id int PRIMARY KEY,\n city varchar(20) NOT NULL,\n born_on date,\n state text,\n CONSTRAINT c CHECK (id > 0)\n);\nINSERT INTO t VALUES (1,'{CITY}','{BORN}','open'),(2,'{CITY}','{BORN}','open');"
        ),
        format!(
            "COPY public.t (id, city, birth_date, state) FROM stdin;\n1\t{CITY}\t{BORN}\topen\n2\t\\N\t{BORN}\topen\n\\.\nSET a = 'b';"
        ),
        format!(
            "INSERT INTO t (city, state, phone) VALUES ('{CITY}', 'open', 33612345678), ('{CITY}', 'open', NULL), ('{CITY}"
        ),
    ] {
        once("text/plain", &statement, &[CITY, "Quittendorf", BORN, "Brunhilde", "33612345678"], &["open"]);
    }
    // In a document of a line, and with a document in it.
    let line = format!(
        "x-1 body={{\"q\":\"INSERT INTO t (city, n) VALUES ('{CITY}', 'it')\"}} took 5 SET city='{CITY}' WHERE n = 5"
    );
    once("text/plain", &line, &[CITY], &["VALUES ('addr-", "', 'it')\"} took 5 SET city='addr-", "' WHERE n = 5"]);
    let with = format!("INSERT INTO t (a, b, city) VALUES (1, '{{\"city\":\"{CITY}\",\"n\":1}}', '{CITY}')");
    once("text/plain", &with, &[CITY], &["VALUES (1, '{\"city\":\"addr-", "\",\"n\":1}', 'addr-"]);
    for text in [
        "INSERT INTO colours (name, hex) VALUES ('red', '#f00')",
        "UPDATE jobs SET state = 'open', city_count = 3 WHERE kind = 'nightly'",
        "Don't look into that; set it where it's 'red'",
    ] {
        assert_eq!(once("text/plain", text, &[], &[]), text);
    }
}

#[test]
fn a_broken_constraint_tells_the_column() {
    for (text, kept) in [
        (
            format!("ERROR: duplicate key\nDETAIL:  Key (city, birth_date)=({CITY}, {BORN}) already exists."),
            "Key (city, birth_date)=(",
        ),
        (format!("Key (lower(full_name::text))=({NAME}) already exists."), "Key (lower(full_name::text))=("),
        (
            format!("Key (city)=({CITY}, (Quittenbaum)) is not present in table \"towns\"."),
            ") is not present in table \"towns\".",
        ),
        (format!("1062: Duplicate entry '{NAME}' for key 'people.uk_full_name'"), "' for key 'people.uk_full_name'"),
    ] {
        once("text/plain", &text, &[NAME, BORN, CITY, "Quittenbaum"], &[kept]);
    }
    for text in ["Key (state)=(open) already exists.", "Duplicate entry 'open' for key 'jobs.uk_state'", "f(x)=(y)"] {
        assert_eq!(once("text/plain", text, &[], &[]), text);
    }
}

#[test]
fn entries_of_directories_are_read_in_base64_and_over_lines() {
    let name = STANDARD.encode("Brünhilde Quittenbaum");
    let (head, tail) = name.split_at(12);
    let text = format!(
        "version: 1\n\n# people\ndn: cn=Brunhilde\\, Quittenbaum+uid=bquitten7,ou=people,dc=x\nobjectClass: inetOrgPerson\ncn:: \
         {head}\n {tail}\nsn;lang-de: Quittenbaum\nl: {CITY}\nhomePostalAddress:: {}\njpegPhoto:: /9j/4AAQSkZJRg==\n\
         userPassword: Hunter#2xK\nloginShell: /bin/bash\nx: 7\n\ndn:: {}\nchangetype: modify\nreplace: \
         mobile\nmobile: 0171 5550100\n-\n",
        STANDARD.encode("Quittenweg 7 $ 25451 Quickborn"),
        STANDARD.encode("cn=Brünhilde,ou=people")
    );
    let gone = ["Brunhilde", "Quittenbaum", "bquitten7", CITY, head, tail, "/9j/4AAQSkZJRg", "Hunter#2xK", "5550100"];
    let kept = [
        "version: 1\n\n# people\ndn: cn=",
        ",ou=people,dc=x\nobjectClass: inetOrgPerson\ncn:: ",
        "\nloginShell: /bin/bash\nx: 7\n\ndn:: ",
        "\nchangetype: modify\nreplace: mobile\nmobile: ",
    ];
    let out = once("text/x-ldif", &text, &gone, &kept);
    for line in out.lines() {
        if let Some((_, value)) = line.split_once(":: ") {
            let decoded = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
            assert!(!decoded.contains("Quitt") && !decoded.contains("Brünhilde"), "{decoded}");
        }
    }
}

#[test]
fn assertions_and_errors_name_values_by_attributes() {
    let attribute = |attributes: &str, value: &str| {
        format!("<s:Attribute {attributes}><s:AttributeValue>{value}</s:AttributeValue></s:Attribute>")
    };
    let text = [
        "<s:A xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
        &attribute("Name=\"urn:oid:2.5.4.42\" FriendlyName=\"givenName\"", "Brunhilde"),
        &attribute("NameFormat=\"uri\" Name=\"urn:oid:2.5.4.4\"", "Quittenbaum"),
        &attribute("FriendlyName=\"x\" Name=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname\"", "Quittenbaum"),
        &attribute("Name=\"sn\"", "Quittenbaum"),
        &attribute("Name=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/locality\"", CITY),
        &attribute("Name=\"schacPersonalUniqueCode\"", "urn:schac:personalUniqueCode:int:pin:VIOR830818MPLRZV03"),
        &attribute("Name=\"eduPersonAffiliation\"", "student"),
        &format!("<error field=\"customer.city\"><message>is not known</message><rejectedValue>{CITY}</rejectedValue></error>"),
        &format!("<RejectedValue field=\"birthDate\">{BORN}</RejectedValue><e field=\"name\">is required</e>"),
        &format!("<doc><field name=\"city\">{CITY}</field><field name=\"state\">open</field></doc></s:A>"),
    ]
    .concat();
    let gone = ["Brunhilde", "Quittenbaum", CITY, BORN, "VIOR830818MPLRZV03"];
    let kept = [
        "urn:schac:personalUniqueCode:int:pin:",
        "student",
        "is not known",
        "is required",
        "open",
        "urn:oid:2.5.4.42",
        "claims/surname",
        "\"givenName\"",
    ];
    let out = once("application/xml", &text, &gone, &kept);
    assert_eq!(out.matches('<').count(), text.matches('<').count(), "{out}");
}

#[test]
fn lines_say_what_follows() {
    let text = format!(
        "OCR result of job 17\nSurname: Quittenbaum\n  - **Given names:** Brunhilde Q\nDate of birth: {BORN}, State: open\n\
         City: {CITY} | Total: 3\nStatus: open\nAddress: please see below\nLogin: failed\nPassword: required\nCity: OK\nStreet: none\nName: nginx-proxy-2\nAda: hello to you\n\
         Subtotal: 12.50\nNachname: von der Quitt\n> Nom de famille: d'Quitten\n"
    );
    let gone = ["Quittenbaum", "Brunhilde", BORN, CITY, "von der Quitt", "d'Quitten"];
    let kept = [
        "job 17\nSurname: ",
        ", State: open\nCity: ",
        " | Total: 3\nStatus: open\nAddress: please see below\nLogin: failed\nPassword: required\nCity: OK\nStreet: none\n",
        "\nSubtotal: 12.50\n",
    ];
    once("text/plain", &text, &gone, &kept);
}

#[test]
fn lines_of_a_machine_readable_zone_stay_lines() {
    let passport = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let card = "I<UTOD231458907<<<<<<<<<<<<<<<\r\n7408122F1204159UTO<<<<<<<<<<<6\r\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";
    for zone in [passport, card, &passport.replace('\n', "\\n")] {
        let text = format!("read:\n{zone}\nconfidence=0.98\n");
        let out = once(
            "text/plain",
            &text,
            &["ERIKSSON", "L898902C3", "D23145890", "740812"],
            &["read:\n", "\nconfidence=0.98\n"],
        );
        assert_eq!(out.lines().count(), text.lines().count(), "{out}");
        assert_eq!(out.matches("tok-").count(), if zone == card { 3 } else { 2 }, "{out}");
    }
}

#[test]
fn interchanges_are_read_by_place_and_qualifier() {
    let text = "UNA:+.? '\nUNB+UNOA:4+AIRLINE1+NZCS+261126:0900+000000001'\nUNH+PAX001+PAXLST:D:05B:UN:IATA'\nBGM+745'\n\
        NAD+FL+++QUITTENBAUM:BRUN?'HILDE+12 Quittenweg+Quickborn++25451+DE'\nATT+2++F'\nDTM+329:19730521'\nDTM+189:202611260900'\n\
        DOC+P:110:111+16SL73679'\nCOM+brun+shop@example.org:EM'\nCOM+33699059894:TE+33699059895:FX'\nCTA+IC+:B QUITTENBAUM'\nUNT+13+PAX001'\nUNZ+1+000000001'\n";
    let gone =
        ["QUITTENBAUM", "HILDE", "Quittenweg", "Quickborn", "25451", "19730521", "16SL73679", "brun", "3369905989"];
    let kept = [
        "UNA:+.? '\nUNB+UNOA:4+AIRLINE1+NZCS+261126:0900+000000001'\n",
        "'\nATT+2++F'\nDTM+329:",
        "'\nDTM+189:202611260900'\nDOC+P:110:111+",
        "'\nUNT+13+PAX001'\nUNZ+1+000000001'\n",
    ];
    let out = once("application/edifact", text, &gone, &kept);
    let signs = |text: &str| text.matches(['+', ':', '\'']).count();
    // Two signs were released, one was none, and the two telephones begin with one.
    assert_eq!(signs(&out), signs(text), "{out}");
    once("application/edifact", &text.replacen("UNA:+.? '\n", "", 1), &gone, &kept[1..]);
    let other = "UNA|*.! ~UNB*UNOC|3*A*B~NAD*FL***QUITTENBAUM|BRUNHILDE*12 Quittenweg*Quickborn**25451*DE~";
    once("application/edifact", other, &gone, &["UNA|*.! ~UNB*UNOC|3*A*B~NAD*FL***", "*DE~"]);
}

#[test]
fn a_table_may_have_signs_in_its_names() {
    let text = format!(
        "Matricule;Prénom;N° Sécurité sociale;Né(e) le;Ville;Statut\n65785928;Brunhilde;289053538224541;27/05/1989;{CITY};Cadre\n"
    );
    once(
        "text/csv",
        &text,
        &["Brunhilde", "289053538224541", "27/05/1989", CITY],
        &["Matricule;Prénom;N° Sécurité sociale;Né(e) le;", ";Cadre\n"],
    );
}

#[test]
fn lines_that_others_read_are_left_to_them() {
    let text = "Dear Bob,\nphone: \"+33612345678\"\nCookie: sessionid=Quittencookie77; theme=dark\nAuthorization: Bearer Quittentoken7777xyz\n";
    let kept = ["phone: \"", "\"\nCookie: sessionid=", "; theme=dark\nAuthorization: Bearer "];
    once("text/plain", text, &["33612345678", "Quittencookie77", "Quittentoken7777xyz"], &kept);
}

/// Pieces of all of them, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let fixed = [
        "UNA:+.? '",
        "UNB+UNOA:4+",
        "NAD+FL+++",
        "COM+",
        ":TE'",
        "DTM+329:",
        "?",
        "'\n",
        "+",
        "dn: cn=",
        "dn:: Y249",
        "cn:: QWRh",
        "\n ",
        "\r\n",
        "sn: ",
        ",ou=",
        "\\",
        "INSERT INTO t (city, `name`, [phone]) VALUES ",
        "('",
        "', ",
        "''",
        "(\"",
        ")",
        "UPDATE t SET city = '",
        " WHERE dob IN (",
        " LIKE '%",
        "COPY t (city, dob) FROM stdin;\n",
        "\t",
        "\\.\n",
        "CREATE TABLE t (city text, ",
        "--",
        "/*",
        ";",
        "->>'city' = ",
        "Key (city, dob)=(",
        ") already exists",
        "Duplicate entry '",
        "' for key 't.uk_city'",
        "Surname: ",
        "**Date of birth:** ",
        "City:\t",
        " | ",
        "\nP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n",
        "\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n",
        "{\"city\":\"Quickborn\"}",
        "Quickborn",
        "Brunhilde",
        "1973-05-21",
        "+33612345678",
        " ada@example.org ",
        "masked",
        "é",
        "\u{a0}",
        "N° de ; Ville\n",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        1 => "[ a-zA-Z0-9'\";,.?+\\n=é€<]{0,6}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_mixture_of_dialects_panics_or_hides_an_address(text in pieces()) {
        let string = serde_json::json!({ "a": text }).to_string();
        let element = format!("<a field='city'><b name='sn'>{}</b></a>", text.replace(['<', '&'], " "));
        for (content_type, body) in [("", &text), ("text/plain", &text), ("application/json", &string), ("text/xml", &element)] {
            let Ok(once) = REDACTOR.body(content_type, body.as_bytes()) else { continue };
            prop_assert!(!String::from_utf8_lossy(&once).contains("ada@example.org"), "{:?}", body);
        }
    }

    #[test]
    fn twice_is_once_whatever_the_values(
        one in "[A-ZÉ][a-zé]{1,8}([ -][A-Z][a-z]{1,6})?", two in "[A-Za-z0-9é .+-]{1,12}",
    ) {
        let quoted = one.replace('\'', "''");
        for text in [
            format!("INSERT INTO t (city, first_name, phone, x) VALUES ('{quoted}', '{two}', '{two}', '{two}'), ('{two}', '{one}', 1, '')"),
            format!("UPDATE t SET city='{two}' WHERE last_name IN ('{one}', '{two}') AND x = '{one}'"),
            format!("version: 1\ndn: cn={one},ou=x\ncn:: {}\nsn: {two}\nmail: x\n", STANDARD.encode(&one)),
            format!("UNB+UNOA:4+A+B'NAD+FL+++{one}:x+{one}+{one}++1'COM+12345678:TE'UNZ+1'"),
            format!("Hello,\nSurname: {one}\nGiven names: {two}\nCity: {two} | x\nEnd\n"),
            format!("<a><Attribute Name='sn'><AttributeValue>{one}</AttributeValue></Attribute><e field='city'><badValue>{two}</badValue></e></a>"),
            format!("Key (last_name)=({one}) already exists. Duplicate entry '{two}' for key 't.uk_city'"),
        ] {
            let Ok(once) = REDACTOR.body("text/plain", text.as_bytes()) else { panic!("{text:?}") };
            let twice = REDACTOR.body("text/plain", &once);
            let twice = twice.map(|body| String::from_utf8_lossy(&body).into_owned());
            prop_assert_eq!(twice.as_deref(), Ok(&*String::from_utf8_lossy(&once)), "{:?}", text);
        }
    }
}
