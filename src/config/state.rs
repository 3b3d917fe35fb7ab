//! The folder beside the database: the switches' last states, the stop files, the key of the pseudonyms, the tokens of the
//! console (`tokens`), and the sockets that only the recorder's own user may reach.
//!
//! **Invariant:** a file here is either whole or absent (written beside, synced, then renamed), and the key is readable
//! by its owner only.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::secret::Secret;
use crate::control::{RampState, SignOff};

/// A stop file for all integrations; `STOP.<integration>` is for one.
const STOP: &str = "STOP";
const SWITCHES: &str = "switches.json";
const HANDOVER: &str = "handover.sock";
const CONSOLE: &str = "console.sock";
const KEY: &str = "pseudonym.key";
/// The layout of `switches.json`; a higher one was written by a newer version.
const FORMAT: u32 = 1;
/// Hex digits of the 32 byte key.
const KEY_DIGITS: usize = 64;
/// A state file may have this many bytes.
const STATE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One switch as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSwitch {
    /// The integration's name.
    pub integration: String,
    /// Mirroring or not.
    pub on: bool,
    /// The share that is mirrored, parts per million.
    pub sample_ppm: u32,
    /// Where the share rises by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<RampState>,
    /// Who vouches for its redaction rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignOff>,
    /// Counts the changes.
    pub revision: u64,
    /// Who changed it last.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, microseconds since the Unix epoch.
    pub at_unix_us: i64,
}

#[derive(Serialize, Deserialize)]
struct SwitchesFile {
    format: u32,
    switches: Vec<SavedSwitch>,
}

/// Which integrations a stop file holds down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    /// `STOP` is there: all of them.
    pub all: bool,
    /// The integrations with a `STOP.<name>`, sorted.
    pub integrations: Vec<String>,
}

impl Stops {
    /// Whether `integration` must not mirror.
    pub fn holds(&self, integration: &str) -> bool {
        self.all || self.integrations.iter().any(|name| name == integration)
    }
}

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system refused.
    #[error("cannot {doing} {}: {why} (check that the folder belongs to the recorder's user and the disk is not full)", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// The switches cannot be understood.
    #[error("{} is no switch file of this version: {why} (move it away: the switches then start as configured)", .path.display())]
    BadSwitches {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The tokens cannot be understood.
    #[error("{} is no file of tokens of this version: {why} (move it away, and make the tokens again)", .path.display())]
    BadTokens {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Others may read the key.
    #[error("{} has the mode {mode:04o}, so that others may read it (chmod 600 {})", .path.display(), .path.display())]
    OpenKey {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file does not hold a key.
    #[error("{} does not hold {KEY_DIGITS} hex digits (restore it from a backup; with a new key old and new pseudonyms no longer match)", .0.display())]
    BadKey(PathBuf),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for {path}: {1} (try again, or set redaction.key)", path = .0.display())]
    NoRandom(PathBuf, String),
}

pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StateError {
    let path = path.to_owned();
    move |why| StateError::Io { doing, path, why }
}

/// The folder `<database>.state`.
#[derive(Clone, Debug)]
pub struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// Where the folder of a database is, whether or not it exists.
    pub fn path_for(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".state");
        PathBuf::from(name)
    }

    /// Opens the folder beside `database`, creating it for its owner only.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn open(database: &Path) -> Result<Self, StateError> {
        let path = Self::path_for(database);
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io("create the folder", &path))?;
        Ok(Self { path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The socket on which the recorder of a database can be taken over from; only its owner may connect.
    pub fn handover_socket(database: &Path) -> PathBuf {
        Self::path_for(database).join(HANDOVER)
    }

    /// The socket of the console for the recorder's own user, who needs no token there.
    pub fn console_socket(database: &Path) -> PathBuf {
        Self::path_for(database).join(CONSOLE)
    }

    /// The switches as last saved; none before the first save.
    ///
    /// # Errors
    /// Unreadable, or not understood: the caller decides, since guessing "on" would break a promise.
    pub fn load(&self) -> Result<Vec<SavedSwitch>, StateError> {
        let path = self.path.join(SWITCHES);
        let Some(text) = read_if_there(&path)? else { return Ok(Vec::new()) };
        let bad = |why: String| StateError::BadSwitches { path: path.clone(), why };
        let file: SwitchesFile = serde_json::from_str(&text).map_err(|why| bad(why.to_string()))?;
        if file.format != FORMAT {
            return Err(bad(format!("format {} instead of {FORMAT}", file.format)));
        }
        Ok(file.switches)
    }

    /// Saves the switches: after this returns they survive a power cut.
    ///
    /// # Errors
    /// [`StateError::Io`]; the former file then still stands.
    pub fn save(&self, switches: &[SavedSwitch]) -> Result<(), StateError> {
        let path = self.path.join(SWITCHES);
        let file = SwitchesFile { format: FORMAT, switches: switches.to_vec() };
        let text = serde_json::to_vec_pretty(&file)
            .map_err(|why| StateError::BadSwitches { path: path.clone(), why: why.to_string() })?;
        let beside = self.path.join("switches.json.new");
        write_synced(&beside, &text, OpenOptions::new().create(true).truncate(true))?;
        fs::rename(&beside, &path).map_err(io("replace", &path))?;
        self.sync()
    }

    /// The stop files of this moment. They need no running process, no token: `touch STOP`.
    ///
    /// # Errors
    /// The folder cannot be listed: the caller should then stop, since a stop file might be there.
    pub fn stops(&self) -> Result<Stops, StateError> {
        let mut stops = Stops::default();
        for entry in fs::read_dir(&self.path).map_err(io("list", &self.path))? {
            let name = entry.map_err(io("list", &self.path))?.file_name();
            match name.to_str() {
                Some(STOP) => stops.all = true,
                Some(name) => stops.integrations.extend(name.strip_prefix("STOP.").map(str::to_owned)),
                None => {}
            }
        }
        stops.integrations.sort();
        Ok(stops)
    }

    /// Puts a stop file down, for one integration or for all (`None`).
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn stop(&self, integration: Option<&str>) -> Result<(), StateError> {
        let path = self.stop_path(integration);
        write_synced(&path, b"", OpenOptions::new().create(true))?;
        self.sync()
    }

    /// Takes a stop file away; one that is not there is fine.
    ///
    /// # Errors
    /// [`StateError::Io`]
    pub fn unstop(&self, integration: Option<&str>) -> Result<(), StateError> {
        let path = self.stop_path(integration);
        match fs::remove_file(&path) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(io("remove", &path)(why)),
            _ => self.sync(),
        }
    }

    fn stop_path(&self, integration: Option<&str>) -> PathBuf {
        self.path.join(integration.map_or_else(|| STOP.to_owned(), |name| format!("{STOP}.{name}")))
    }

    /// The key of the pseudonyms that a database's recorder made, if it did; makes nothing.
    ///
    /// # Errors
    /// Unreadable, readable by others, or no key.
    pub fn existing_key(database: &Path) -> Result<Option<[u8; 32]>, StateError> {
        read_key(&Self::path_for(database).join(KEY))
    }

    /// The key of the pseudonyms, made from the system's random bytes on first use.
    ///
    /// # Errors
    /// Unreadable, readable by others, or no key.
    pub fn pseudonym_key(&self) -> Result<[u8; 32], StateError> {
        let path = self.path.join(KEY);
        if let Some(key) = read_key(&path)? {
            return Ok(key);
        }
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key).map_err(|why| StateError::NoRandom(path.clone(), why.to_string()))?;
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let beside = self.path.join(format!("{KEY}.{}", std::process::id()));
        write_synced(&beside, digits.as_bytes(), OpenOptions::new().create(true).truncate(true).mode(0o600))?;
        // A link never replaces: of two first runs at once, both end with the key of the one that was first.
        let linked = fs::hard_link(&beside, &path);
        fs::remove_file(&beside).map_err(io("remove", &beside))?;
        match linked {
            Err(why) if why.kind() != ErrorKind::AlreadyExists => return Err(io("create", &path)(why)),
            _ => self.sync()?,
        }
        read_key(&path)?.ok_or(StateError::BadKey(path))
    }

    fn sync(&self) -> Result<(), StateError> {
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(io("sync the folder", &self.path))
    }
}

pub(crate) fn write_synced(path: &Path, bytes: &[u8], options: &mut OpenOptions) -> Result<(), StateError> {
    let mut file = options.write(true).open(path).map_err(io("write", path))?;
    // An old file keeps its mode when it is opened again, so the mode is set each time.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(io("protect", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io("write", path))
}

pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, StateError> {
    let file = match File::open(path) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(io("read", path))?,
    };
    let mut text = String::new();
    file.take(STATE_BYTES_MAX).read_to_string(&mut text).map_err(io("read", path))?;
    Ok(Some(text))
}

pub(crate) fn read_key(path: &Path) -> Result<Option<[u8; 32]>, StateError> {
    let Some(text) = read_if_there(path)? else { return Ok(None) };
    let mode = fs::metadata(path).map_err(io("look at", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::OpenKey { path: path.to_owned(), mode });
    }
    key_from_hex(text.trim_end().as_bytes()).map(Some).ok_or_else(|| StateError::BadKey(path.to_owned()))
}

/// The key in a secret that `redaction.key` refers to: 64 hex digits.
pub(crate) fn key_from_secret(secret: &Secret) -> Option<[u8; 32]> {
    key_from_hex(secret.expose())
}

fn key_from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    if digits.len() != KEY_DIGITS {
        return None;
    }
    let mut key = [0_u8; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{RampPhase, RampPlan};

    fn folder() -> (tempfile::TempDir, StateFolder) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&dir.path().join("darklaunch.db")).unwrap();
        (dir, state)
    }

    fn switch(on: bool) -> SavedSwitch {
        SavedSwitch {
            integration: "payments".into(),
            on,
            sample_ppm: 1_000,
            ramp: on.then(|| RampState {
                plan: RampPlan { from_ppm: 10, to_ppm: 20, over_ms: 1_000 },
                passed_us: 60_000_000,
                began_unix_us: Some(4),
                phase: RampPhase::Held { because: "the breaker opened".into(), at_unix_us: 5 },
            }),
            signed: on.then(|| SignOff { who: "eve".into(), rules_hash: "abc".into(), at_unix_us: 4 }),
            revision: 3,
            who: "ada".into(),
            reason: "why not".into(),
            at_unix_us: 5,
        }
    }

    #[test]
    fn switches_are_saved_whole() {
        let (_dir, state) = folder();
        assert_eq!(state.load().unwrap(), []);
        state.save(&[switch(true)]).unwrap();
        assert_eq!(state.load().unwrap(), [switch(true)]);
        state.save(&[switch(false)]).unwrap();
        assert_eq!(state.load().unwrap(), [switch(false)]);
        fs::write(state.path().join(SWITCHES), "{").unwrap();
        assert!(state.load().unwrap_err().to_string().contains("switches then start as configured"));
        fs::write(state.path().join(SWITCHES), r#"{"format":2,"switches":[]}"#).unwrap();
        assert!(state.load().unwrap_err().to_string().contains("format 2 instead of 1"));
    }

    #[test]
    fn stop_files_are_seen() {
        let (_dir, state) = folder();
        assert_eq!(state.stops().unwrap(), Stops::default());
        fs::write(state.path().join("STOP.payments"), "").unwrap();
        let stops = state.stops().unwrap();
        assert!(stops.holds("payments") && !stops.holds("orders"));
        state.stop(None).unwrap();
        assert!(state.stops().unwrap().holds("orders"));
        state.unstop(None).unwrap();
        state.unstop(None).unwrap();
        state.unstop(Some("payments")).unwrap();
        assert_eq!(state.stops().unwrap(), Stops::default());
    }

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let (_dir, state) = folder();
        let key = state.pseudonym_key().unwrap();
        assert_ne!(key, [0; 32]);
        assert_eq!(state.pseudonym_key().unwrap(), key);
        let path = state.path().join(KEY);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = state.pseudonym_key().unwrap_err().to_string();
        assert!(error.contains("has the mode 0640") && error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(matches!(state.pseudonym_key(), Err(StateError::BadKey(_))));
    }

    #[test]
    fn runs_that_start_at_once_agree_on_the_key() {
        let (_dir, state) = folder();
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| state.pseudonym_key().ok())).collect();
            runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
        });
        let kept = state.pseudonym_key().unwrap();
        assert!(keys.iter().all(|key| *key == kept));
    }
}
