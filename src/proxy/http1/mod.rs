//! HTTP/1 with a client: one request after the other, in the connection's own task.
//!
//! The connection's parts are in [`line::Line`], which the request's body reads from too: a body that is still sent on
//! behind its answer is read in another task. Nothing else is shared, and nothing is handed over between tasks.

mod body;
mod head;
mod line;
mod serve;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use body::RequestBody;
pub(crate) use line::{Line, begins};
pub(crate) use serve::serve;
pub(crate) use wire::Wire;
