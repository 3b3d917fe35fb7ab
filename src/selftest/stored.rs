//! What the temporary store holds in the end: everything read back as text, and its files as bytes.

use crate::redact::Leak;
use crate::selftest::plants::{CREDENTIALS, PERSONAL, Plant};
use crate::selftest::{Check, run::SelftestError};
use crate::store::{CaptureFilter, Reader, StoredCapture};
use std::path::Path;

/// Captures of one integration that are read; a test makes fewer than a hundred.
const CAPTURES_MAX: usize = 1_000;

pub(crate) const REDACTION: &str = "redaction";

/// Everything of a store that is searched.
pub(crate) struct Stored {
    reader: Reader,
    /// Each file of the store, raw.
    files: Vec<Vec<u8>>,
}

impl Stored {
    pub(crate) fn open(store: &Path) -> Result<Self, SelftestError> {
        let reader = Reader::open(store).map_err(SelftestError::other)?;
        let beside = |ending: &str| {
            let mut path = store.as_os_str().to_owned();
            path.push(ending);
            std::fs::read(path).ok()
        };
        Ok(Self { reader, files: ["", "-wal", "-shm"].iter().filter_map(|ending| beside(ending)).collect() })
    }

    /// Whether anything planted is readable in what was stored of an integration.
    /// What the recorder's own canaries told comes first: it keeps no body then, so that nothing else would show it.
    pub(crate) fn redaction(&self, integration: &str, leaks: &[Leak]) -> Result<Check, SelftestError> {
        let texts = self.texts(integration)?;
        if texts.is_empty() {
            return Ok(Check::not_checked(REDACTION, "nothing was mirrored, so nothing was stored"));
        }
        let mut told: Vec<&Leak> = leaks.iter().collect();
        told.dedup_by_key(|leak| leak.what);
        let mut problems: Vec<String> = told
            .iter()
            .map(|leak| format!("the planted {leak}; no rule found it, so no body would be stored"))
            .collect();
        for plant in PERSONAL.iter().chain(&CREDENTIALS) {
            if let Some(place) = texts.iter().find_map(|(place, text)| text.contains(plant.value).then_some(place)) {
                problems.push(format!("the planted {} is stored readable ({place}); no rule found it", plant.what));
            } else if self.in_a_file(plant) {
                problems.push(format!("the planted {} is readable in the store's file", plant.what));
            }
        }
        let hits = self.reader.hits(integration).map_err(SelftestError::other)?;
        let hits: Vec<String> = hits.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        let planted = PERSONAL.len() + CREDENTIALS.len();
        let detail = format!("none of {planted} planted values is readable in the store; hits: {}", hits.join(", "));
        Ok(Check::unless(REDACTION, &problems, detail))
    }

    fn in_a_file(&self, plant: &Plant) -> bool {
        let value = plant.value.as_bytes();
        self.files.iter().any(|file| file.windows(value.len()).any(|window| window == value))
    }

    /// Every part of every capture, unpacked, with the name of its place.
    fn texts(&self, integration: &str) -> Result<Vec<(String, String)>, SelftestError> {
        let filter = CaptureFilter {
            integration: Some(integration.to_owned()),
            limit: CAPTURES_MAX,
            ..CaptureFilter::default()
        };
        let mut texts = Vec::new();
        for summary in self.reader.captures(&filter).map_err(SelftestError::other)? {
            if let Some(capture) = self.reader.capture(&summary.id).map_err(SelftestError::other)? {
                texts.extend(parts(&capture));
            }
        }
        Ok(texts)
    }
}

fn parts(capture: &StoredCapture) -> Vec<(String, String)> {
    let lossy = |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let mut parts = vec![
        ("request target".to_owned(), capture.summary.target.clone()),
        ("request headers".to_owned(), format!("{:?}", capture.request_headers)),
        ("request body".to_owned(), lossy(&capture.request_body.bytes)),
        ("differences".to_owned(), format!("{:?}", capture.differences)),
    ];
    for (role, exchange) in [("primary", capture.primary.as_ref()), ("shadow", Some(&capture.shadow))] {
        let Some(exchange) = exchange else { continue };
        parts.push((format!("{role}'s headers"), format!("{:?}", exchange.headers)));
        parts.push((format!("{role}'s body"), lossy(&exchange.body.bytes)));
    }
    parts
}
