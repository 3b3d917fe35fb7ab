//! Stories of the review room.
