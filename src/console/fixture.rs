//! One recording as a fixture, for download: through the gate of every export.

use crate::console::lists::named;
use crate::console::pages;
use crate::console::problem::Problem;
use crate::console::routes::Desk;
use crate::fixtures::{ExportError, ExportRequest, Format};
use crate::store::Reader;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;

/// What the form asks for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    format: String,
}

/// `GET /recordings/{id}/fixture?format=wiremock`.
pub(crate) async fn download(State(desk): State<Desk>, Path(id): Path<String>, Query(asked): Query<Asked>) -> Response {
    let Some(format) = Format::from_name(&asked.format) else {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        let detail = format!("format is none of {}", known.join(", "));
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).into_response();
    };
    let Some(id) = named(&id) else {
        return (StatusCode::NOT_FOUND, pages::no_recording("That is no id of a recording.")).into_response();
    };
    let door = desk.shared.fixtures.clone();
    let made = desk.tables.read(move |path| {
        let reader = Reader::open(path).map_err(|error| error.to_string())?;
        let Some(capture) = reader.capture(&id).map_err(|error| error.to_string())? else { return Ok(None) };
        let request = ExportRequest {
            integration: capture.summary.integration,
            per_endpoint: 1,
            ids: vec![id],
            format,
            ..ExportRequest::default()
        };
        Ok(Some(door.archive(&reader, &request)))
    });
    match made.await {
        Ok(Some(Ok(archive))) => {
            let name = format!("attachment; filename=\"darklaunch-{}-{}.tar\"", format.name(), id);
            let kind = (header::CONTENT_TYPE, "application/x-tar".to_owned());
            ([kind, (header::CONTENT_DISPOSITION, name)], archive).into_response()
        }
        Ok(Some(Err(error))) => refused(&error),
        Ok(None) => (StatusCode::NOT_FOUND, pages::no_recording("It may have been pruned or erased.")).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, pages::no_recording(&why)).into_response(),
    }
}

/// The gate names rules and places, never values, so its words may be shown.
fn refused(error: &ExportError) -> Response {
    let why = format!("This recording becomes no fixture: {error}.");
    (StatusCode::CONFLICT, pages::no_recording(&why)).into_response()
}
