//! What an integration's redaction may be told.

use super::*;

#[test]
fn every_problem_of_an_integrations_redaction_is_told_with_file_line_and_key() {
    let keys = "redaction.rules = [\"nowhere\", \"builtin\"]\nredaction.keep = [\"id\",\n  \"a..b\"]\n";
    let problems = message(&format!("{SMALLEST}{keys}"));
    let line = SMALLEST.lines().count() + 1;
    for found in [
        format!("darklaunch.toml:{line}:20: integrations.payments.redaction.rules = \"nowhere\" names the folder"),
        format!("darklaunch.toml:{line}:31: integrations.payments.redaction.rules = \"builtin\" is for everyone"),
        format!("darklaunch.toml:{}:3: integrations.payments.redaction.keep = \"a..b\" is no path", line + 2),
    ] {
        assert!(problems.contains(&found), "{found} is not in\n{problems}");
    }

    for refused in ["image/*", "text/plain", "image/svg+xml", "application/zip"] {
        let problems = message(&format!("{SMALLEST}redaction.keep_binary = [\"image/png\", \"{refused}\"]\n"));
        let found = format!(
            ":{line}:39: integrations.payments.redaction.keep_binary = \"{refused}\" is no media type of binary"
        );
        assert!(problems.contains(&found), "{found} is not in\n{problems}");
    }
    let both = "redaction.keep = [\"id\"]\nredaction.keep_binary = [\"image/png\"]\n";
    assert!(message(&format!("{SMALLEST}{both}")).contains("keeps nothing beside redaction.keep"));
}
