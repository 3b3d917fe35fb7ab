//! Who asks, as the answers need to know it: what they may do, what the history calls them, and their forms' secret.

use crate::console::access::{May, Role};
use maud::{Markup, html};
use std::sync::Arc;

/// The field of a form that carries the session's secret.
pub(crate) const CSRF_FIELD: &str = "csrf";

/// How a caller was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Not at all.
    Anyone,
    /// The recorder's own user, through the socket in the state folder.
    Owner,
    /// By a token, or by a session that began with one or with a link.
    Named { name: Arc<str>, role: Role },
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) known: Known,
    pub(crate) may: May,
    /// The session's secret for forms.
    pub(crate) csrf: Option<Arc<str>>,
}

impl Caller {
    /// What the history calls them. A token's name is a fact; what others call themselves is marked as their own word.
    pub(crate) fn signs(&self, claimed: &str, door: &str) -> String {
        let claimed = if claimed.is_empty() { door } else { claimed };
        match &self.known {
            Known::Named { name, .. } => name.to_string(),
            Known::Owner => claimed.to_owned(),
            Known::Anyone => format!("{claimed} (not logged in)"),
        }
    }

    /// Whether they may.
    pub(crate) fn may(&self, need: May) -> bool {
        self.may >= need
    }

    /// Name and role, if they are known by name.
    pub(crate) fn named(&self) -> Option<(&str, Role)> {
        match &self.known {
            Known::Named { name, role } => Some((name, *role)),
            _ => None,
        }
    }

    /// What their pages depend on beside the address: name, rights, and the secret in their forms.
    pub(crate) fn sees(&self) -> (Option<Arc<str>>, May, Option<Arc<str>>) {
        let name = match &self.known {
            Known::Named { name, .. } => Some(Arc::clone(name)),
            Known::Anyone | Known::Owner => None,
        };
        (name, self.may, self.csrf.clone())
    }

    /// What every form that changes something holds.
    pub(crate) fn csrf_field(&self) -> Markup {
        html! { @if let Some(secret) = &self.csrf { input type="hidden" name=(CSRF_FIELD) value=(secret); } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_signs_as_somebody_else() {
        let caller = |known| Caller { known, may: May::Stop, csrf: None };
        let ann = caller(Known::Named { name: Arc::from("ann"), role: Role::Operator });
        assert_eq!(ann.signs("bob", "console"), "ann");
        assert_eq!(caller(Known::Owner).signs("bob (command line)", "api"), "bob (command line)");
        assert_eq!(caller(Known::Anyone).signs("ann", "console"), "ann (not logged in)");
        assert_eq!(caller(Known::Anyone).signs("", "console"), "console (not logged in)");
    }
}
