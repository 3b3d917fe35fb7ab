//! Files of fixtures, of every format that is read, come from disks and repositories: whatever is in one, reading it ends
//! with fixtures or with a word, and what was read can be served.
#![no_main]

use darklaunch::fixtures::{Format, Speed, Stub, StubSettings, read};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

/// The file that each format reads.
const FILES: [(Format, &str); 9] = [
    (Format::WireMock, "mappings/a.json"),
    (Format::Har, "fixtures.har"),
    (Format::VcrPy, "cassette.yaml"),
    (Format::HttpMock, "httpmock.yaml"),
    (Format::Hoverfly, "simulation.json"),
    (Format::MockServer, "expectations.json"),
    (Format::Mountebank, "imposters.json"),
    (Format::Plain, "exchanges/a.json"),
    (Format::OpenApi, "openapi.json"),
];

fuzz_target!(|data: &[u8]| {
    for (format, name) in FILES {
        let manifest = format!("{{\"format\":\"{}\"}}", format.name());
        let files = BTreeMap::from([
            ("manifest.json".to_owned(), manifest.into_bytes()),
            (name.to_owned(), data.to_vec()),
        ]);
        if let Ok(Some(opened)) = read(&files) {
            let stub = Stub::of_folder(opened, StubSettings { speed: Speed::Instant, faults: true });
            let _ = stub.fixtures();
        }
    }
});
