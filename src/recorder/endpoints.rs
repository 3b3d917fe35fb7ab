//! The names under which endpoints are stored: an inferred one may hold what its path held, so the rules are asked, once
//! for each name, on the writer's thread.

use crate::exchange::{Endpoint, Integration};
use crate::recorder::NameEndpoint;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Names remembered at most; the proxy infers two hundred for an integration.
const NAMES_MAX: usize = 10_000;
/// What an endpoint is called when its name cannot be judged.
const UNNAMED: &str = "other";

/// The stored names, remembered.
pub(in crate::recorder) struct Endpoints {
    name: NameEndpoint,
    known: HashMap<(Integration, Endpoint), Endpoint>,
}

impl Endpoints {
    /// Names given by the rules.
    pub fn new(name: NameEndpoint) -> Self {
        Self { name, known: HashMap::new() }
    }

    /// Asks the rules again from now on.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// The name under which an endpoint is stored.
    pub fn stored(&mut self, integration: &Integration, endpoint: Endpoint) -> Endpoint {
        let key = (Integration::clone(integration), endpoint);
        if let Some(stored) = self.known.get(&key) {
            return Endpoint::clone(stored);
        }
        // Whatever goes wrong, a value is not taken for a name.
        let stored = catch_unwind(AssertUnwindSafe(|| (self.name)(&key.0, &key.1)));
        let stored: Endpoint = stored.unwrap_or_else(|_| UNNAMED.to_owned()).into();
        if self.known.len() < NAMES_MAX {
            self.known.insert(key, Endpoint::clone(&stored));
        }
        stored
    }
}
