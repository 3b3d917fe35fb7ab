//! Strict mode: only values at listed paths are kept, everything else is masked.

use crate::redact::evidence::names::Key;
use crate::redact::evidence::path::PathPattern;

/// The paths whose values are kept.
pub(in crate::redact) struct Strict(Vec<PathPattern>);

impl Strict {
    /// Strict mode with these paths, or none.
    ///
    /// # Errors
    /// The text that is no path.
    pub fn of(kept: Option<&[String]>) -> Result<Option<Self>, String> {
        let paths =
            kept.map(|kept| kept.iter().map(|text| PathPattern::of(text).ok_or_else(|| text.clone())).collect());
        Ok(paths.transpose()?.map(Self))
    }

    /// Whether a value under these names is kept.
    pub fn keeps(&self, parents: &[Key<'_>], key: Option<&Key<'_>>) -> bool {
        self.0.iter().any(|path| path.is_at(parents, key))
    }
}
