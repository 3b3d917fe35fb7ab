//! The loader as a user meets it.
