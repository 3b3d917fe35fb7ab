//! The file of the tokens in the state folder: read by the recorder, written by `darklaunch token`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::state::{StateError, StateFolder, io, read_if_there, write_synced};
use crate::console::{TokenError, TokenRecord, Tokens};

const TOKENS: &str = "tokens.json";
/// Held while the file is changed, so that of two changes at once none is lost.
const LOCK: &str = "tokens.lock";
/// The layout of the file; a higher one was written by a newer version.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct TokensFile {
    format: u32,
    tokens: Vec<TokenRecord>,
}

/// Tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    inode: u64,
    changed_s: i64,
    changed_ns: i64,
}

/// Why tokens could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file.
    #[error(transparent)]
    File(#[from] StateError),
    /// What was asked for.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl StateFolder {
    /// The tokens of a database's recorder; makes nothing.
    ///
    /// # Errors
    /// The file is unreadable, not understood, or open to others.
    pub fn tokens_of(database: &Path) -> Result<Tokens, StateError> {
        read(&Self::path_for(database).join(TOKENS))
    }

    /// The tokens as they are now.
    ///
    /// # Errors
    /// As [`StateFolder::tokens_of`]; nobody should then be let in by a token.
    pub fn tokens(&self) -> Result<Tokens, StateError> {
        read(&self.path().join(TOKENS))
    }

    /// Which state of the file this is; `None` without a file.
    pub fn tokens_stamp(&self) -> Option<FileStamp> {
        self.stamp(TOKENS)
    }

    pub(in crate::config) fn stamp(&self, name: &str) -> Option<FileStamp> {
        let found = fs::metadata(self.path().join(name)).ok()?;
        Some(FileStamp { inode: found.ino(), changed_s: found.ctime(), changed_ns: found.ctime_nsec() })
    }

    /// Changes the tokens, one change at a time, whichever process makes it.
    ///
    /// # Errors
    /// As [`StateFolder::tokens_of`], or what `change` says; the file then is as it was.
    pub fn change_tokens<T>(
        &self,
        change: impl FnOnce(&mut Tokens) -> Result<T, TokenError>,
    ) -> Result<T, TokensError> {
        let (path, lock) = (self.path().join(TOKENS), self.path().join(LOCK));
        let held = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let held = held.map_err(io("open", &lock))?;
        held.lock().map_err(io("lock", &lock))?;
        let mut tokens = read(&path)?;
        let made = change(&mut tokens)?;
        let file = TokensFile { format: FORMAT, tokens: tokens.records().to_vec() };
        let bad = |why: serde_json::Error| StateError::BadTokens { path: path.clone(), why: why.to_string() };
        let text = serde_json::to_vec_pretty(&file).map_err(bad)?;
        let beside = self.path().join("tokens.json.new");
        write_synced(&beside, &text, OpenOptions::new().create(true).truncate(true).mode(0o600))?;
        self.give(&beside)?;
        self.give(&lock)?;
        fs::rename(&beside, &path).map_err(io("replace", &path))?;
        File::open(self.path()).and_then(|folder| folder.sync_all()).map_err(io("sync the folder", self.path()))?;
        Ok(made)
    }

    /// To the folder's owner: the recorder, also when root made the token.
    pub(in crate::config) fn give(&self, path: &Path) -> Result<(), StateError> {
        let folder = fs::metadata(self.path()).map_err(io("look at", self.path()))?;
        let file = fs::metadata(path).map_err(io("look at", path))?;
        if folder.uid() == file.uid() {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(folder.uid()), Some(folder.gid())).map_err(io("give away", path))
    }
}

fn read(path: &Path) -> Result<Tokens, StateError> {
    let Some(text) = read_if_there(path)? else { return Ok(Tokens::default()) };
    let mode = fs::metadata(path).map_err(io("look at", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::OpenKey { path: path.to_owned(), mode });
    }
    let bad = |why: String| StateError::BadTokens { path: path.to_owned(), why };
    let file: TokensFile = serde_json::from_str(&text).map_err(|why| bad(why.to_string()))?;
    match file.format {
        FORMAT => Ok(Tokens::new(file.tokens)),
        other => Err(bad(format!("format {other} instead of {FORMAT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Role;
    use std::fs::Permissions;

    fn folder() -> (tempfile::TempDir, StateFolder) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&dir.path().join("darklaunch.db")).unwrap();
        (dir, state)
    }

    #[test]
    fn tokens_are_kept_for_their_owner_only_and_a_change_is_seen() {
        let (_dir, state) = folder();
        assert_eq!((state.tokens().unwrap(), state.tokens_stamp()), (Tokens::default(), None));
        let text = state.change_tokens(|tokens| tokens.create("ann", Role::Admin, 1, None)).unwrap();
        let first = state.tokens_stamp();
        assert!(first.is_some() && state.tokens().unwrap().find(&text, 2).is_ok());
        let path = state.path().join(TOKENS);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&path).unwrap().contains(&text));
        let taken = state.change_tokens(|tokens| tokens.create("ann", Role::Admin, 1, None)).unwrap_err();
        assert!(taken.to_string().contains("there is a token ann already"), "{taken}");
        assert_eq!(state.tokens_stamp(), first);
        state.change_tokens(|tokens| tokens.revoke("ann", 3)).unwrap();
        assert!(state.tokens_stamp() != first && state.tokens().unwrap().find(&text, 2).is_err());
    }

    #[test]
    fn a_file_that_is_open_or_not_understood_lets_nobody_in() {
        let (_dir, state) = folder();
        state.change_tokens(|tokens| tokens.create("ann", Role::Admin, 1, None)).unwrap();
        let path = state.path().join(TOKENS);
        fs::set_permissions(&path, Permissions::from_mode(0o620)).unwrap();
        assert!(state.tokens().unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for bad in ["{", r#"{"format":2,"tokens":[]}"#, r#"{"format":1,"tokens":[{"name":"x"}]}"#] {
            fs::write(&path, bad).unwrap();
            let error = state.tokens().unwrap_err().to_string();
            assert!(error.contains("is no file of tokens"), "{error}");
        }
    }

    #[test]
    fn changes_at_once_are_all_kept() {
        let (_dir, state) = folder();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let state = &state;
                scope.spawn(move || {
                    state.change_tokens(|tokens| tokens.create(&format!("t{n}"), Role::Viewer, 1, None)).unwrap()
                });
            }
        });
        assert_eq!(state.tokens().unwrap().records().len(), 8);
    }
}
