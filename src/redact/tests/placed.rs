//! Values in places of their own: in compressed strings and `data:` URLs, in lists beside a list of their names, as what
//! members are called by, in messages about a field, behind captions, with blanks around them.

use super::*;
use crate::redact::format::coding;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn once(body: &Value) -> String {
    let out = redact("application/json", &body.to_string());
    assert_eq!(redact("application/json", &out), out, "twice: {body}");
    out
}

/// Redacts a body in which each of the texts is to be replaced, and each of the others to stay.
fn check(body: &Value, gone: &[&str], kept: &[&str]) {
    let out = once(body);
    for text in gone {
        assert!(!out.contains(text), "{text} in {out}");
    }
    for text in kept {
        assert!(out.contains(text), "no {text} in {out}");
    }
}

fn gunzipped(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    let bytes = STANDARD.decode(body["data"].as_str().unwrap()).unwrap();
    String::from_utf8(coding::gunzip(&bytes, 1 << 20).unwrap().unwrap()).unwrap()
}

#[test]
fn what_is_compressed_in_a_string_is_read() {
    let gzip = |text: &str| STANDARD.encode(coding::gzip(text).unwrap());
    let text = r#"{"logEvents":[{"message":"{\"lastName\":\"Quittenbaum\"}"}],"id":7}"#;
    let out = once(&json!({ "data": gzip(text) }));
    let inside = gunzipped(&out);
    assert!(!inside.contains("Quittenbaum") && inside.ends_with(r#"}],"id":7}"#), "{inside}");
    // What has nothing to replace keeps its bytes; what is cut short or too large is no body we know.
    let body = json!({ "data": gzip("nothing to see in here") });
    assert_eq!(once(&body), body.to_string());
    let cut = gzip(text)[..40].to_owned();
    let dropped = REDACTOR.body("application/json", json!({ "data": cut }).to_string().as_bytes());
    assert_eq!(dropped.err(), Some(DropReason::Undecodable));
    let large = gzip(&" ".repeat(64 << 20));
    let many = json!([gzip(&" ".repeat(6 << 20)), gzip(&" ".repeat(6 << 20)), gzip(&" ".repeat(5 << 20))]);
    for data in [json!(large), many] {
        let dropped = REDACTOR.body("application/json", json!({ "data": data }).to_string().as_bytes());
        assert_eq!(dropped.err(), Some(DropReason::Bomb));
    }
}

#[test]
fn what_a_data_url_holds_is_read() {
    let table = STANDARD.encode("id,last_name\n1,Quittenbaum\n");
    let out = once(&json!({ "url": format!("data:text/csv;base64,{table}") }));
    let fresh = out.split(',').nth(1).and_then(|text| STANDARD.decode(text.trim_end_matches("\"}")).ok()).unwrap();
    assert!(fresh.starts_with(b"id,last_name\n1,person-"), "{out}");
    let body = json!({ "url": "data:text/plain;charset=utf-8,mail%20to%20q%40example.org", "x": "data: Ada, Grace" });
    check(&body, &["q%40example.org"], &["data:text/plain;charset=utf-8,mail%20to%20", "data: Ada, Grace"]);
    let body =
        json!({ "a": "data:text/plain;base64,q@example.org", "b": "data:text/plain;id=4012888888881881;base64,eA==" });
    check(&body, &["q@example.org", "4012888888881881"], &["data:text/plain;base64,", ";base64,eA=="]);
    let picture = json!({ "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUtCvOYVUEIUJ9e79lR6rd" });
    assert_eq!(once(&picture), picture.to_string());
}

#[test]
fn a_mail_in_a_string_is_read_as_one() {
    let mail = "From: =?UTF-8?Q?Quirl_Quittenbaum?= <q@example.org>\r\nDate: Sun, 10 Nov 2024 03:27:26 +0000\r\nSubject: hi\r\n\
                Content-Transfer-Encoding: base64\r\n\r\nbXkgbWFpbCBpcyBxQGV4YW1wbGUub3Jn\r\n";
    check(&json!({ "raw": mail }), &["Quittenbaum", "q@example", "bXkgbWFpbCBpcyBxQGV4YW1wbGUub3Jn"], &["Nov 2024"]);
}

#[test]
fn a_list_of_values_stands_beside_the_list_of_their_names() {
    let body = json!({ "names": ["lastName", "shippingCost", "cvv"], "values": ["Quittenbaum", "864,25", "862"] });
    check(&body, &["Quittenbaum", "862"], &[r#""lastName","shippingCost","cvv""#, "864,25"]);
    let chart = json!({ "labels": ["January", "February"], "data": ["12", "13"] });
    assert_eq!(once(&chart), chart.to_string());
}

#[test]
fn header_lines_in_a_list_are_header_lines() {
    for headers in [
        json!(["Host", "api.example.com", "X-Api-Key", "Quitten8baum9", "Accept", "*/*"]),
        json!([["Host", "api.example.com"], ["X-Api-Key", "Quitten8baum9"]]),
    ] {
        check(&json!({ "rawHeaders": headers }), &["Quitten8baum9"], &["api.example.com", "X-Api-Key"]);
    }
    let columns = json!({ "headers": ["password", "token"] });
    assert_eq!(once(&columns), columns.to_string());
    check(&json!({ "headers": ["4012888888881881", "x", "X-A", "y"] }), &["4012888888881881"], &[r#""x","X-A","y""#]);
}

#[test]
fn members_may_be_called_by_what_the_objects_name_says() {
    let body = json!({ "by_nif": { "211511153": { "n": 1 } }, "account_number_index": { "3878432380": 2 } });
    check(&body, &["211511153", "3878432380"], &[r#"{"n":1}"#]);
    let body = json!({ "by_city": { "Quickborn": 3 }, "by_status": { "211511153": 4 } });
    assert_eq!(once(&body), body.to_string());
}

#[test]
fn what_compares_a_value_is_no_name_of_it() {
    let body = json!({ "filter": { "last_name": { "$eq": "Quittenbaum" }, "postcode": { "$in": ["90855"] } } });
    check(&body, &["Quittenbaum", "90855"], &[r#""$eq":"#, r#""$in":["#]);
}

#[test]
fn blanks_around_a_value_are_kept() {
    let body = json!({ "postcode": " 38654\n", "last_name": "  QUITTENBAUM", "status": " open " });
    check(&body, &["38654", "QUITTENBAUM"], &[r#"\n","#, r#""status":" open ""#]);
}

#[test]
fn messages_about_a_field_name_its_value() {
    for (text, kept) in [
        ("Invalid value 'Quittenbaum' for field 'lastName'", "Invalid value '"),
        ("could not parse last_name from `Quittenbaum`", "could not parse last_name from `"),
        ("given_name eq 'Quirl' and customer.last_name eq 'Quittenbaum' and n eq '7'", "' and n eq '7'"),
        ("Received last_name=>'Quittenbaum', n=>'7'", ", n=>'7'"),
        ("[last_name] Quittenbaum does not match pattern ^[a-z]+$", " does not match pattern ^[a-z]+$"),
    ] {
        check(&json!({ "message": text }), &["Quittenbaum", "'Quirl'"], &[kept]);
    }
    for text in ["it's 'fine' for all, isn't it", "Invalid value 'open' for field 'status'", "a 'last_name' in 'b'"] {
        let body = json!({ "message": text });
        assert_eq!(once(&body), body.to_string());
    }
}

#[test]
fn a_caption_in_bold_names_what_stands_behind_it() {
    for html in [
        "<p><strong>Last name</strong>: Quittenbaum</p><p><b>Status</b>: open</p>",
        "<p><b>Last name:</b> Quittenbaum<br><b>Status:</b> open</p>",
        "<map><entry><string>lastName</string><string>Quittenbaum</string></entry><e>open</e></map>",
    ] {
        check(&json!({ "html": html }), &["Quittenbaum"], &["open"]);
    }
}

#[test]
fn a_name_is_replaced_where_its_last_part_stands_first() {
    let body = json!({ "full_name": "Måns Quittenbröd", "note": "QUITTENBRÖD MÅNS called, Quittenbröd, Måns did not" });
    check(&body, &["QUITTENBR", "Quittenbr"], &[" called, ", " did not"]);
}

#[test]
fn a_list_may_say_that_it_is_one() {
    let body = json!({ "plaatsLijst": ["Quickborn"], "last_name_list": ["Quittenbaum"], "price_list": ["open"], "asset": ["open"] });
    check(&body, &["Quickborn", "Quittenbaum"], &[r#"["open"],"asset":["open"]"#]);
}
