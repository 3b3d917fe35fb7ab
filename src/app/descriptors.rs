//! File descriptors: as many as the system allows, and a word when those are too few.

use crate::config::Config;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Listeners, the database, the console and what libraries open.
const OTHERS: u64 = 256;

/// Raises the soft limit to the hard one, and warns if the configured limits need more.
pub(crate) fn raise(config: &Config) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let before = limit.current;
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files stays as it was");
            limit.current = before;
        }
    }
    let needed = needed(config);
    if let Some(allowed) = limit.current.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "limits.connections and mirror.in_flight need more open files than the system allows; clients wait when they \
             are used up; raise LimitNOFILE or ulimit -n, or lower limits.connections"
        );
    }
}

/// Each connection of the application may have one to a primary, each shadow call in flight has its own.
fn needed(config: &Config) -> u64 {
    let in_flight: usize = config.integrations.iter().map(|one| one.mirror.in_flight_max).sum();
    let connections = config.limits.connections_max.saturating_mul(2).saturating_add(in_flight);
    OTHERS.saturating_add(connections as u64)
}
