//! Latencies and outcomes as people read them: text and JSON.
