//! The admin API's own description, OpenAPI 3.1, as served at `/api/v1/openapi.json`.

use crate::console::access::{May, Role};
use crate::console::writes::JSON_INTEGER_MAX;
use serde_json::{Value, json};

/// A text with at least one character that is neither space nor control: what a reason must hold.
const SOMETHING: &str = r"[^\s\x00-\x1f\x7f-\x9f]";
/// A share from 0.0001% to 100%; empty: as it was.
const SHARE: &str = r"^$|^[1-9][0-9]?(\.[0-9]{1,4})?%$|^0\.[0-9]{0,3}[1-9]%$|^100%$";

/// The document; names are those of the configuration.
pub(crate) fn document(version: &str, names: &[String], anyone: May) -> Value {
    let integration = json!({ "$ref": "#/components/schemas/Integration" });
    let status = json!({ "$ref": "#/components/schemas/Status" });
    let name = json!([{ "name": "name", "in": "path", "required": true,
        "schema": { "type": "string", "enum": names } }]);
    let change = |schema: &str, required: bool| json!({ "required": required, "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } });
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "darklaunch admin API",
            "version": version,
            "description": "Reads are GET, changes POST. A stop needs nothing and always wins; a start needs a reason. Errors are problem+json (RFC 9457).",
        },
        "paths": {
            "/api/v1/status": { "get": {
                "operationId": "status",
                "summary": "Every integration and the recorder",
                "responses": answers("The present state", &status, &[]),
            } },
            "/api/v1/integrations/{name}": { "get": {
                "operationId": "integration",
                "summary": "One integration",
                "parameters": name.clone(),
                "responses": answers("The present state", &integration, &["404"]),
            } },
            "/api/v1/integrations/{name}/stop": { "post": {
                "operationId": "stop",
                "summary": "Stop mirroring at once and cut off the calls in flight",
                "parameters": name.clone(),
                "requestBody": change("Stop", false),
                "responses": answers("The state after the stop", &integration, &["404", "413", "415", "422"]),
            } },
            "/api/v1/integrations/{name}/start": { "post": {
                "operationId": "start",
                "summary": "Start mirroring, or change its share",
                "parameters": name.clone(),
                "requestBody": change("Start", true),
                "responses": answers("The state after the start", &integration, &["404", "409", "413", "415", "422"]),
            } },
            "/api/v1/integrations/{name}/sign-off": { "post": {
                "operationId": "signOff",
                "summary": "Vouch for the redaction rules in force, by name; void when they change",
                "parameters": name,
                "requestBody": change("SignOff", false),
                "responses": answers("The state after the sign-off", &integration, &["404", "409", "413", "415", "422"]),
            } },
            "/api/v1/stop-all": { "post": {
                "operationId": "stopAll",
                "summary": "Stop every integration at once",
                "requestBody": change("Stop", false),
                "responses": answers("The state after the stop", &status, &["413", "415", "422"]),
            } },
            "/api/v1/openapi.json": { "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": answers("The document", &json!({ "type": "object" }), &[]),
            } },
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "A token made with `darklaunch token create`" } },
            "schemas": schemas(),
        },
    });
    add_login_links(&mut document);
    for (path, method, may) in NEEDS {
        let operation = &mut document["paths"][path][method];
        operation["security"] = json!(needed(may, anyone));
        operation["x-darklaunch-role"] = json!(may.role());
    }
    document
}

/// What each operation needs, as the gate holds it.
const NEEDS: [(&str, &str, May); 8] = [
    ("/api/v1/status", "get", May::View),
    ("/api/v1/integrations/{name}", "get", May::View),
    ("/api/v1/integrations/{name}/stop", "post", May::Stop),
    ("/api/v1/integrations/{name}/start", "post", May::Start),
    ("/api/v1/integrations/{name}/sign-off", "post", May::Start),
    ("/api/v1/stop-all", "post", May::Stop),
    ("/api/v1/openapi.json", "get", May::View),
    ("/api/v1/login-links", "post", May::Manage),
];

fn add_login_links(document: &mut Value) {
    let link = json!({ "$ref": "#/components/schemas/LoginLink" });
    let wanted = json!({ "$ref": "#/components/schemas/LoginLinkWanted" });
    document["paths"]["/api/v1/login-links"] = json!({ "post": {
        "operationId": "loginLink",
        "summary": "A link that logs one browser in, once, within five minutes",
        "requestBody": { "required": false, "content": { "application/json": { "schema": wanted } } },
        "responses": answers("The link", &link, &["413", "422", "503"]),
    } });
    let schemas = &mut document["components"]["schemas"];
    schemas["LoginLinkWanted"] = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "who": { "type": ["string", "null"] },
            "role": { "enum": [Role::Viewer, Role::Operator, Role::Admin, null], "description": "admin if absent" },
        },
    });
    schemas["LoginLink"] = json!({
        "type": "object",
        "required": ["url", "address", "name", "role", "expires_in_s"],
        "properties": {
            "url": { "type": "string" },
            "address": { "type": "string", "description": "The link without the console's own address" },
            "name": { "type": "string" },
            "role": { "enum": Role::ALL },
            "expires_in_s": { "type": "integer", "minimum": 0 },
        },
    });
}

/// A token, or nothing where anyone may.
fn needed(may: May, anyone: May) -> Vec<Value> {
    let token = json!({ "token": [] });
    if anyone >= may { vec![token, json!({})] } else { vec![token] }
}

/// The good answer and the problems that may come instead.
fn answers(words: &str, schema: &Value, problems: &[&str]) -> Value {
    let mut answers =
        json!({ "200": { "description": words, "content": { "application/json": { "schema": schema } } } });
    for code in problems.iter().chain(&["401", "403", "411", "421", "429"]) {
        answers[*code] = json!({
            "description": "A problem that names the thing, its value and the remedy",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
    answers
}

/// What a tool may send, and what refuses it.
fn requests() -> Value {
    let text = json!({ "type": ["string", "null"] });
    let count = json!({ "type": "integer", "minimum": 0 });
    let revision = json!({ "type": ["integer", "null"], "minimum": 0, "maximum": JSON_INTEGER_MAX,
        "description": "The revision that was looked at: a start is refused with 409 if the switch changed since" });
    json!({
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": { "type": { "type": "string" }, "title": { "type": "string" }, "status": count, "detail": { "type": "string" } },
        },
        "Stop": {
            "type": "object",
            "additionalProperties": false,
            "properties": { "who": text, "reason": text, "revision": revision },
        },
        "Start": {
            "type": "object",
            "additionalProperties": false,
            "required": ["reason"],
            "properties": {
                "who": text,
                "reason": { "type": "string", "minLength": 1, "pattern": SOMETHING, "description": "Kept in the history" },
                "sample": { "type": ["string", "null"], "pattern": SHARE, "description": "Share of the calls; ends a ramp" },
                "resume_ramp": { "type": "boolean", "description": "Let a held ramp rise again; 409 where none is held, or with sample" },
                "revision": revision,
            },
        },
        "SignOff": {
            "type": "object",
            "additionalProperties": false,
            "required": ["who"],
            "properties": {
                "who": { "type": "string", "minLength": 1, "pattern": SOMETHING, "description": "The name it stands under" },
                "reason": text,
                "rules_hash": { "type": ["string", "null"], "description": "The rules that were looked at: refused with 409 if others are in force" },
                "revision": revision,
            },
        },
    })
}

/// Requests and answers.
fn schemas() -> Value {
    let mut all = requests();
    if let (Value::Object(all), Value::Object(states)) = (&mut all, states()) {
        all.extend(states);
    }
    all
}

/// What is answered.
fn states() -> Value {
    let text = json!({ "type": ["string", "null"] });
    let counts = json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } });
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "Integration": {
            "type": "object",
            "required": ["name", "state", "sample", "sample_ppm", "revision", "changed_by", "reason", "changed_at", "paused_by",
                "providers", "ledger", "recorded", "not_recorded", "primary", "added_delay", "redaction_hits", "rules"],
            "properties": {
                "name": { "type": "string" },
                "state": { "enum": ["on", "off", "paused"] },
                "sample": { "type": "string" },
                "sample_ppm": { "type": "integer", "minimum": 0, "maximum": 1_000_000 },
                "revision": count,
                "changed_by": { "type": "string" },
                "reason": { "type": "string" },
                "changed_at": { "type": "string", "format": "date-time" },
                "paused_by": text,
                "signed_off": {
                    "type": ["object", "null"],
                    "required": ["who", "rules_hash", "at"],
                    "properties": { "who": { "type": "string" }, "rules_hash": { "type": "string" }, "at": { "type": "string", "format": "date-time" } },
                },
                "recorded": count,
                "not_recorded": counts,
                "primary": counts,
                "added_delay": {
                    "description": "What the recorder adds to the application's calls since its start: from a request's arrival until it is sent on, and from the arrival of the answer's head until its first byte goes back. Without the primary's own time and connects; null below 299 calls",
                    "type": ["object", "null"],
                    "required": ["p50_us", "p99_us", "calls"],
                    "properties": { "p50_us": count, "p99_us": count, "calls": count },
                },
                "redaction_hits": counts,
                "ledger": {
                    "type": "object",
                    "required": ["arrived", "pending", "mirrored", "not_mirrored", "adds_up"],
                    "properties": { "arrived": count, "pending": count, "mirrored": counts, "not_mirrored": counts, "adds_up": { "type": "boolean" } },
                },
            },
        },
        "Status": {
            "type": "object",
            "required": ["schema", "integrations", "refused_requests", "recorder"],
            "properties": {
                "schema": { "const": "darklaunch.status/v1" },
                "integrations": { "type": "array", "items": { "$ref": "#/components/schemas/Integration" } },
                "refused_requests": counts,
                "recorder": {
                    "type": "object",
                    "required": ["ready", "problems", "version", "started_at", "rules_hash", "rules_generation", "rules_since", "last_scan"],
                    "properties": {
                        "ready": { "type": "boolean" },
                        "problems": { "type": "array", "items": { "type": "string" } },
                        "version": { "type": "string" },
                        "last_scan": {
                            "description": "What the last command found that searched everything stored (store check, store redact)",
                            "type": ["object", "null"],
                            "required": ["at_unix_us", "command", "recordings", "good", "found"],
                            "properties": { "at_unix_us": { "type": "integer" }, "command": { "type": "string" }, "recordings": count, "good": { "type": "boolean" }, "found": { "type": "string" } },
                        },
                    },
                },
            },
        },
    })
}
