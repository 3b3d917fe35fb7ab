//! What an object says it is stands above its members like a name.

use super::*;
use serde_json::json;

#[test]
fn an_object_that_says_it_is_a_customer_has_a_customers_name() {
    for body in [
        json!({ "node": { "__typename": "Customer", "name": "quirl" } }),
        json!({ "node": { "name": "quirl", "@type": "Person" } }),
        json!({ "object": "customer", "name": "quirl" }),
        json!({ "@odata.type": "#microsoft.graph.contact", "name": "quirl" }),
        json!({ "product": { "__typename": "CustomerNode", "name": "quirl" } }),
    ] {
        assert!(!json_once(&body).to_string().contains("quirl"), "{body}");
    }
    for body in [
        json!({ "node": { "__typename": "Product", "name": "quirl" } }),
        json!({ "object": "customer", "plan": { "name": "quirl" } }),
        json!({ "object": { "nested": "customer" }, "name": "quirl" }),
        json!([{ "object": "customer", "id": 1 }, { "name": "quirl" }]),
    ] {
        assert_eq!(json_once(&body), body);
    }
}

#[test]
fn what_an_event_is_about_is_in_the_object_that_holds_it() {
    for body in [
        json!({ "type": "contacts", "id": "1", "attributes": { "name": "quirl" } }),
        json!({ "model": "crm.customer", "pk": 3, "fields": { "name": "quirl" } }),
        json!({ "event": "user_signed_up", "properties": { "name": "quirl" } }),
        json!({ "type": "employee.updated", "data": { "object": { "name": "quirl" } } }),
        json!({ "table": "patients", "rows": [{ "name": "b" }, { "name": "quirl" }] }),
    ] {
        assert!(!json_once(&body).to_string().contains("quirl"), "{body}");
    }
    for body in [
        // An event is not called like who it is about.
        json!({ "type": "user", "name": "quirl" }),
        json!({ "type": "plans", "id": "1", "attributes": { "name": "quirl" } }),
        json!({ "data": [{ "type": "user", "attributes": { "n": 1 } }, { "attributes": { "name": "quirl" } }] }),
        json!({ "type": "user", "attributes": { "plan": { "name": "quirl" } } }),
    ] {
        assert_eq!(json_once(&body), body);
    }
}

#[test]
fn what_an_object_says_it_is_takes_nothing_away_and_is_no_part_of_a_path() {
    let body = json!({ "customer": { "data": { "object": "order", "__typename": "Order", "name": "quirl" } } });
    assert!(!json_once(&body).to_string().contains("quirl"));
    let body = json!({ "customer": { "data": { "object": "card", "name": "quirl" } } });
    assert!(!json_once(&body).to_string().contains("quirl"));
    let rule = r#"
[[rule]]
id = "nick"
type = "token"
why = "w"
keys = ["nick"]
paths = ["node.nick"]
hits = [{ parent = "node", key = "nick", value = "quirl" }]
misses = [{ key = "nick", value = "quirl" }]

[[rule]]
id = "zone"
type = "token"
why = "w"
keys = ["zone"]
parents = ["customer"]
hits = [{ parent = "customer", key = "zone", value = "quirl" }]
misses = [{ key = "zone", value = "quirl" }]
"#;
    let file = RuleFile { name: "r.toml".into(), text: rule.into() };
    let redactor = Redactor::compile(&[file], PseudonymKey::new([3; 32]), Settings::default());
    let redactor = redactor.unwrap_or_else(|problems| panic!("{}", problems[0]));
    let body = r#"{"node":{"__typename":"Customer","nick":"quirl"}}"#;
    let out = String::from_utf8(redactor.body("application/json", body.as_bytes()).unwrap().into_inner()).unwrap();
    assert!(!out.contains("quirl"), "{out}");
}

#[test]
fn strict_mode_hears_nothing_of_what_an_object_says_it_is() {
    let kept_paths = Some(vec!["node.name".to_owned(), "node.object".to_owned()]);
    let settings = Settings { kept_paths, ..Settings::default() };
    let strict = Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), settings).unwrap();
    let body = r#"{"node":{"object":"customer","name":"quirl"}}"#;
    let out = String::from_utf8(strict.body("application/json", body.as_bytes()).unwrap().into_inner()).unwrap();
    assert_eq!(out, body);
}
