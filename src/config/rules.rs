//! Reads a folder of redaction rules; what the rules mean is the business of `redact`.

use crate::config::Config;
use crate::redact::{RuleFile, place_of_file};
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A rule file may have this many bytes: rules are written by people.
const RULE_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a folder gives no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The folder cannot be listed.
    #[error("names the folder {path}, which cannot be read: {1}", path = .0.display())]
    Folder(PathBuf, String),
    /// The folder holds no rule: redacting nothing must never be a slip.
    #[error("names the folder {}, which holds no *.toml file", .0.display())]
    Empty(PathBuf),
    /// One file cannot be read, is not UTF-8 or is too long.
    #[error("names a folder whose file {path} cannot be read: {1}", path = .0.display())]
    File(PathBuf, String),
}

/// The `*.toml` files of `folder`: those named as the ones that come with the program in their order, then the others by
/// name. Everything or nothing: a rule left out would let personal data through.
///
/// # Errors
/// [`RulesError`], naming the path.
pub fn read_folder(folder: &Path) -> Result<Vec<RuleFile>, RulesError> {
    let unlisted = |why: std::io::Error| RulesError::Folder(folder.to_owned(), why.to_string());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(RulesError::Empty(folder.to_owned()));
    }
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_owned();
        (place_of_file(&name.to_string_lossy()), name)
    });
    paths.iter().map(|path| read_rule_file(path)).collect()
}

/// How the files of a configuration look from outside, so that a change is seen without reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, Look)>);

/// Modification time (seconds and nanoseconds), length, and the file itself, which a rename replaces.
type Look = Option<(i64, i64, u64, u64)>;

/// The look of the configuration's file, of its rule folders and of every rule file in them.
pub fn fingerprint(config: &Config, file: Option<&Path>) -> Fingerprint {
    let own = config.integrations.iter().flat_map(|one| &one.redaction.rules_folders);
    let folders: Vec<&PathBuf> = config.redaction.rules_folders.iter().chain(own).collect();
    let mut paths: Vec<PathBuf> = file.map(Path::to_owned).into_iter().collect();
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")));
        paths.push(folder.clone());
    }
    paths.sort();
    paths.dedup();
    let look = |path: &Path| {
        let of = fs::metadata(path).ok()?;
        Some((of.mtime(), of.mtime_nsec(), of.len(), of.ino()))
    };
    Fingerprint(paths.into_iter().map(|path| (path.clone(), look(&path))).collect())
}

/// Largest document that is read for a test of the rules, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// A document to try rules on; `-` is stdin.
///
/// # Errors
/// When it cannot be read, or is larger than 64 MiB.
pub fn read_document(path: &Path) -> Result<Vec<u8>, RulesError> {
    let unread = |why: String| RulesError::File(path.to_owned(), why);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|why| unread(why.to_string()))?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(unread(format!("it is larger than the limit of {DOCUMENT_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

fn read_rule_file(path: &Path) -> Result<RuleFile, RulesError> {
    let unread = |why: String| RulesError::File(path.to_owned(), why);
    let length = fs::metadata(path).map_err(|why| unread(why.to_string()))?.len();
    if length > RULE_FILE_BYTES_MAX {
        return Err(unread(format!("it has {length} bytes, over the limit of {RULE_FILE_BYTES_MAX}")));
    }
    let text = fs::read_to_string(path).map_err(|why| unread(why.to_string()))?;
    Ok(RuleFile { name: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;

    #[test]
    fn a_folder_is_read_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "README.md"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let texts: Vec<String> = read_folder(folder.path()).unwrap().into_iter().map(|file| file.text).collect();
        assert_eq!(texts, ["a.toml", "b.toml"]);
    }

    #[test]
    fn a_copy_of_the_builtin_rules_keeps_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let builtin = builtin();
        for file in &builtin {
            fs::write(folder.path().join(Path::new(&file.name).file_name().unwrap()), &file.text).unwrap();
        }
        fs::write(folder.path().join("a.toml"), "").unwrap();
        let texts: Vec<String> = read_folder(folder.path()).unwrap().into_iter().map(|file| file.text).collect();
        let expected: Vec<String> = builtin.into_iter().map(|file| file.text).chain([String::new()]).collect();
        assert!(texts == expected);
    }

    #[test]
    fn nothing_is_left_out_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read_folder(folder.path()), Err(RulesError::Empty(_))));
        assert!(matches!(read_folder(&folder.path().join("absent")), Err(RulesError::Folder(..))));
        fs::write(folder.path().join("a.toml"), [0xff, 0xfe]).unwrap();
        assert!(matches!(read_folder(folder.path()), Err(RulesError::File(..))));
    }
}
