//! The file of the last searches of the store in the state folder: written by `darklaunch store`, read by the recorder.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::state::{StateError, StateFolder, io, read_if_there, write_synced};
use crate::config::tokens::FileStamp;
use crate::console::{SCANS_MAX, Scan};

const SCANS: &str = "scans.json";
/// The layout of the file; another one is as if there were none.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct ScansFile {
    format: u32,
    scans: Vec<Scan>,
}

impl StateFolder {
    /// Keeps a result for the pages of the recorder of `database`, which has been one: a copy without a state folder gets
    /// none. Of two searches that end at the same moment one may be kept.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep_scan(database: &Path, scan: Scan) -> Result<(), StateError> {
        if !Self::path_for(database).is_dir() {
            return Ok(());
        }
        let state = Self::open(database)?;
        let mut scans = state.scans()?;
        scans.insert(0, scan);
        scans.truncate(SCANS_MAX);
        let (path, beside) = (state.path().join(SCANS), state.path().join("scans.json.new"));
        let text = serde_json::to_vec_pretty(&ScansFile { format: FORMAT, scans });
        let text = text.map_err(|why| io("write", &path)(why.into()))?;
        write_synced(&beside, &text, OpenOptions::new().create(true).truncate(true).mode(0o600))?;
        state.give(&beside)?;
        fs::rename(&beside, &path).map_err(io("replace", &path))
    }

    /// The results that are kept, the newest first; none where they cannot be understood.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn scans(&self) -> Result<Vec<Scan>, StateError> {
        let text = read_if_there(&self.path().join(SCANS))?.unwrap_or_default();
        let file = serde_json::from_str(&text).ok().filter(|file: &ScansFile| file.format == FORMAT);
        Ok(file.map(|file| file.scans).unwrap_or_default())
    }

    /// Which state of the file this is; `None` without a file.
    pub fn scans_stamp(&self) -> Option<FileStamp> {
        self.stamp(SCANS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_results_are_kept_and_none_beside_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("darklaunch.db");
        let scan = |at_unix_us| Scan {
            at_unix_us,
            command: "store check".to_owned(),
            recordings: 3,
            good: true,
            found: "sound".to_owned(),
        };
        StateFolder::keep_scan(&database, scan(0)).unwrap();
        assert!(!StateFolder::path_for(&database).exists());
        let state = StateFolder::open(&database).unwrap();
        assert_eq!((state.scans().unwrap(), state.scans_stamp()), (Vec::new(), None));
        for at in 0..2 * SCANS_MAX as i64 {
            StateFolder::keep_scan(&database, scan(at)).unwrap();
        }
        let kept = state.scans().unwrap();
        assert_eq!((kept.len(), kept[0].at_unix_us), (SCANS_MAX, 2 * SCANS_MAX as i64 - 1));
        assert!(state.scans_stamp().is_some());
        fs::write(state.path().join(SCANS), "{").unwrap();
        assert_eq!(state.scans().unwrap(), Vec::new());
    }
}
