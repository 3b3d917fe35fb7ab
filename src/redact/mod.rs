//! The only door from raw to storable.
