//! Settings to paste, as reqwest and tower understand them: `tower-settings ADDRESS..`. A line for each address says what came
//! of a call with the settings as they are, and with those of an attempt that waits for longer than the whole may take.

use std::time::{Duration, Instant};
use tower::{Service, ServiceExt};

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn call<S>(mut service: S, address: &str) -> Result<(), Failed>
where
    S: Service<reqwest::Request, Response = reqwest::Response>,
    S::Error: Into<Failed>,
{
    let request = reqwest::Request::new(reqwest::Method::GET, address.parse()?);
    let answer = service.ready().await.map_err(Into::into)?.call(request).await.map_err(Into::into)?;
    answer.bytes().await?;
    Ok(())
}

async fn pasted(address: &str) -> Result<(), Failed> {
    call(include!(env!("SETTINGS")), address).await
}

async fn patient(address: &str) -> Result<(), Failed> {
    call(include!(env!("PATIENT")), address).await
}

async fn tell(name: &str, address: &str, told: impl Future<Output = Result<(), Failed>>) {
    let start = Instant::now();
    let outcome = told.await.map_or_else(|error| format!("ended: {error}"), |()| "answered".to_owned());
    println!("{name}\t{address}\t{}\t{outcome}", start.elapsed().as_millis());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for address in std::env::args().skip(1) {
        tell("reqwest + tower", &address, pasted(&address)).await;
        tell("patient", &address, patient(&address)).await;
    }
}
