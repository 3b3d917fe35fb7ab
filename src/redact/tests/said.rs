//! What logs, forms and answers about errors say of a value in words: the value goes, the words stay.

use super::*;
use serde_json::json;

fn once(content_type: &str, body: &str) -> String {
    let out = redact(content_type, body);
    assert_eq!(redact(content_type, &out), out, "twice: {body}");
    out
}

fn text_once(body: &str) -> String {
    once("text/plain", body)
}

#[test]
fn a_line_of_a_log_may_name_several_values() {
    let out = text_once(
        "12:30:01 WARN could not be saved, surname: Quittenbaum, town: Quickborn, postcode: 25451, plan: Standard",
    );
    assert!(!["Quittenbaum", "Quickborn", "25451"].iter().any(|raw| out.contains(raw)), "{out}");
    assert!(
        out.starts_with("12:30:01 WARN could not be saved, surname: ") && out.ends_with(", plan: Standard"),
        "{out}"
    );
}

#[test]
fn arrows_and_leaders_stand_between_a_name_and_its_value() {
    let out = text_once("Array\n(\n    [order_id] => PO-12238\n    [city] => Quickborn\n    [postcode] => 25451\n)\n");
    assert!(!out.contains("Quickborn") && !out.contains("25451") && out.contains("[order_id] => PO-12238"), "{out}");
    let out = text_once("Town ............ Quickborn\nStatus .......... in review\n");
    assert!(!out.contains("Quickborn") && out.ends_with("Status .......... in review\n"), "{out}");
    let out = text_once(
        "array(2) {\n  [\"pass\"]=>\n  string(11) \"Kaffee.9085\"\n  [\"plan\"]=>\n  string(4) \"gold\"\n}\n",
    );
    assert!(!out.contains("Kaffee.9085") && out.contains("string(4) \"gold\""), "{out}");
}

#[test]
fn columns_may_stand_apart_by_wide_space_alone() {
    let out = text_once(
        "ORDER      LAST NAME      DATE OF BIRTH   STATE\nSO61339   Quittenbaum   1998-09-16      DONE\nTotal: 1 row\n",
    );
    assert!(!out.contains("Quittenbaum") && !out.contains("1998-09-16"), "{out}");
    assert!(out.contains("SO61339   ") && out.ends_with("      DONE\nTotal: 1 row\n"), "{out}");
    let letter = "Two words  here   and there\nsome more  of   them\n";
    assert_eq!(text_once(letter), letter);
}

#[test]
fn a_sentence_about_a_field_loses_the_value_alone() {
    let body = json!({"errors": {
        "customer.passport": ["The passport number R99936743 is expired."],
        "billing.city": ["The selected city 'Quickborn' is invalid."],
        "username": ["quittenbaum75 is already in use."],
        "last_name": ["The last name must match the format."],
    }});
    let out = once("application/json", &body.to_string());
    assert!(!["R99936743", "Quickborn", "quittenbaum75"].iter().any(|raw| out.contains(raw)), "{out}");
    for kept in ["The passport number ", " is expired.", "The selected city '", "' is invalid.", " is already in use."]
    {
        assert!(out.contains(kept), "{kept} in {out}");
    }
    assert!(out.contains("The last name must match the format."), "{out}");
}

#[test]
fn a_sentence_that_is_the_value_goes_whole() {
    let body =
        r#"{"delivery_instructions":"The back door must be used, the bell failed","password":"it must be valid"}"#;
    let out = once("application/json", body);
    assert!(!out.contains("back door") && !out.contains("must"), "{out}");
}

#[test]
fn a_sibling_names_what_a_sentence_is_about() {
    let body = json!({"name": "dateOfBirth", "reason": "'04.07.1987' is not a valid date"});
    let out = once("application/json", &body.to_string());
    assert!(!out.contains("04.07.1987") && out.contains("' is not a valid date"), "{out}");
    let body = r#"{"field":"city","message":"This must be at least 2 characters long"}"#;
    assert_eq!(once("application/json", body), body);
    let body = json!({"name": "dateOfBirth", "reason": "input='04.07.1987' is not a valid date"});
    let out = once("application/json", &body.to_string());
    assert!(!out.contains("04.07.1987") && out.contains("' is not a valid date"), "{out}");
    let body = json!({"path": ["customer", "dateOfBirth"], "received": "12/04/2000", "message": "Expected date"});
    let out = once("application/json", &body.to_string());
    assert!(!out.contains("12/04/2000") && out.contains("Expected date"), "{out}");
}

#[test]
fn the_line_above_and_the_words_before_name_a_value_in_quotes() {
    let out = text_once(
        "1 validation error for Customer\nlast_name\n  too short [type=value_error, input_value='Quit', input_type=str]\n",
    );
    assert!(!out.contains("'Quit'") && out.contains("input_type=str"), "{out}");
    let out = text_once("'06' is too short\n\nOn instance['city']:\n    'Quickborn'\n");
    assert!(!out.contains("Quickborn") && out.contains("On instance['city']:"), "{out}");
    let out = text_once("Row 44: could not parse date of birth „20-08-2000“");
    assert!(!out.contains("20-08-2000") && out.starts_with("Row 44: could not parse date of birth „"), "{out}");
}

#[test]
fn a_number_beside_the_type_of_a_paper_is_one() {
    let out = once("application/json", r#"{"kind":"PASSPORT","number":"V86509582"}"#);
    assert!(!out.contains("V86509582") && out.contains("PASSPORT"), "{out}");
    let order = r#"{"kind":"ORDER","number":"V86509582"}"#;
    assert_eq!(once("application/json", order), order);
}

#[test]
fn a_name_of_several_words_may_stand_without_quotes() {
    let out = text_once("Card(cardHolder=Jessa Torvik Quittenbaum, brand=visa)");
    assert!(!out.contains("Quittenbaum") && !out.contains("Torvik") && out.ends_with(", brand=visa)"), "{out}");
}

#[test]
fn a_list_of_settings_may_name_a_value_on_the_line_before() {
    let out = once(
        "application/yaml",
        "env:\n  - name: DB_PASSWORD\n    value: \"Tiger*2002Q\"\n  - name: REGION\n    value: north\n",
    );
    assert!(!out.contains("Tiger") && out.ends_with("  - name: REGION\n    value: north\n"), "{out}");
}

#[test]
fn cookies_in_a_body_are_cookies() {
    let out =
        once("application/json", r#"{"Set-Cookie":["sid=fela17nlrzds9; Path=/; SameSite=Lax","lang=en-US; Path=/"]}"#);
    assert!(!out.contains("fela17nlrzds9") && out.contains("; Path=/; SameSite=Lax"), "{out}");
    assert!(out.contains(r#""lang=en-US; Path=/""#), "{out}");
}

#[test]
fn places_for_values_and_rights_are_no_values() {
    for text in [
        "permissions: {contents: read, id-token: write}",
        "Code de retrait : [CODE]. Town: <town>, postcode: none",
        "secrets \"db-credentials\" not found",
        "[billing_address] => Array\n    (\n",
    ] {
        assert_eq!(text_once(text), text);
    }
}

#[test]
fn strict_mode_hears_no_sentence_no_sibling_and_no_preference() {
    let kept_paths = Some(vec!["reason".to_owned(), "env.DB_HOST".to_owned()]);
    let settings = Settings { kept_paths, ..Settings::default() };
    let strict = Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), settings).unwrap();
    let redact =
        |kind: &str, text: &str| String::from_utf8(strict.body(kind, text.as_bytes()).unwrap().into_inner()).unwrap();
    // A kept path keeps what it holds, under the name that the document gives it.
    let body = r#"{"name":"dateOfBirth","reason":"it is not a valid date"}"#;
    assert!(redact("application/json", body).ends_with(r#","reason":"it is not a valid date"}"#));
    let body = r#"{"errors":{"city":["The selected city 'Quickborn' is invalid."],"cookie":"lang=en-US; theme=dark"}}"#;
    let out = redact("application/json", body);
    assert!(!["selected", "Quickborn", "en-US", "dark"].iter().any(|raw| out.contains(raw)), "{out}");
    let out = redact("application/yaml", "env:\n  - name: DB_HOST\n    value: north\n");
    assert!(!out.contains("north"), "{out}");
}

#[test]
fn a_value_that_somebody_gave_is_one_under_errors_too() {
    let body = json!({ "errors": [
        { "field": "password", "rejectedValue": "hunter77x", "message": "Password too short" },
        { "field": "nickname", "rejectedValue": "x" },
    ], "error": { "password": "too short" } });
    let out = once("application/json", &body.to_string());
    assert!(!out.contains("hunter77x"), "{out}");
    assert!(out.contains("Password too short") && out.ends_with(r#""error":{"password":"too short"}}"#), "{out}");
}
