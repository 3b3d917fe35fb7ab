//! What compare says of pairs of answers.
