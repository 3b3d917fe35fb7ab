//! Latency histograms: one shard per thread, intervals, encoding, and the statistics over them.
