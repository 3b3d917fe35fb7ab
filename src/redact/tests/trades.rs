//! What trades send each other: tables of several kinds, records by place, labels, and fields named in a dozen languages.

use super::*;
use crate::redact::tests::dialects::once;
use serde_json::json;

fn json_once(body: &serde_json::Value) -> String {
    let body = body.to_string();
    let out = redact("application/json", &body);
    assert_eq!(redact("application/json", &out), out, "twice: {body}");
    out
}

fn check(body: &serde_json::Value, gone: &[&str], kept: &[&str]) {
    let out = json_once(body);
    assert!(!gone.iter().any(|raw| out.contains(raw)), "{out}");
    assert!(kept.iter().all(|raw| out.contains(raw)), "{out}");
}

#[test]
fn a_line_about_the_file_may_stand_before_the_header_of_a_table() {
    let table = "\"EXTF\";700;16;\"Debitoren\";5\nKonto;Name (natürl. Person);Straße;Ort;Zahlungsbedingung\n\
        50510;\"Quittenbaum\";\"Am Deich 9\";\"Quickborn\";300\n";
    let out = redact("text/csv", table);
    assert_eq!(redact("text/csv", &out), out);
    assert!(!["Quittenbaum", "Am Deich", "Quickborn"].iter().any(|raw| out.contains(raw)), "{out}");
    assert!(out.starts_with("\"EXTF\";700;16;") && out.ends_with(";300\n"), "{out}");
    assert!(out.contains("\nKonto;Name (natürl. Person);Straße;Ort;Zahlungsbedingung\n50510;"), "{out}");
}

#[test]
fn lines_of_cells_may_be_texts_under_the_text_that_names_them() {
    let body = json!({ "header": "cust_no|last_nm|city|tier", "lines": ["7|Quittenbaum|Quickborn|SLV", "8|Rzepka|Wrzos|PLT"] });
    check(
        &body,
        &["Quittenbaum", "Quickborn", "Rzepka", "Wrzos"],
        &["7|", "|SLV", "8|", "|PLT", "cust_no|last_nm|city|tier"],
    );
    // Another number of cells: no line of the table.
    let body = json!({ "header": "a|b|c", "lines": ["ok|fine"], "note": "x|y" });
    assert_eq!(json_once(&body), body.to_string());
}

#[test]
fn rows_of_a_spreadsheet_have_columns() {
    let cell = |text: &str| format!("<Cell><Data ss:Type=\"String\">{text}</Data></Cell>");
    let row = |cells: [&str; 3]| format!("<Row>{}</Row>", cells.map(cell).concat());
    let rows =
        [["Apellidos", "Ciudad", "Categoría"], ["Quittenbaum", "Quickborn", "Técnico"], ["Rzepka", "Wrzos", "Jefe"]];
    let sheet =
        format!("<Workbook xmlns:ss=\"u\"><Table><Column/>{}</Table><x>Wrzosek</x></Workbook>", rows.map(row).concat());
    once(
        "application/xml",
        &sheet,
        &["Quittenbaum", "Quickborn", "Rzepka", "Wrzos<"],
        &["Apellidos", "Ciudad", "Técnico", "Jefe", "<x>Wrzosek</x>"],
    );
    // What stands beside the rows is in no column.
    let hints = "<hint><part>Wrzosek</part><part>Wrzosek</part></hint>";
    let beside = sheet.replace("</Table>", &format!("{hints}</Table>"));
    assert!(redact("application/xml", &beside).contains(hints));
    // A row may be a caption and its value.
    let pairs = "<t><tr><td>Order</td><td>7</td></tr><tr><td>Wohnort</td><td>Quickborn</td></tr></t>";
    once("application/xml", pairs, &["Quickborn"], &["Wohnort", "<td>7</td>"]);
}

#[test]
fn fields_are_named_in_words_of_many_languages() {
    for (name, value) in [("libelle", "valeur"), ("bezeichnung", "wert"), ("etiqueta", "valor"), ("тип", "значение")]
    {
        let body = json!({ "felder": [{ name: "Geburtsdatum", "nr": 4, value: "1963-05-02" }, { name: "Status", value: "aktiv" }] });
        check(&body, &["1963-05-02"], &["aktiv", "Geburtsdatum"]);
    }
    let body = json!({ "T_FIELDS": [{ "FIELDNAME": "ORT01", "REPTEXT": "Ort", "VALUE": "Quickborn" }] });
    check(&body, &["Quickborn"], &["\"Ort\""]);
    let xml = "<f><e17 bez=\"Wohnort\">Quickborn</e17><e18 bez=\"Tarif\">Gold</e18></f>";
    once("application/xml", xml, &["Quickborn"], &["Wohnort", "Gold"]);
    let xml = "<f><п><Тип>Почтовый индекс</Тип><Значение>455000</Значение></п></f>";
    once("application/xml", xml, &["455000"], &["Почтовый индекс"]);
    // A short name beside the label's: the one that rules know names the value.
    let page = "<input id=\"nn\" name=\"nachname\" value=\"Quittenbaum\">";
    assert!(!redact("text/html", page).contains("Quittenbaum"));
}

#[test]
fn abbreviations_and_what_goes_on_behind_a_name_are_no_part_of_it() {
    let text = "geb. am:    21.05.1973\nZeuge:    Quittenbaum, Ilvy, wohnhaft Am Deich 9, 25451 Quickborn\nSparte:    Hausrat\n";
    once("text/plain", text, &["21.05.1973", "Quittenbaum", "Ilvy"], &["geb. am:    ", ", wohnhaft ", "Hausrat"]);
}

#[test]
fn records_of_surgeries_keep_their_lengths() {
    let record = "01380006302\r\n0203101Quittenbaum\r\n0133102Ilvy\r\n017310321051973\r\n0228402RUHE-EKG\r\n";
    let out =
        once("text/plain", record, &["Quittenbaum", "Ilvy", "21051973"], &["01380006302\r\n", "0228402RUHE-EKG\r\n"]);
    let lines: Vec<&str> = out.lines().collect();
    let name = lines[1].strip_prefix("0263101").expect(&out);
    assert_eq!(name.len() + 9, 26, "{out}");
}

#[test]
fn entries_of_payments_between_banks_keep_their_places() {
    let header = format!("101 091000019 1234567890240516{:<60}", "1012A094101NORTHFOLD");
    let batch = format!("5200NORTHFOLD{:<70}", " PPDPAYROLL");
    let entry =
        |name: &str| format!("622091000019{:<17}{:010}{:<15}{name:<22}  0{:015}", "2554372738", 9546, "231219595", 7);
    let file =
        format!("{header}\n{batch}\n{}\n820000000200182000020000000000000000209399\n", entry("ILVY QUITTENBAUM"));
    let out = once(
        "text/plain",
        &file,
        &["2554372738", "231219595", "QUITTENBAUM"],
        &["101 091000019", "622091000019", "0000009546"],
    );
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines[2].len(), &lines[2][76..]), (94, &entry("")[76..]), "{out}");
}

#[test]
fn labels_of_printers_have_lines() {
    let label =
        "^XA^FO50,50^FDIlvy Quittenbaum^FS^FO50,90^FDAm Deich 9^FS^FO50,130^FD25451 Quickborn^FS^FO9,9^FDFRAGILE^FS^XZ";
    let body = json!({ "consignee": { "name": "Ilvy Quittenbaum", "city": "Quickborn" }, "zpl": label });
    check(&body, &["Quittenbaum", "Quickborn"], &["^XA^FO50,50^FD", "^FDFRAGILE^FS^XZ"]);
}

#[test]
fn messages_of_airlines_name_passengers_and_their_papers() {
    let message = "PNL\nIB4382/12MAR PRG PART1\n1QUITTENBAUM/ILVYMRS .L/VAQD86\n\
        .R/DOCS HK1/P/POL/EN5530926/POL/18MAY95/F/20MAY29/QUITTENBAUM/ILVY\n.R/FOID PPCLRVW38JK\nENDPNL\n";
    once(
        "text/plain",
        message,
        &["QUITTENBAUM", "ILVY", "EN5530926", "18MAY95", "CLRVW38JK"],
        &["IB4382/12MAR PRG PART1", ".L/VAQD86", ".R/DOCS HK1/P/POL/", "ENDPNL"],
    );
}

#[test]
fn persons_are_named_by_their_part_in_a_dozen_languages() {
    for key in ["contraente", "versicherungsnehmer", "osobaKontaktowa", "příjemce", "titulaireDuCompte", "hesapSahibi"]
    {
        check(&json!({ "id": 7, key: "Ilvy Quittenbaum" }), &["Quittenbaum"], &[]);
        let company = json!({ key: "Nordlicht Handels GmbH" });
        assert_eq!(json_once(&company), company.to_string());
    }
    check(
        &json!({ "cogn": "Quittenbaum", "nom": "Ilvy", "dtDecesso": "02/11/2021", "esito": "OK" }),
        &["Quittenbaum", "Ilvy", "02/11/2021"],
        &["OK"],
    );
}

#[test]
fn a_link_to_a_store_keeps_its_host() {
    let body = json!({ "DATABASE_URL": "postgres://svc_app:BIq81glwWmLU@db.example:9200/prod" });
    check(&body, &["svc_app", "BIq81glwWmLU"], &["postgres://", "@db.example:9200/prod"]);
    // What is no such link goes whole.
    check(&json!({ "DATABASE_URL": "postgres://app:p@ss/w0rd@db.example/prod" }), &["w0rd", "db.example"], &[]);
    check(&json!({ "webhook_url": "https://ada:pw@shop.example.com/hook" }), &["shop.example.com"], &[]);
}

#[test]
fn a_last_word_may_say_what_a_fields_values_are_made_of() {
    check(
        &json!({ "CITY_TX": "Quickborn", "strCityVal": "Wrzos", "TOTAL_TX": "5.00" }),
        &["Quickborn", "Wrzos"],
        &["5.00"],
    );
}

#[test]
fn fields_are_named_by_a_letter_or_two() {
    let body = json!({ "u": "zephyr_436", "n": "Ilvy Quittenbaum", "m": "ilvy@example.org", "ship": { "s": "Calle del Olmo, 55", "z": "02995", "t": "Wrzos" } });
    check(&body, &["zephyr_436", "Quittenbaum", "Calle del Olmo", "02995", "Wrzos"], &[]);
    let body = json!({ "acct": { "an": "69886616", "sc": "30-21-75" }, "docs": { "ppt": "A75287178", "exp": "2031-04-09" }, "dob_y": 1978 });
    check(&body, &["69886616", "30-21-75", "A75287178", "1978"], &["2031-04-09"]);
    // The same letters elsewhere are no one's.
    let body = json!({ "n": 399, "s": "Northern line", "z": 2.5, "t": "2024-01-15T10:00:00Z", "sc": 200 });
    assert_eq!(json_once(&body), body.to_string());
}

#[test]
fn barcodes_of_licences_are_read() {
    let code = "@\n\u{1e}\rANSI 636025080002DL00410278\nDAQM90091303\nDCSQUITTENBAUM\nDACILVY\nDBB04281955\nDAG9 QUAY ST\nDAIQUICKBORN\nDBA01012030\n";
    check(
        &json!({ "data": code }),
        &["M90091303", "QUITTENBAUM", "ILVY", "04281955", "9 QUAY ST", "QUICKBORN"],
        &["ANSI 636025080002DL00410278", "DBA01012030"],
    );
}
