//! Addresses that go over a clause, a line or a paragraph; and names that lists and registers tell.

use super::*;
use serde_json::{Value, json};

#[test]
fn an_address_is_replaced_with_its_town() {
    for address in [
        "Kossuth tér 137., 9021 Győr",
        "Av. Providencia 139, 5090000 Valdivia",
        "97 rue Saint-Denis, V1Y 6N5 Kelowna",
        "174 Lê Lợi, 530000 Huế",
        "73 ซอยลาดพร้าว, 40000 ขอนแก่น",
        "Pikk tn 120, 80010 Pärnu",
        "〒980-0811 仙台市梅田49丁目5番3号",
        "12 High Street, London SW1Y 4JH",
    ] {
        let out = once("text/plain", &format!("please send it to {address}; order 4711"));
        assert!(out.starts_with("please send it to addr-") && out.ends_with("; order 4711"), "{out}");
        for part in address.split([' ', ',']).filter(|part| part.len() > 2) {
            assert!(!out.contains(part), "{part} of {address} in {out}");
        }
    }
}

#[test]
fn the_lines_of_an_address_stay_lines() {
    let out = once("text/plain", "change it to\nIlica 53\n31000 Osijek\n\nThanks");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        matches!(lines[..], ["change it to", street, town, "", "Thanks"]
        if street.starts_with("addr-") && town.starts_with("addr-")),
        "{out}"
    );
    let out = once("text/html", "<td>Ada Lovelace<br/>Hauptstr. 5<br />10115 Berlin<br>status: open</td>");
    assert!(!out.contains("Hauptstr") && !out.contains("10115") && !out.contains("Berlin"), "{out}");
    assert!(
        out.contains("<br/>addr-") && out.contains("<br />addr-") && out.ends_with("<br>status: open</td>"),
        "{out}"
    );
}

#[test]
fn a_line_of_a_paragraph_may_be_a_document() {
    let hidden =
        base64::engine::general_purpose::STANDARD.encode(r#"{"email":"ada@example.org","surname":"Quittenbaum"}"#);
    let out = once("text/html", &format!("<p>Hauptstr. 5<br>10115 Berlin<br>{hidden}</p>"));
    assert!(!out.contains(&hidden) && !out.contains("10115"), "{out}");
}

#[test]
fn a_number_on_the_next_line_is_no_town() {
    let log = "delivered to Hauptstr. 5\n2024-01-15T10:00:00Z INFO next\nInvoice 12345\n";
    let out = once("text/plain", log);
    assert!(out.ends_with("\n2024-01-15T10:00:00Z INFO next\nInvoice 12345\n"), "{out}");
}

#[test]
fn a_place_in_a_document_names_what_was_sent_there() {
    let body = json!({ "detail": [
        { "type": "string_too_long", "loc": ["body", "customer", "family_name"], "input": "Quittenbaum" },
        { "type": "value_error", "loc": ["body", "amount"], "input": "Quitt" },
    ] });
    let out: Value = serde_json::from_str(&once("application/json", &body.to_string())).unwrap();
    assert_ne!(out["detail"][0]["input"], body["detail"][0]["input"]);
    assert_eq!(out["detail"][1], body["detail"][1]);
}

#[test]
fn the_address_of_a_register_says_what_its_numbers_are() {
    let told = |system: &str| json!({ "identifier": [{ "system": system, "value": "KX90-1277-A" }] });
    let out = |body: &Value| -> Value { serde_json::from_str(&once("application/json", &body.to_string())).unwrap() };
    let person = told("https://fhir.nhs.uk/Id/nhs-number");
    assert_ne!(out(&person), person);
    for other in ["https://shop.example/Id/order-number", "https://nhs-number.example", "https://shop.example/email"] {
        assert_eq!(out(&told(other)), told(other));
    }
}

#[test]
fn brands_are_nobody() {
    for brand in ["Tommy Hilfiger Polo", "Morgan Stanley", "Jack Daniel's Honey 0.7l", "the Aston Martin DB12 arrived"]
    {
        let body = json!({ "description": brand }).to_string();
        assert_eq!(once("application/json", &body), body);
    }
    // Under a name for persons it is somebody's.
    let body = json!({ "sender_name": "Tommy Hilfiger" }).to_string();
    assert!(!once("application/json", &body).contains("Tommy"));
}

#[test]
fn a_caption_of_several_words_names_its_column() {
    let table = "Konto;Vorname (Adressattyp natürl. Person);Ort\n6556;Brunhilde;Quickborn\n7307;Axel;Umeå\n";
    let out = once("text/csv", table);
    assert!(out.starts_with("Konto;Vorname (Adressattyp natürl. Person);Ort\n"), "{out}");
    for value in ["Brunhilde", "Axel", "Quickborn"] {
        assert!(!out.contains(value), "{value} in {out}");
    }
}

#[test]
fn what_ends_a_line_says_nothing_of_the_next_one() {
    let log = "203.0.113.9 - - \"GET / HTTP/1.1\" 200 5 \"Mozilla/5.0 Chrome/131.0.0.0\"\n81.2.69.142 - - \"GET / HTTP/1.1\" 200 5\n";
    let out = redact("text/plain", log);
    assert!(
        !out.contains("203.0.113.9") && !out.contains("81.2.69.142") && out.contains("Chrome/131.0.0.0\"\n"),
        "{out}"
    );
}

#[test]
fn a_section_of_a_configuration_stands_above_its_lines() {
    let out = once("text/plain", "[smtp]\nname = Mail Relay\n\n[owner]\nname = Indiana Quigley\n");
    assert!(out.contains("Mail Relay") && !out.contains("Quigley"), "{out}");
}

#[test]
fn a_register_told_by_its_number_names_the_paper() {
    let body = json!({ "identifier": [
        { "system": "urn:oid:2.16.840.1.113883.4.1", "value": "829177954" }, { "system": "urn:oid:1.2.3.4", "value": "829177955" },
    ] });
    let out = json_once(&body);
    assert_ne!(out["identifier"][0]["value"], body["identifier"][0]["value"]);
    assert_eq!(out["identifier"][1], body["identifier"][1]);
}

#[test]
fn columns_are_found_behind_a_schema_that_is_only_a_name() {
    let body =
        json!({ "schema": "members/2", "columns": ["street", "plan"], "rows": [["Stationslei", "Family plan"]] });
    let out = json_once(&body);
    assert_ne!(out["rows"][0][0], "Stationslei");
    assert_eq!(out["rows"][0][1], "Family plan");
}

#[test]
fn a_rejected_value_is_named_by_its_field() {
    let body =
        json!({ "details": [{ "field": "customer.last_name", "rejected": "Hofstätter", "reason": "too long" }] });
    let out = json_once(&body);
    assert_ne!(out["details"][0]["rejected"], "Hofstätter");
    assert_eq!(out["details"][0]["reason"], "too long");
}

#[test]
fn what_is_wrong_with_a_field_does_not_name_it() {
    let body = json!({ "details": [{ "field": "email", "issue": "is not a well-formed address" }] });
    assert_eq!(json_once(&body), body);
}

#[test]
fn a_template_that_welcomes_is_kept() {
    let body =
        json!({ "sg_template_name": "Welcome Template", "category": ["welcome-series"], "email": "ada.q@example.org" });
    let out = json_once(&body);
    assert_eq!(out["sg_template_name"], "Welcome Template");
    assert_ne!(out["email"], body["email"]);
}

#[test]
fn a_small_word_within_a_name_is_no_title() {
    let out = json_once(&json!({ "display_name": "Sophie in 't Veld", "name": "Bitte Andersen", "dob": "1970-01-02" }));
    assert!(out["display_name"].as_str().is_some_and(|name| name.starts_with("person-")), "{out}");
    assert!(out["name"].as_str().is_some_and(|name| name.starts_with("person-")), "{out}");
}

#[test]
fn captions_and_values_in_turn_are_read_together() {
    let page = json!({"lines": ["REPUBLIC OF X", "Surname / Nom", "QUITTENBAUM", "Date of birth", "12.03.1980", "Nationality", "GERMAN"]});
    let out = json_once(&page);
    let line = |at: usize| out["lines"][at].as_str().unwrap().to_owned();
    assert!(line(2).starts_with("person-") && line(4) != "12.03.1980" && line(6) == "GERMAN", "{out}");
    let blocks = json!({"Blocks": [
        {"BlockType": "PAGE", "Id": "1"},
        {"BlockType": "LINE", "Text": "1. Surname", "Relationships": [{"Type": "CHILD", "Ids": ["a", "b"]}]},
        {"BlockType": "LINE", "Text": "QUITTENBAUM", "Confidence": 98.1},
        {"BlockType": "LINE", "Text": "Date of birth", "Confidence": 98.1},
        {"BlockType": "LINE", "Text": "12.03.1980", "Confidence": 97},
    ]});
    let out = json_once(&blocks).to_string();
    assert!(!out.contains("QUITTENBAUM") && !out.contains("1980") && out.contains("\"1. Surname\""), "{out}");
    let out = once("text/plain", "LICENCE\nSurname\nQUITTENBAUM\n\nDate of birth\n12.03.1980\nClass\nB\n");
    assert!(!out.contains("QUITTENBAUM") && !out.contains("1980") && out.ends_with("Class\nB\n"), "{out}");
    let form = json!(["First name", "Submit", "Last name", "Cancel"]);
    assert_eq!(json_once(&form), form);
}

#[test]
fn what_stands_beside_a_value_is_heard_in_xml_too() {
    let body = |inside: &str| format!("<a><!-- x > y --><p>{inside}</p><surname>Q</surname></a>");
    for inside in [
        "<name>Quirl</name><surname>Quittenbaum</surname>",
        "<x><y>1</y></x><![CDATA[<z>]]><surname>Quittenbaum</surname><b/><name>Quirl</name>",
        "<who name=\"Quirl\" surname=\"Quittenbaum\"/>",
        "<field id=\"firstName\">Quirl</field><field id=\"lastName\">Quittenbaum</field>",
    ] {
        let out = redact("application/xml", &body(inside));
        assert!(!out.contains("Quirl") && !out.contains("Quittenbaum"), "{out}");
        assert_eq!(redact("application/xml", &out), out, "twice");
    }
    for inside in
        ["<name>Quirl</name><x><surname>Q</surname></x>", "<name>Quirl</name>", "<field id=\"a17\">Quirl</field>"]
    {
        let out = redact("application/xml", &body(inside));
        assert!(out.contains(">Quirl<"), "{out}");
    }
}

#[test]
fn what_stands_beside_a_value_is_heard_where_types_are_wrapped_around_it() {
    let body =
        r#"{"Item":{"pk":{"S":"U#9"},"display_name":{"S":"Quirl Quittenbaum"},"email":{"S":"q@example.org"}},"n":1}"#;
    let out = redact("application/json", body);
    assert!(!out.contains("Quirl") && out.contains("U#9"), "{out}");
}
