//! What the recorder says of itself: log set-up and the counters of the ledger.
