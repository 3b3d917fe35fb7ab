//! The two streams: data and talk. A closed pipe ends output quietly, as `| head` expects.

use crate::cli::Failure;
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Data, to stdout.
pub fn data(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| match text.ends_with('\n') {
        true => out.flush(),
        false => out.write_all(b"\n").and_then(|()| out.flush()),
    });
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::no(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Data that is only a part of what comes, to stdout. False: nobody reads it any more.
pub fn streamed(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::no(format!("cannot write to stdout: {error}"))),
    }
}

/// JSON, to stdout.
pub fn json(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::no(error.to_string()))?;
    data(&text)
}

/// Talk, to stderr. Nothing can be done if nobody listens.
pub fn talk(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A file that appears whole or not at all.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(()),
        // The library's own words name a file that nobody asked for.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::usage(format!("cannot write {}: there is no folder {}", path.display(), folder.display())))
        }
        Err(error) => Err(Failure::usage(format!("cannot write {}: {error}", path.display()))),
    }
}
