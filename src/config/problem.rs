//! What is wrong with a configuration: every problem at once, each with its place, key, value and remedy.

use std::fmt;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The configuration as a whole: something is missing.
    Whole(String),
    /// A place in a file; line and column count from 1.
    File {
        /// The file as it was named.
        file: String,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// An environment variable, by its name.
    Environment(String),
    /// The built-in default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(file) => f.write_str(file),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The dotted key; empty when the problem is no key's.
    pub key: String,
    /// The value as written; absent where it may be a secret or there is none.
    pub value: Option<String>,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// Characters of a value that a message repeats.
const VALUE_CHARS_MAX: usize = 80;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match (self.key.as_str(), &self.value) {
            ("", _) => {}
            (key, None) => write!(f, "{key} ")?,
            (key, Some(value)) if value.chars().count() > VALUE_CHARS_MAX => {
                write!(f, "{key} = {}… ", value.chars().take(VALUE_CHARS_MAX).collect::<String>())?;
            }
            (key, Some(value)) => write!(f, "{key} = {value} ")?,
        }
        write!(f, "{}\n    remedy: {}", self.text, self.remedy)
    }
}

/// All that is wrong, in the order of the places. Its `Display` is ONE message.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} problem{}", if count == 1 { "" } else { "s" })?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
