//! Answers that list what the store holds: recordings, findings, history; and the live stream.

use crate::console::events::Events;
use crate::console::page_lists::{self, Findings};
use crate::console::page_recordings;
use crate::console::pages;
use crate::console::problem::Problem;
use crate::console::query::{Query, sorted};
use crate::console::routes::Desk;
use crate::exchange::CaptureId;
use crate::store::{Reader, StoreError, StoredCapture, SwitchRow};
use axum::body::Body;
use axum::extract::{Path, Query as Asked, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use std::sync::Arc;
use uuid::Uuid;

/// Changes listed on the page of all switches.
const HISTORY_ROWS_MAX: usize = 200;

impl Desk {
    fn names(&self) -> Vec<String> {
        self.shared.switchboard.iter().map(|switch| switch.integration().to_string()).collect()
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let read = |path: &std::path::Path| work(&Reader::open(path)?);
        self.tables.read(move |path| read(path).map_err(|error: StoreError| error.to_string())).await
    }
}

/// `GET /recordings`.
pub(crate) async fn recordings(State(desk): State<Desk>, Asked(query): Asked<Query>) -> Response {
    let (filter, sort) = match query.filter() {
        Ok(asked) => asked,
        Err(why) => return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).into_response(),
    };
    let rows = desk.ask(move |reader| Ok(sorted(reader.captures(&filter)?, sort))).await;
    let names = desk.names();
    let rows = rows.as_deref();
    page_recordings::list(&page_recordings::List { query: &query, integrations: &names, rows, sort }).into_response()
}

/// The recording that an address names.
pub(crate) fn named(id: &str) -> Option<CaptureId> {
    Uuid::parse_str(id).ok().map(CaptureId)
}

/// `GET /recordings/{id}`.
pub(crate) async fn recording(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    let Some(id) = named(&id) else {
        return (StatusCode::NOT_FOUND, pages::no_recording("That is no id of a recording.")).into_response();
    };
    let found: Result<Option<StoredCapture>, String> = desk.ask(move |reader| reader.capture(&id)).await;
    match found {
        Ok(Some(capture)) => {
            let both = desk.shared.providers_of(&capture.summary.integration);
            let primary = both.and_then(|both| both.primary.as_deref());
            let shadow = both.map_or("new provider", |both| both.shadow.as_str());
            page_recordings::detail(&capture, (primary, shadow)).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, pages::no_recording("It may have been pruned or erased.")).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, pages::no_recording(&why)).into_response(),
    }
}

/// `GET /findings`.
pub(crate) async fn findings(State(desk): State<Desk>) -> Response {
    let names = desk.names();
    let found: Result<Findings, String> = desk
        .ask(move |reader| names.into_iter().map(|name| reader.statuses(&name, None).map(|all| (name, all))).collect())
        .await;
    page_lists::findings(found.as_ref()).into_response()
}

/// `GET /history`.
pub(crate) async fn history(State(desk): State<Desk>) -> Response {
    let names = desk.names();
    let rows: Result<Vec<SwitchRow>, String> = desk
        .ask(move |reader| {
            let mut rows = Vec::new();
            for name in names {
                rows.extend(reader.switches(&name, HISTORY_ROWS_MAX)?);
            }
            rows.sort_by_key(|row| std::cmp::Reverse((row.at_unix_us, row.revision)));
            rows.truncate(HISTORY_ROWS_MAX);
            Ok(rows)
        })
        .await;
    page_lists::history(rows.as_ref()).into_response()
}

/// `GET /api/v1/events`.
pub(crate) async fn events(State(desk): State<Desk>) -> Response {
    match Arc::clone(&desk.streams).try_acquire_owned() {
        Ok(place) => {
            let body = Body::new(Events::new(Arc::clone(&desk.shared), place));
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Err(_) => {
            let detail = "all live streams are taken; reload the page for newer figures";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}
