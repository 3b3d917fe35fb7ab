//! Values whose name stands elsewhere in the document: in a pair, behind the rows, in a layout, or in what a call takes.

use super::*;
use serde_json::json;

#[test]
fn the_first_of_a_pair_names_the_second() {
    let out = json_once(&json!({ "facts": [["Surname", "quirl"], ["Passport no.", "XK2950928"], ["Hall", "seven"]] }));
    assert!(!out.to_string().contains("quirl") && !out.to_string().contains("XK2950928"), "{out}");
    assert_eq!((&out["facts"][0][0], &out["facts"][2][1]), (&json!("Surname"), &json!("seven")));
    // One name that rules list may be chance, and columns with their types have no values.
    for body in [json!([["surname", "quirl"], ["hall", "seven"]]), json!([["surname", "string"], ["password", "text"]])]
    {
        assert_eq!(json_once(&body), body);
    }
}

#[test]
fn columns_with_their_types_name_no_rows() {
    let header = json!([["Nachname", "str"], ["Filiale", "str"]]);
    let body = json!({ "header": header, "cells": { "Nachname": ["Quirl"], "Filiale": ["Filiale Nordstadt"] } });
    let out = json_once(&body);
    assert!(out["cells"]["Nachname"][0] != "Quirl" && out["cells"]["Filiale"] == body["cells"]["Filiale"], "{out}");
    assert_eq!(out["header"], body["header"]);
}

#[test]
fn columns_may_be_told_behind_their_rows() {
    let fields = json!([{ "pos": 0, "name": "last_name" }, { "pos": 1, "name": "article" }]);
    let body = json!({ "rows": [["quirl", "quark"]], "meta": { "took": 5, "fields": fields } });
    let out = json_once(&body);
    assert!(out["rows"][0][0] != "quirl" && out["rows"][0][1] == "quark", "{out}");
}

#[test]
fn columns_may_be_told_under_any_name() {
    let body = json!({ "kolonnas": ["surname", "article", "dob"], "rindas": [["quirl", "quark", "1952-09-04"]] });
    let out = json_once(&body);
    assert!(
        out["rindas"][0][0] != "quirl" && out["rindas"][0][1] == "quark" && out["rindas"][0][2] != "1952-09-04",
        "{out}"
    );
    // One of the texts may be a column's name by chance.
    let body = json!({ "kolonnas": ["surname", "article"], "rindas": [["quirl", "quark"]] });
    assert_eq!(json_once(&body), body);
}

#[test]
fn cells_between_bars_need_no_rule_of_dashes() {
    let table =
        "Lines below.\n\nNR|SURNAME|DOB|HALL\n001|quirl|1994-07-27|seven\n002|quark|2000-03-28|eight\nclosed 5\n";
    let out = once("text/plain", table);
    assert!(!out.contains("quirl") && !out.contains("quark") && !out.contains("1994"), "{out}");
    assert!(
        out.starts_with("Lines below.\n\nNR|SURNAME|DOB|HALL\n001|")
            && out.contains("|seven\n")
            && out.ends_with("closed 5\n"),
        "{out}"
    );
    let out = once("text/plain", "POLICY|B-2024|SURNAME|quirl|DOB|16/01/1946|note|quark\nHALL|seven\n");
    assert!(!out.contains("quirl") && !out.contains("1946") && out.contains("|note|quark\nHALL|seven"), "{out}");
    // One name of a column may be chance, and so may a word in small letters before another.
    for text in
        ["Lines below.\n\nturn|surname|shelf\n1|quark|seven\nend of it\n", "Lines below.\n\nsurname|quirl\nend of it\n"]
    {
        assert_eq!(once("text/plain", text), text);
    }
}

#[test]
fn dots_may_be_within_a_name() {
    let out =
        once("application/x-www-form-urlencoded", "security.code=860&customer.name=quirl&hall.code=861&page.no=7");
    assert!(!out.contains("860") && !out.contains("quirl") && out.ends_with("&hall.code=861&page.no=7"), "{out}");
    let out = once("text/csv", "security.code,hall.code\n860,861\n");
    assert!(!out.contains("860") && out.contains(",861"), "{out}");
}

#[test]
fn a_layout_names_the_cells_of_a_single_line() {
    let body = json!({ "rec": "P|quirl|1952-09-04|open", "layout": "TYPE|SURNAME|DOB|STATE", "aux": "a|b" });
    let out = json_once(&body);
    let cells: Vec<&str> = out["rec"].as_str().unwrap().split('|').collect();
    assert!(matches!(cells[..], ["P", name, born, "open"] if name != "quirl" && born != "1952-09-04"), "{out}");
    assert_eq!((&out["layout"], &out["aux"]), (&body["layout"], &body["aux"]));
}

#[test]
fn a_call_to_log_in_takes_a_name_and_a_password() {
    let body = json!({ "id": 2, "method": "auth.login", "params": ["quirl.q", "Zebra!umsqdo"] });
    let out = json_once(&body).to_string();
    assert!(!out.contains("quirl.q") && !out.contains("Zebra"), "{out}");
    let body =
        json!({ "service": "object", "method": "execute_kw", "args": ["prod", 2, "Mango$MIzs", "res", "search"] });
    let out = json_once(&body);
    assert!(out["args"][2] != "Mango$MIzs" && out["args"][3] == "res" && out["args"][1] == 2, "{out}");
    let body = json!({ "method": "cart.add", "params": ["lamp", "Zebra!umsqdo"] });
    assert_eq!(json_once(&body), body);
}

#[test]
fn members_may_be_called_by_who_they_are_about() {
    let out =
        json_once(&json!({ "presence": { "quitten33": "away" }, "tasks": { "Ada Lovelace": 1, "Ilvy Quirl": 2 } }));
    let out = out.to_string();
    assert!(!out.contains("quitten33") && !out.contains("Lovelace") && !out.contains("Quirl"), "{out}");
    let body = json!({ "releases": { "release33": 1 }, "lamps": { "Red Lamp": 1, "Blue Lamp": 2 } });
    assert_eq!(json_once(&body), body);
}

#[test]
fn an_account_of_a_service_is_not_looked_for_elsewhere() {
    let out =
        json_once(&json!({ "queue": "amqps://worker:Zebra9umsqdo@mq.example.net/x", "service": "billing-worker" }));
    assert!(!out.to_string().contains("Zebra9umsqdo"), "{out}");
    assert_eq!(out["service"], "billing-worker");
}

#[test]
fn the_name_of_an_annotation_is_no_mailbox() {
    let body = json!({ "_cur_value@OData.Community.Display.V1.FormattedValue": "Euro" });
    assert_eq!(json_once(&body), body);
}

#[test]
fn names_joined_by_the_hyphen_of_hebrew_are_names() {
    let out = json_once(&json!({ "technician": "יהונתן בן־דוד" }));
    assert_ne!(out["technician"], "יהונתן בן־דוד");
}

#[test]
fn a_card_tells_where_somebody_lives() {
    let out =
        once("text/vcard", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nGEO:geo:46.772673,23.591254\r\nEND:VCARD\r\n");
    assert!(!out.contains("46.77"), "{out}");
}

#[test]
fn an_attribute_of_one_letter_may_name_its_value() {
    let out = once("application/xml", r#"<a><p n="Nachname" v="Quirl"/><p n="Halle" v="Quark"/></a>"#);
    assert!(!out.contains("Quirl") && out.contains(r#"n="Nachname""#) && out.contains("Quark"), "{out}");
}

#[test]
fn a_file_is_nobody_though_its_name_stands_where_one_does() {
    let body = json!({ "upload": { "original_name": "passport-front.jpeg" } });
    assert_eq!(json_once(&body), body);
    let out = json_once(&json!({ "entries": [{ "name": "CV_Gaëtan_Fauchereau_2025.pdf" }] }));
    assert!(!out.to_string().contains("Fauchereau"), "{out}");
}

#[test]
fn what_was_replaced_is_not_replaced_again_for_what_stands_around_it() {
    for body in [
        json!({ "ship_to": "Ada Lovelace, Hauptstr. 5, 10115 Berlin" }),
        json!({ "headers": [["Host", "a.example"], ["Authorization", "Basic YWRhOlplYnJhOXVtc3Fkbw=="], ["X-Api-Key", "k9"]] }),
        json!({ "headers": [["Authorization", "Bearer 8sJdk29fKslq02mdK3js"], ["Cookie", "sid=8sJdk29fKs"], ["X-Request-Id", "1"]] }),
        json!({ "text": "مرحبا، اسمي فاطمة الحداد ورقم هاتفي +966501234567 البريد الإلكتروني f.haddad@example.org" }),
        json!({ "text": "Estimada Sra. Nogueira: le confirmamos su cita" }),
    ] {
        assert_ne!(json_once(&body), body);
    }
    // The last is base64 of what stands in for a number.
    for body in [
        json!({ "ship_to": "person-49081fceb2, addr-0b5768348b" }),
        json!({ "usr-tc-kimlik-no_value": "OTk5OTY5MzYyNDM=" }),
    ] {
        assert_eq!(json_once(&body), body);
    }
}
