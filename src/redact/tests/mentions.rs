//! Values that are only mentioned: parts of a name that stand where no name tells them, and names told by a mailbox.

use super::*;
use serde_json::{Value, json};

fn json_once(body: &Value) -> String {
    let out = redact("application/json", &body.to_string());
    assert_eq!(redact("application/json", &out), out, "twice: {body}");
    out
}

#[test]
fn the_names_in_a_mailbox_are_names_elsewhere() {
    let body = json!({
        "email": "clara.quittenbaum+shop@example.org", "sql_params": ["Clara", "Quittenbaum", "open"], "note": "Quittenbaums, Adapter",
    });
    let out = json_once(&body);
    assert!(!out.contains(r#""Clara""#) && !out.contains(r#""Quittenbaum""#), "{out}");
    assert!(out.contains(r#""open""#) && out.contains("Quittenbaums, Adapter"), "{out}");
}

#[test]
fn a_mailbox_of_a_team_names_nobody() {
    for address in
        ["customer.support@example.org", "order-service@example.org", "clara@example.org", "billing.clara@example.org"]
    {
        let out = json_once(&json!({ "email": address, "queue": "Support", "team": "Billing", "kind": "Order" }));
        assert!(out.contains(r#""queue":"Support","team":"Billing""#) && out.contains(r#""kind":"Order""#), "{out}");
    }
}

#[test]
fn a_name_goes_whole_where_only_its_first_part_is_known() {
    let body = json!({ "first_name": "Quirlinde", "shown": "Quirlinde Wasserfuhr", "text": "Quirlinde paid twice" });
    let out = json_once(&body);
    assert!(!out.contains("Wasserfuhr") && !out.contains("Quirlinde") && out.contains(" paid twice"), "{out}");
}

#[test]
fn a_name_without_blanks_goes_whole_too() {
    let out = json_once(&json!({ "given_name": "晓明", "shown": "陈晓明", "text": "晓明付了两次款" }));
    assert!(!out.contains('陈') && !out.contains("晓明"), "{out}");
}

#[test]
fn a_table_whose_columns_differ_by_case_alone_has_a_header() {
    let out = redact(
        "text/csv",
        "Ship To Name,Ship To Address 1,Ship To City,Status,status\nX Q,Unit 3,Quickborn,open,new\n",
    );
    assert!(out.starts_with("Ship To Name,Ship To Address 1,Ship To City,Status,status\n"), "{out}");
    assert!(!out.contains("Quickborn") && out.ends_with(",open,new\n"), "{out}");
}

#[test]
fn an_initial_and_a_name_in_one_word_are_a_mailbox_of_somebody() {
    let out = json_once(
        &json!({ "email": "pquittenbaum@example.org", "params": ["Quittenbaum", "quittenbaum-3", "Quitten"] }),
    );
    assert!(!out.contains(r#""Quittenbaum""#) && out.contains(r#""quittenbaum-3","Quitten""#), "{out}");
}

#[test]
fn a_part_of_a_name_is_told_by_its_length_where_a_script_has_no_capitals() {
    let out = json_once(&json!({ "memberName": "فاطمة المنصوري", "cashier": "فاطمة", "note": "شكرا" }));
    assert!(!out.contains("فاطمة") && out.contains("شكرا"), "{out}");
}

#[test]
fn what_a_machine_numbers_is_no_mailbox() {
    let uuid = "2a9da421-1f9a-45a9-9f2a-15437b68dacc@cal.example.org";
    let body = json!({ "uid": uuid, "picture": "https://cdn.example.org/hero@2x.png", "text": format!("UID:{uuid} of ada@example.org") });
    let out = json_once(&body);
    assert_eq!(out.matches(uuid).count(), 2, "{out}");
    assert!(out.contains("hero@2x.png") && !out.contains("ada@example.org"), "{out}");
}

#[test]
fn a_part_of_a_name_is_found_behind_a_line_break() {
    let out = json_once(&json!({ "name": "Tahlia Quittenbaum", "text": "It is broken.\n\nTahlia" }));
    assert!(!out.contains("Tahlia") && out.contains(r"It is broken.\n\nperson-"), "{out}");
}

#[test]
fn a_name_in_an_address_or_an_identifier_goes_with_it() {
    let body = json!({
        "full_name": "Quirlinde Wasserfuhr", "page": "https://example.org/people/quirlinde-wasserfuhr", "ref": "wasserfuhr_quirlinde",
        "queue": "wasserfuhr-mail",
    });
    let out = json_once(&body);
    assert!(!out.contains("quirlinde") && out.contains("https://example.org/people/person-"), "{out}");
    assert!(out.contains("wasserfuhr-mail"), "{out}");
}

#[test]
fn a_telephone_and_a_birthday_are_replaced_in_other_spellings_too() {
    let body = json!({
        "phone": "+49 30 7654321", "birth_date": "1984-02-23", "url": "https://crm.example.com/find?q=030%2F765%204321",
        "log": "asked 030/7654321, matched 23.02.1984 at 2024-02-23 10:00, case 130 7654321", "params": ["0307654321"],
    });
    let out = json_once(&body);
    assert!(!out.contains("/7654321") && !out.contains("\"0307654321") && !out.contains("1984"), "{out}");
    assert!(!out.contains("765%204321"), "{out}");
    assert!(out.contains(" at 2024-02-23 10:00, case 130 7654321"), "{out}");
}

#[test]
fn a_telephone_is_replaced_in_a_form_in_another_spelling() {
    let out = redact("application/x-www-form-urlencoded", "phone=%2B49+30+7654321&note=asked+030%2F765+43+21+twice");
    assert!(!out.contains("43+21") && out.ends_with("+twice"), "{out}");
}

#[test]
fn the_digits_of_a_stand_in_make_no_date_of_the_words_around_it() {
    for text in ["Mr Aa", "Mr Aa:", "(Mr Aa)"] {
        json_once(&json!({ "dob": text }));
    }
}

#[test]
fn another_spelling_alone_is_reason_to_look_again() {
    let out = json_once(&json!({ "phone": "+49 30 7654321", "params": ["0307654321", "0407654321"] }));
    assert!(!out.contains(r#""0307654321""#) && out.contains(r#""0407654321""#), "{out}");
    let out = json_once(&json!({ "birth_date": "1984-02-23", "params": ["23.02.1984", "24.02.1984"] }));
    assert!(!out.contains("23.02.1984") && out.contains("24.02.1984"), "{out}");
}
