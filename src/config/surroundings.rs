//! The process's surroundings that are not configuration: who runs it, where, and keys for one call.

use crate::config::process_environment;
use crate::config::state::{StateError, read_key};
use std::path::Path;

/// The name of the user, for the history of switches; `somebody` where the system does not say.
pub fn user_name() -> String {
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| "somebody".to_owned())
}

/// The name of the machine, for the runs in the database.
pub fn machine_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

fn named(variable: &str) -> Option<String> {
    process_environment()
        .into_iter()
        .find(|(name, _)| name == variable)
        .and_then(|(_, value)| value.into_string().ok())
        .filter(|value| !value.is_empty())
}

/// A key nobody keeps: stand-ins are equal within this call only.
///
/// # Errors
/// The system has no random bytes.
pub fn key_for_once() -> Result<[u8; 32], StateError> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key).map_err(|why| StateError::NoRandom("(this call's key)".into(), why.to_string()))?;
    Ok(key)
}

/// The key in a file of 64 hex digits that only its owner may read.
///
/// # Errors
/// It is absent, readable by others, or no key.
pub fn key_from_file(file: &Path) -> Result<[u8; 32], StateError> {
    read_key(file)?.ok_or_else(|| StateError::BadKey(file.to_owned()))
}
