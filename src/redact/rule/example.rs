//! The examples that a rule carries, and how they are run.

use crate::exchange::DropReason;
use crate::redact::engine::Redactor;
use crate::redact::evidence::names::Key;
use crate::redact::pass::{Pass, Place};
use serde::Deserialize;

/// A text, or a value at a named place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::redact) enum Example {
    /// A value without a name.
    Text(String),
    /// A value under a name.
    Named(NamedExample),
}

/// A value under a field (optionally below a parent), a header or a parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::redact) struct NamedExample {
    key: Option<String>,
    parent: Option<String>,
    header: Option<String>,
    param: Option<String>,
    #[serde(default)]
    beside: Vec<String>,
    value: String,
}

impl Example {
    /// Whether the rule, alone, would replace something in the example.
    pub fn strikes(&self, redactor: &Redactor, rule: usize) -> Result<bool, DropReason> {
        let names = redactor.names.known();
        let mut pass = Pass::new(redactor, &names);
        pass.only = u16::try_from(rule).ok();
        match self {
            Self::Text(text) => drop(pass.value(text, Place::BARE)?),
            Self::Named(named) => {
                let parents: Vec<Key<'_>> = named.parent.iter().map(|name| pass.key(name)).collect();
                pass.beside = named.beside.iter().map(|name| pass.key_in_text(name)).collect();
                if let Some(header) = &named.header {
                    pass.header(header, &named.value)?;
                } else if let Some(param) = &named.param {
                    let key = pass.key(param);
                    pass.parameter(&key, &named.value, 0)?;
                } else {
                    let key = named.key.as_deref().map(|name| pass.key(name));
                    pass.value(&named.value, Place { key: key.as_ref(), parents: &parents, depth: 0 })?;
                }
            }
        }
        Ok(!pass.is_clean())
    }
}
