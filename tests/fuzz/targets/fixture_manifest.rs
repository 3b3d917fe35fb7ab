//! A manifest tells the stand-in how slow and how faulty it is: whatever is in one, the stand-in is made or a word is said.
#![no_main]

use darklaunch::fixtures::{Speed, Stub, StubSettings, read};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const EXCHANGE: &[u8] = br#"{"schema":"darklaunch.fixture/v1","id":"a","endpoint":"GET /a","rank":1,"ask":{"method":"GET","path":"/a","query":{},"body":null},
    "answer":{"status":200,"headers":[],"body":""},"wait":null,"step":null}"#;

fuzz_target!(|data: &[u8]| {
    let files = BTreeMap::from([
        ("manifest.json".to_owned(), data.to_vec()),
        ("exchanges/a.json".to_owned(), EXCHANGE.to_vec()),
    ]);
    if let Ok(Some(opened)) = read(&files) {
        for profile in opened.latency.values() {
            for share in [0.0, 0.1, 0.5, 0.999, 1.0] {
                let _ = profile.at(share);
            }
            let _ = profile.to_json();
        }
        let stub = Stub::of_folder(opened, StubSettings { speed: Speed::Real(1.0), faults: true });
        let _ = stub.fixtures();
    }
});
