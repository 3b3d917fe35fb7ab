//! Sampling, the one door where work is shed, and dispatch to the shadow.
