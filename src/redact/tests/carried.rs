//! Documents that others carry: in strings, in running text, as rows under columns; and words that are names elsewhere.

use super::*;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

const NAME: &str = "Brunhilde Quittenbaum";
const BORN: &str = "1973-05-21";
const CITY: &str = "Quickborn";

/// Redacts, and again, which must change nothing.
fn once(body: &Value) -> Value {
    let out = redact("application/json", &body.to_string());
    assert_eq!(redact("application/json", &out), out, "twice: {body}");
    serde_json::from_str(&out).unwrap()
}

fn assert_gone(out: &str, values: &[&str], body: &str) {
    for value in values {
        assert!(!out.contains(value), "{value} of {body} in {out}");
    }
}

/// Bodies of other formats, each with what must not be readable and what must stay.
fn carried() -> Vec<(String, Vec<&'static str>, &'static str)> {
    vec![
        (
            format!("id,Full Name,birth_date,city\n7,{NAME},{BORN},{CITY}\n8,x,,\n"),
            vec![NAME, BORN, CITY],
            "id,Full Name",
        ),
        (format!("BEGIN:VCARD\r\nFN:{NAME}\r\nBDAY:{BORN}\r\nEND:VCARD\r\n"), vec![NAME, BORN], "BEGIN:VCARD\r\nFN:"),
        (
            format!("<Attribute Name=\"birthdate\"><AttributeValue>{BORN}</AttributeValue></Attribute>"),
            vec![BORN],
            "<Attribute Name=\"birthdate\"><AttributeValue>",
        ),
        (
            format!("--b\r\nContent-Disposition: form-data; name=\"city\"\r\n\r\n{CITY}\r\n--b--\r\n"),
            vec![CITY],
            "name=\"city\"\r\n\r\n",
        ),
        (
            format!(
                "MSH|^~\\&|ADT|HOSP\rPID|1||8006147^^^HOSP^MR||Quittenbaum^Brunhilde||19730521|F|||12 Quittenweg^^{CITY}\r"
            ),
            vec!["8006147", "Quittenbaum", "Brunhilde", "19730521", "Quittenweg", CITY],
            "^^^HOSP^MR||",
        ),
        (format!("data[FNAME]=x&city={CITY}&state=open&n=1"), vec![CITY], "&state=open&n=1"),
        (format!("{{\"birth_date\":\"{BORN}\"}}\n{{\"city\":\"{CITY}\"}}\n"), vec![BORN, CITY], "{\"birth_date\":"),
    ]
}

#[test]
fn a_string_may_carry_any_document() {
    for (body, values, kept) in carried() {
        for carrier in [json!({ "body": body }), json!({ "event": { "list": [body] } })] {
            let out = once(&carrier).to_string();
            assert_gone(&out, &values, &body);
            assert!(out.contains(&json!(kept).to_string().trim_matches('"').to_owned()), "{kept} not in {out}");
        }
        let out = once(&json!({ "body": STANDARD.encode(&body) }));
        let decoded =
            String::from_utf8(STANDARD_NO_PAD.decode(out["body"].as_str().unwrap().trim_end_matches('=')).unwrap())
                .unwrap();
        assert_gone(&decoded, &values, &body);
        assert!(decoded.contains(kept), "{kept} not in {decoded}");
    }
}

#[test]
fn what_only_looks_like_a_document_stays() {
    for text in [
        "size, colour\nred, blue\n",
        "a=b & c=d",
        "BEGIN:VCARD without lines",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
        "use {\"a\": 1} or {\"b\" here",
        "{ \"a\": {",
        "max=5&min=1",
    ] {
        let body = json!({ "note": text });
        assert_eq!(once(&body), body);
    }
}

#[test]
fn a_form_in_a_string_keeps_its_pairs() {
    let out =
        once(&json!({ "body": "To=%2B14155550100&From=%2B14155550101&client_secret=hunter2x&scope=openid&b=%26" }));
    let pairs: Vec<&str> = out["body"].as_str().unwrap().split('&').collect();
    assert_eq!(pairs.len(), 5, "{pairs:?}");
    assert!(pairs[2].starts_with("client_secret=tok-") && pairs[3..] == ["scope=openid", "b=%26"], "{pairs:?}");
    assert_gone(out["body"].as_str().unwrap(), &["14155550100", "14155550101", "hunter2x"], "form");
}

#[test]
fn a_log_line_may_hold_json() {
    let line = format!(
        "2026-01-02 POST /v1 body={{\"phone\":33612345678,\"name\":{{\"value\":\"{NAME}\"}},\"n\":[{{\"key\":\"city\",\"value\":\"{CITY}\"}}]}} took 12 ms {{\"ok\":true}}"
    );
    for (content_type, body) in [("text/plain", line.clone()), ("application/json", json!({ "log": line }).to_string())]
    {
        let out = redact(content_type, &body);
        assert_eq!(redact(content_type, &out), out);
        assert_gone(&out, &["33612345678", NAME, CITY], &body);
        let text = match serde_json::from_str::<Value>(&out) {
            Ok(out) => out["log"].as_str().unwrap().to_owned(),
            Err(_) => out,
        };
        let document = text.split_once("body=").unwrap().1.split_once(" took 12 ms {\"ok\":true}").unwrap().0;
        let document: Value = serde_json::from_str(document).unwrap();
        assert!(document["phone"].is_number(), "{document}");
    }
}

#[test]
fn every_line_of_a_log_is_read() {
    let line = format!("INFO {{ \"user\": {{\"city\":\"{CITY}\"}} }} done {{\"broken\n");
    let out = redact("text/plain", &line.repeat(10));
    assert_gone(&out, &[CITY], &line);
    let line = format!("INFO {{ \"user\": {{\"city\":\"{CITY}\"}} }} done {{x\n");
    let out = redact("text/plain", &line.repeat(200));
    assert_gone(&out, &[CITY], &line);
    assert_eq!(redact("text/plain", &out), out);
}

#[test]
fn rows_stand_under_the_names_of_their_columns() {
    let named = json!(["id", "full_name", "birth_date", "city"]);
    let row = json!([7, NAME, BORN, CITY]);
    let cells: Vec<Value> = row.as_array().unwrap().iter().map(|cell| json!({ "v": cell })).collect();
    let fields: Vec<Value> =
        named.as_array().unwrap().iter().map(|name| json!({ "name": name, "type": "STRING" })).collect();
    for body in [
        json!({ "columns": named, "rows": [row, row] }),
        json!({ "data": [row], "Column_Names": named }),
        json!({ "schema": { "fields": fields }, "rows": [{ "f": cells }] }),
        json!({ "range": "A1:D2", "values": [named, row] }),
        json!([named, row, row]),
    ] {
        let out = once(&body);
        assert_gone(&out.to_string(), &[NAME, BORN, CITY], &body.to_string());
        assert!(out.to_string().contains('7') && out.to_string().contains("\"birth_date\""), "{out}");
    }
    // Nothing is passed over: what stands beside a row's cells, a table wider than any, a first row with a value in it.
    let mut wide = vec!["full_name"; 200];
    wide[199] = "ada@example.org";
    for body in [
        json!({ "columns": ["city"], "rows": [{ "f": [{ "v": CITY }] }, { "f": [{ "v": 1 }], "g": "ada@example.org" }] }),
        json!({ "values": [wide, vec!["x"; 200]] }),
        json!({ "values": [["full_name", "city", "ada@example.org"], [1, 2, 3]] }),
    ] {
        assert_gone(&once(&body).to_string(), &["ada@example.org", CITY], &body.to_string());
    }
    let harmless =
        json!({ "columns": ["id", "colour"], "rows": [[7, "red"]], "values": [["red", "blue"], ["a", "b"]] });
    assert_eq!(once(&harmless), harmless);
}

#[test]
fn a_jcard_names_its_values_by_place() {
    let card = json!(["vcard", [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", NAME],
        ["bday", {}, "date", BORN],
        ["adr", { "type": "home" }, "text", ["", "", "12 Quittenweg", CITY, "", "25451", ""]],
    ]]);
    let out = once(&json!({ "vcardArray": card }));
    assert_gone(&out.to_string(), &[NAME, BORN, "Quittenweg", CITY], &card.to_string());
    assert_eq!(out["vcardArray"][1][0], card[1][0]);
    assert_eq!(out["vcardArray"][1][2][2], "date");
}

#[test]
fn the_type_of_a_value_is_no_name_for_it() {
    let fields = json!({ "birthdate": { "type": "date", "value": BORN }, "city": { "type": "string", "value": CITY } });
    let out = once(&fields);
    assert_gone(&out.to_string(), &[BORN, CITY], &fields.to_string());
    let told = once(&json!({ "type": "email", "value": "ada@example.org" }));
    assert_gone(&told.to_string(), &["ada@example.org"], "pair");
}

#[test]
fn a_name_that_is_a_field_elsewhere_renames_nothing() {
    let body = json!({ "last_name": "Company", "company": "x1", "Company": "y1", "status": "open" });
    let out = once(&body);
    assert!(out["last_name"].as_str().unwrap().starts_with("person-"), "{out}");
    assert_eq!((&out["company"], &out["Company"]), (&json!("x1"), &json!("y1")));
    for name in ["Quittenbaum", "Street", "Company"] {
        let mentioned =
            once(&json!({ "last_name": name, "company": "x1", "note": format!("for {name}, of that street") }));
        assert_gone(&mentioned.to_string(), &[name], "mention");
        assert_eq!(mentioned["company"], "x1");
        assert!(mentioned["note"].as_str().unwrap().ends_with(", of that street"), "{mentioned}");
    }
}

#[test]
fn one_body_of_both_answers_is_redacted_and_counted_for_both() {
    let text = format!("{{\"name\":\"{NAME}\",\"email\":\"ada@example.org\",\"customer\":\"{NAME}\"}}");
    let same = json_answer(text.as_bytes(), None);
    let out = REDACTOR.capture(capture("/", &[], BodyCopy::empty(), same.clone())).into_inner();
    let body = |exchange: &Exchange| exchange.response.as_ref().unwrap().body.bytes.clone();
    let hits =
        |recording: &Recording, side| recording.hits.iter().filter(|hit| hit.side == side).map(|hit| hit.count).sum();
    let (primary, shadow): (u32, u32) = (hits(&out, Side::Primary), hits(&out, Side::Shadow));
    assert!(primary > 1 && primary == shadow, "{:?}", out.hits);
    assert_eq!(body(out.capture.primary.as_ref().unwrap()), body(&out.capture.shadow));
    assert_gone(&String::from_utf8_lossy(&body(&out.capture.shadow)), &[NAME, "ada@example.org"], &text);
    // Read in another way it is another body.
    let mut other = capture("/", &[], BodyCopy::empty(), same);
    let answer = other.shadow.response.as_mut().unwrap();
    answer.headers.insert("content-type", HeaderValue::from_static("text/plain"));
    answer.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    let out = REDACTOR.capture(other).into_inner();
    assert!(out.capture.shadow.response.unwrap().body.drop_reason().is_some());
    assert!(!out.capture.primary.unwrap().response.unwrap().body.bytes.is_empty());
}

#[test]
fn a_value_is_mentioned_as_a_whole_or_in_its_parts() {
    let (road, code) = ("163 Dublin Road", "H91 B4D4");
    let whole = format!("{road}, {code} {CITY}");
    let body = json!({ "title": whole, "address": {
        "label": whole, "street": road, "postalCode": code, "city": CITY, "note": format!("{road}, {code}, or else"),
    } });
    let out = once(&body);
    assert_gone(&out.to_string(), &[road, code, CITY], &body.to_string());
    assert_eq!(out["title"], out["address"]["label"]);
}

#[test]
fn what_names_a_value_may_stand_anywhere_beside_it() {
    for body in [
        json!({ "answer": "21/05/1973", "position": 2, "question": "Date of birth" }),
        json!({ "name": "Date of birth", "type": "short_text", "value": "21.05.1973" }),
        json!({ "key": "user.full_name", "value": { "stringValue": NAME } }),
    ] {
        // The order of members is that of their names.
        let out = once(&body);
        assert_gone(&out.to_string(), &["21/05/1973", "21.05.1973", NAME], &body.to_string());
    }
    let other = r#"{"question":"Date of birth","type":"text","required":true,"answer":"21.05.1973"}"#;
    assert_gone(&redact("application/json", other), &["21.05.1973"], other);
    let told = json!({ "type": { "text": "SSN" }, "system": "urn:oid:1.2.36.146.595.217.0.1", "value": "078-05-1121" });
    assert_gone(&once(&told).to_string(), &["078-05-1121"], "identifier");
    let none = json!({ "key": "colour", "type": "text", "value": { "stringValue": "red" } });
    assert_eq!(once(&none), none);
}

#[test]
fn lines_of_names_and_values_are_read_in_strings_too() {
    let body = json!({ "body": format!("customer:\n  first_name: Brunhilde\n  city: {CITY}\n# end\nSMTP_PASSWORD=hunter2x\n") });
    let out = once(&body).to_string();
    assert_gone(&out, &["Brunhilde", CITY, "hunter2x"], &body.to_string());
    assert!(out.contains("customer:\\n  first_name: "), "{out}");
}

#[test]
fn a_long_value_of_another_script_is_replaced_where_it_is_mentioned() {
    let name = "นภัสรินทร์ ถนัดการเขียน";
    assert!(name.len() > 64);
    let body = json!({ "full_name": name, "remark": format!("x {name} x") });
    let out = once(&body);
    assert_gone(&out.to_string(), &[name], &body.to_string());
    assert!(out["remark"].as_str().unwrap().starts_with("x person-"), "{out}");
}

#[test]
fn the_stand_in_of_a_telephone_is_known_without_its_sign() {
    for text in ["My number is +898084589404", "Mi DNI es +898084589404."] {
        assert_eq!(redact("text/plain", text), text);
    }
}

#[test]
fn an_account_in_a_bank_of_code_zero_is_no_stand_in() {
    let out = redact("application/json", r#"{"iban":"EE320000331404486707"}"#);
    assert!(!out.contains("EE320000331404486707"), "{out}");
    assert_eq!(redact("application/json", &out), out);
}
