//! Values whose own name says nothing: typed values, lists of answers, members of structures, cells of tables in text.

use super::*;
use serde_json::json;

#[test]
fn a_type_is_no_name() {
    let body = json!({
        "givenName": { "S": "Māris" }, "phone": { "S": "37129472787" }, "address": { "M": { "town": { "S": "Valmiera" } } },
        "birthDate": { "$date": { "$numberLong": "-527472000000" } }, "dob": { "string": "1997-09-17" },
        "fields": { "birthday": { "timestampValue": "1990-02-18T00:00:00Z" }, "surname": { "stringValue": "Quittenbaum" } },
        "status": { "S": "open" }, "total": { "N": "12.50" },
    });
    let out = json_once(&body).to_string();
    for value in ["Māris", "37129472787", "Valmiera", "-527472000000", "1997-09-17", "1990-02-18", "Quittenbaum"] {
        assert!(!out.contains(value), "{value} in {out}");
    }
    assert!(out.contains(r#"{"S":"open"}"#) && out.contains(r#"{"N":"12.50"}"#), "{out}");
}

#[test]
fn a_list_is_named_like_a_value() {
    let body = json!({ "field_data": [
        { "name": "date_of_birth", "values": ["10/16/1994"] }, { "name": "city", "values": ["Quickborn"] },
        { "name": "favourite_colour", "values": ["red"] },
    ], "answers": { "Telephone": { "textAnswers": { "answers": [{ "value": "621 521 953" }] } } } });
    let out = json_once(&body);
    assert_ne!(out["field_data"][0], body["field_data"][0]);
    assert_ne!(out["field_data"][1]["values"], body["field_data"][1]["values"]);
    assert_eq!(out["field_data"][2], body["field_data"][2]);
    assert_ne!(out["answers"], body["answers"]);
}

#[test]
fn the_names_of_members_stay() {
    let member = |name: &str, value: &str| {
        format!("<member><name>{name}</name><value><string>{value}</string></value></member>")
    };
    let body = |members: &[String]| {
        format!(
            "<methodCall><methodName>a.b</methodName><params><param><value><struct>{}</struct></value></param></params></methodCall>",
            members.concat()
        )
    };
    let names = ["street", "city", "password", "comment", "origin"];
    let values = ["Hauptstr. 5", "Quickborn", "mY#000WUjQ", "ok", "web"];
    let members: Vec<String> = names.iter().zip(values).map(|(name, value)| member(name, value)).collect();
    let out = once("text/xml", &body(&members));
    for name in names {
        assert!(out.contains(&format!("<name>{name}</name>")), "{name} in {out}");
    }
    for value in &values[..3] {
        assert!(!out.contains(value), "{value} in {out}");
    }
}

#[test]
fn cells_between_bars_stand_under_their_columns() {
    let markdown = "# Rota\n\n| Name | Date of birth | Shift |\n|------|:---:|-------|\n| Bognár Tünde | 09/04/1992 | Early |\n\nend | of it\n";
    let out = once("text/markdown", markdown);
    assert!(!out.contains("Tünde") && !out.contains("09/04/1992"), "{out}");
    assert!(out.starts_with("# Rota\n\n| Name | Date of birth | Shift |\n|------|:---:|-------|\n| "), "{out}");
    assert!(out.ends_with(" | Early |\n\nend | of it\n"), "{out}");
    let psql = " id |    city    \n----+------------\n  7 | Quickborn\n(1 row)\n";
    let out = once("text/plain", psql);
    assert!(
        !out.contains("Quickborn") && out.starts_with(" id |    city    \n----+------------\n  7 | addr-"),
        "{out}"
    );
}

#[test]
fn the_captions_of_a_form_stay() {
    let body = json!({ "messages": {
        "form.first_name": "First name", "form.city": "City", "login.password": "Password", "login.forgot": "Forgot your password?",
        "form.birthdate": "Date of birth",
    } });
    assert_eq!(json_once(&body), body);
    // A part of a word is no caption.
    let names = json!({ "prenom": "Om", "surname": "Ame", "soyad": "Ad", "lastname": "Me" });
    let out = json_once(&names);
    for key in ["prenom", "surname", "soyad", "lastname"] {
        assert_ne!(out[key], names[key], "{key}");
    }
}

#[test]
fn a_label_is_not_that_of_a_choice() {
    let form = "<form><label>Name</label><input name=\"x\"><select><option>Georg Jensen Bowl</option></select><p>Name: <b>x</b></p></form>";
    assert_eq!(once("text/html", form), form);
}
