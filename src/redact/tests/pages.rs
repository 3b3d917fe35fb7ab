//! What pages say of a text by a caption, a column or a class: the value goes, the page stays.

use super::*;

fn once(page: &str) -> String {
    let out = redact("text/html", page);
    assert_eq!(redact("text/html", &out), out, "twice: {page}");
    out
}

/// Asserts that the given words are gone and others stay.
fn check(page: &str, gone: &[&str], kept: &[&str]) {
    let out = once(page);
    for raw in gone {
        assert!(!out.contains(raw), "{raw} in {out}");
    }
    for word in kept {
        assert!(out.contains(word), "{word} not in {out}");
    }
}

#[test]
fn headings_name_the_columns_of_a_table() {
    let page = "<table><thead><tr><th>Passenger</th><th>Town</th><th>Status</th></tr></thead><tbody>\
        <tr><td>Ilvy Quittenbaum</td><td><b>Quickborn</b></td><td>boarded</td></tr>\
        <tr><td>Bo Rzepka</td><td>Wrzos</td><td>waiting</td></tr></tbody></table>";
    check(page, &["Quittenbaum", "Quickborn", "Rzepka", "Wrzos"], &["boarded", "waiting", "<th>Town</th>"]);
    // Without headings, and without end tags.
    let page = "<table><tr><td>Surname<td>Town<td>Qty<tr><td>Quittenbaum<td>Quickborn<td>4</table>";
    check(page, &["Quittenbaum", "Quickborn"], &["<td>Surname<td>Town<td>Qty<tr>", "<td>4</table>"]);
    // A table within a cell has columns of its own.
    let page = "<table><tr><th>Town</th><th>Items</th></tr><tr><td>Quickborn</td><td><table><tr><td>Oak</td></tr></table></td></tr>\
        <tr><td>Wrzos</td><td>none</td></tr></table>";
    check(page, &["Quickborn", "Wrzos"], &["Oak", "none"]);
    let goods = "<table><tr><th>Name</th><th>Price</th></tr><tr><td>Oak table</td><td>5.00</td></tr></table>";
    assert_eq!(once(goods), goods);
}

#[test]
fn a_cell_or_a_block_may_be_the_caption_of_the_next() {
    let page = "<table><tr><td>Surname</td><td>Quittenbaum</td></tr><tr><td>Town:</td><td>Quickborn</td></tr>\
        <tr><td>Plan</td><td>Standard</td></tr></table>";
    check(page, &["Quittenbaum", "Quickborn"], &["Surname", "Town:", "Standard"]);
    check(
        "<ul><li><strong>Town</strong> Quickborn</li><li><b>Plan</b> Gold</li></ul>",
        &["Quickborn"],
        &["Plan", "Gold"],
    );
    check("<div><p>Town:</p><p>Quickborn</p><p>open</p></div>", &["Quickborn"], &["Town:", "<p>open</p>"]);
    check("<div><span>Town</span><span>Quickborn</span></div>", &["Quickborn"], &["<span>Town</span>"]);
    let page = "<div class=\"field-label\">Town</div><div class=\"v\">Quickborn</div><div>Quay 5</div>";
    check(page, &["Quickborn"], &["Town", "Quay 5"]);
}

#[test]
fn what_describes_a_field_is_no_value() {
    for page in [
        "<p><strong>password</strong> (string) -- Not documented</p><p><b>surname</b> -- the last name</p>",
        "<p><strong>Town</strong> Tell us where the parcel should go to then</p>",
        "<a accesskey=\"n\" href=\"../index.html\">next</a>",
        "<pre>  Property  Type    Description\n  family    String  Family names\n  style     String  Languages of each</pre>",
    ] {
        assert_eq!(once(page), page);
    }
}

#[test]
fn classes_and_the_like_say_what_a_text_is() {
    let page = "<div class=\"vcard\"><span class=\"family-name\">Quittenbaum</span><span class=\"p-locality\">Quickborn</span>\
        <span class=\"card__street\">Am Deich 9</span><span class=\"status\">active</span></div>";
    check(page, &["Quittenbaum", "Quickborn", "Am Deich"], &["active"]);
    check(
        "<td data-label=\"Town\">Quickborn</td><span id=\"lblCity\">Wrzos</span>",
        &["Quickborn", "Wrzos"],
        &["lblCity"],
    );
    for page in [
        "<div class=\"city\">Choose a town</div>",
        "<div class=\"address\">Delivery address</div>",
        "<p class=\"phone\">Call us</p><a class=\"email\" href=\"/contact\">Write to us</a>",
        "<h2 class=\"title\">Summer sale</h2><div class=\"name\">Oak table</div><p class=\"password\">Forgot it?</p>",
    ] {
        assert_eq!(once(page), page);
    }
}

#[test]
fn a_control_is_named_by_its_label_and_its_hint() {
    let page = "<label for=x>Maiden name</label><input id=x value=\"Quittenbaum\"><input placeholder=\"Town\" value=\"Quickborn\">\
        <input autocomplete=\"section-a family-name\" name=\"q7\" value=\"Rzepka\"><input type=submit value=\"Send\">";
    check(page, &["Quittenbaum", "Quickborn", "Rzepka"], &["q7", "Send", "Maiden name", "placeholder=\"Town\""]);
    let page = "<select name=\"city\"><option value=\"1\" selected>Quickborn</option><option value=\"2\">Wrzos</option></select>";
    check(page, &["Quickborn"], &["<option value=\"2\">Wrzos"]);
}

#[test]
fn strict_mode_names_its_paths_as_the_page_has_them() {
    let kept_paths = Some(vec!["**.td".to_owned(), "**.p".to_owned()]);
    let settings = Settings { kept_paths, ..Settings::default() };
    let strict = Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), settings).unwrap();
    let page = "<table><tr><th>Town</th><th>Plan</th></tr><tr><td>north</td><td>gold</td></tr></table><p class=\"city\">east</p>";
    let out = String::from_utf8(strict.body("text/html", page.as_bytes()).unwrap().into_inner()).unwrap();
    assert!(["<td>north</td>", "<td>gold</td>", ">east</p>"].iter().all(|kept| out.contains(kept)), "{out}");
}
