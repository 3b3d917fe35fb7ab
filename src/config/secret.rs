//! Secrets by reference, `env:NAME` and `file:PATH`: the value is read once, and no message or dump ever shows it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A secret file may have this many bytes; a longer one is no credential but a mistaken path.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The environment as it was given at start.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Keeps what is UTF-8; a variable that is not can be neither an override nor a header's value.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let utf8 = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self(variables.into_iter().filter_map(utf8).collect())
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All variables whose name begins with `prefix`, with the rest of the name.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`
    Environment(String),
    /// `file:PATH`
    File(PathBuf),
}

impl Reference {
    /// The reference in `text`, if it is one; a relative path counts from `folder`.
    pub fn parse(text: &str, folder: &Path) -> Option<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            return Some(Self::Environment(name.trim().to_owned()));
        }
        text.strip_prefix("file:").map(|path| Self::File(folder.join(path.trim())))
    }

    /// Reads the secret; one line end at its end is not part of it.
    ///
    /// # Errors
    /// It does not exist, cannot be read, is empty or too long: the text names the reference, never the value.
    pub fn resolve(&self, environment: &Environment) -> Result<Secret, SecretError> {
        let value = match self {
            Self::Environment(name) => {
                let value = environment.get(name).ok_or_else(|| SecretError::Unset(name.clone()))?;
                value.as_bytes().to_vec()
            }
            Self::File(path) => read_file(path)?,
        };
        let end = value.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest)).unwrap_or(&value);
        if end.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(Secret { reference: self.to_string(), value: end.to_vec() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    let unreadable = |why: std::io::Error| SecretError::Unreadable(path.to_owned(), why.to_string());
    let mut value = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(SECRET_FILE_BYTES_MAX + 1).read_to_end(&mut value).map_err(unreadable)?;
    if value.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(SecretError::TooLong(path.to_owned()));
    }
    Ok(value)
}

/// Why a secret does not resolve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No such variable.
    #[error("refers to env:{0}, which is not set (or is not UTF-8)")]
    Unset(String),
    /// No such file, or no right to read it.
    #[error("refers to file:{path}, which cannot be read: {1}", path = .0.display())]
    Unreadable(PathBuf, String),
    /// Nothing in it.
    #[error("refers to {0}, which is empty")]
    Empty(String),
    /// Not a credential.
    #[error("refers to file:{}, which is longer than {SECRET_FILE_BYTES_MAX} bytes", .0.display())]
    TooLong(PathBuf),
}

/// A secret value. It has no `Display`; `Debug` and `Serialize` give its reference.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    reference: String,
    value: Vec<u8>,
}

impl Secret {
    /// A value written into the file itself.
    pub(crate) fn literal(value: &str) -> Self {
        Self { reference: "(literal)".to_owned(), value: value.as_bytes().to_vec() }
    }

    /// The same secret behind a fixed word, as in `Bearer env:TOKEN`.
    pub(crate) fn behind(mut self, prefix: &str) -> Self {
        self.reference = format!("{prefix}{}", self.reference);
        self.value.splice(0..0, prefix.bytes());
        self
    }

    /// The value, for the one use it was written for.
    pub fn expose(&self) -> &[u8] {
        &self.value
    }

    /// Where it comes from, such as `env:NEW_API_KEY`.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::new([("TOKEN".into(), "s3cr3t-value".into()), ("NOTHING".into(), "".into())])
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "s3cr3t-value\r\n").unwrap();
        for text in ["env:TOKEN", "file:key"] {
            let secret = Reference::parse(text, folder.path()).unwrap().resolve(&environment()).unwrap();
            assert_eq!(secret.expose(), b"s3cr3t-value");
            let shown = format!("{secret:?} {:?} {}", environment(), serde_json::to_string(&secret).unwrap());
            assert!(!shown.contains("s3cr3t"), "{shown}");
            assert_eq!(secret.behind("Bearer ").expose(), b"Bearer s3cr3t-value");
        }
        assert_eq!(Reference::parse("plain", folder.path()), None);
    }

    #[test]
    fn what_does_not_resolve_names_the_reference() {
        let error = |text: &str| {
            Reference::parse(text, Path::new("/nowhere")).unwrap().resolve(&environment()).unwrap_err().to_string()
        };
        assert_eq!(error("env:ABSENT"), "refers to env:ABSENT, which is not set (or is not UTF-8)");
        assert_eq!(error("env:NOTHING"), "refers to env:NOTHING, which is empty");
        assert!(error("file:key").starts_with("refers to file:/nowhere/key, which cannot be read: No such file"));
    }
}
