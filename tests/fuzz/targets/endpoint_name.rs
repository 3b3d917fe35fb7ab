//! Any target gets an endpoint's name, and there are never more names than allowed.

#![no_main]

use darklaunch::proxy::EndpointNames;
use http::Method;
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;

const NAMES_MAX: usize = 8;

fuzz_target!(|paths: Vec<&str>| {
    let names = EndpointNames::new(&["GET /customers/{id}".to_owned()], NAMES_MAX);
    let mut seen = HashSet::new();
    for path in paths.into_iter().filter(|path| path.parse::<http::uri::PathAndQuery>().is_ok()) {
        seen.insert(names.name(&Method::GET, path));
    }
    // The declared one, and the one that gathers the rest.
    assert!(seen.len() <= NAMES_MAX + 2, "{seen:?}");
});
