//! Admin API, pages, metrics and the kill-switch.
