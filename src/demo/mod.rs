//! Sample providers and an application, so that the whole product can be seen on one machine.
//!
//! Everything is on loopback and in this process. Latencies, faults and the calls' order of data are drawn from a seed,
//! so that a run repeats; what the providers counted themselves is kept apart from what the recorder says, so that the
//! two can be held against each other. Nothing here prints: the pieces return data.

mod application;
mod answers;
mod chance;
mod counts;
mod people;
mod providers;
mod run;

pub use application::{Application, ApplicationError, Seen};
pub use counts::{Counted, Counts};
pub use people::{People, Person};
pub use providers::{ProviderError, Providers};
pub use run::{ApplicationReport, Demo, DemoError, DemoReport, DemoSettings, INTEGRATION, Ran, planted, start};

/// The header in which a sample provider says which one answered.
pub const PROVIDER_HEADER: &str = "x-provider";
/// Today's provider in [`PROVIDER_HEADER`].
pub const CURRENT: &str = "current";
/// The new provider in [`PROVIDER_HEADER`].
pub const NEW: &str = "new";

/// The endpoint templates of both sample providers, as the recorder is to name them.
pub const ENDPOINTS: [&str; 5] = [CUSTOMER, CUSTOMER_PAYMENTS, ADDRESS_SEARCH, NEW_PAYMENT, STATUS];
/// One customer.
pub const CUSTOMER: &str = "GET /customers/{id}";
/// A customer's payments, found by e-mail.
pub const CUSTOMER_PAYMENTS: &str = "GET /customers/{id}/payments";
/// Addresses by free text.
pub const ADDRESS_SEARCH: &str = "GET /addresses/search";
/// A new payment: the one endpoint whose unsafe method is to be mirrored.
pub const NEW_PAYMENT: &str = "POST /payments";
/// The provider's own state: no personal data.
pub const STATUS: &str = "GET /status";
