//! The user's path: accept, route to an integration, forward to the primary, copy as it streams.
