//! The door sheds with a reason, and what it takes ends once.
