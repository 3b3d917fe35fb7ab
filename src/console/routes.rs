//! Every address of the console and what answers it.

use crate::console::access::{self, Caller, Gate, May};
use crate::console::events::STREAMS_MAX;
use crate::console::guard::{Hosts, guard};
use crate::console::kept::Pages;
use crate::console::pace::Pace;
use crate::console::problem::Problem;
use crate::console::tables::Tables;
use crate::console::writes::Change;
use crate::console::{Shared, assets, fixture, kept, lists, metrics, openapi, page_integration, pages, sign_off, view};
use crate::control::StartError;
use axum::extract::{Path, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Time for one answer, seconds; a body that trickles in is given up.
const ANSWER_S: u64 = 10;

/// What every answer may use.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tables: Tables,
    pub(crate) pages: Pages,
    pub(crate) pace: Arc<Pace>,
    /// What needs no token.
    pub(crate) anyone: May,
    /// Places for live streams.
    pub(crate) streams: Arc<Semaphore>,
}

/// The routes within their guard.
pub(crate) fn router(
    shared: Arc<Shared>,
    tables: Tables,
    hosts: Arc<Hosts>,
    gate: Arc<Gate>,
    pace: Arc<Pace>,
) -> Router {
    let anyone = gate.settings.anyone;
    let (pages, streams) = (Pages::default(), Arc::new(Semaphore::new(STREAMS_MAX)));
    let desk = Desk { shared, tables, pages, pace, anyone, streams };
    Router::new()
        .merge(pages_of(desk.clone()))
        .route("/integrations/{name}/stop", post(page_stop))
        .route("/integrations/{name}/start", post(page_start))
        .route("/integrations/{name}/sign-off", post(sign_off::from_page))
        .route("/recordings/{id}/fixture", get(fixture::download))
        .route("/api/v1/events", get(lists::events))
        .route("/api/v1/openapi.json", get(api_document))
        .route("/api/v1/status", get(api_status))
        .route("/api/v1/integrations/{name}", get(api_integration))
        .route("/api/v1/integrations/{name}/stop", post(api_stop))
        .route("/api/v1/integrations/{name}/start", post(api_start))
        .route("/api/v1/integrations/{name}/sign-off", post(sign_off::from_tool))
        .route("/api/v1/stop-all", post(api_stop_all))
        .merge(doors(Arc::clone(&gate)))
        .route("/metrics", get(scrape))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is no such page; start at /"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this address takes another method; reads are GET, changes POST",
            )
        })
        .layer(middleware::from_fn_with_state(gate, access::admit))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(hosts, guard))
        .with_state(desk)
}

/// What people read.
fn pages_of(desk: Desk) -> Router<Desk> {
    Router::new()
        .route("/", get(index))
        .route("/integrations/{name}", get(integration))
        .route("/recordings", get(lists::recordings))
        .route("/recordings/{id}", get(lists::recording))
        .route("/findings", get(lists::findings))
        .route("/history", get(lists::history))
        .route("/style.css", get(assets::style))
        .route("/app.js", get(assets::script))
        .route_layer(middleware::from_fn_with_state(desk, kept::keep))
}

/// Reads every review once, so that the first page finds them.
pub(crate) async fn look_ahead(shared: Arc<Shared>, tables: Tables) {
    for switch in shared.switchboard.iter() {
        let name = switch.integration();
        let settings = shared.providers_of(name).map(|both| both.review.clone()).unwrap_or_default();
        tables.insight(name, settings).await;
    }
}

/// Logging in and out.
fn doors(gate: Arc<Gate>) -> Router<Desk> {
    Router::new()
        .route("/login", get(access::show).post(access::page))
        .route("/logout", post(access::leave))
        .route("/api/v1/login-links", post(access::link))
        .with_state(gate)
}

async fn limit_time(request: Request, next: middleware::Next) -> Response {
    let answer = tokio::time::timeout(Duration::from_secs(ANSWER_S), next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, format!("no answer within {ANSWER_S} s; send the request again"))
            .into_response()
    })
}

async fn index(State(desk): State<Desk>) -> Response {
    let names = desk.shared.switchboard.iter().map(|switch| switch.integration().to_string()).collect();
    let figures = desk.tables.overview(names).await;
    let status = view::status(&desk.shared);
    let mut reviews = JoinSet::new();
    for one in &status.integrations {
        let (tables, name) = (desk.tables.clone(), one.name.clone());
        let settings = desk.shared.providers_of(&name).map(|both| both.review.clone()).unwrap_or_default();
        reviews.spawn(async move {
            let looked = tables.insight(&name, settings).await;
            (name, looked)
        });
    }
    let mut beside = BTreeMap::new();
    while let Some(read) = reviews.join_next().await {
        if let Ok((name, looked)) = read {
            let per_minute = desk.pace.per_minute(&name);
            beside.insert(name, pages::Beside { per_minute, looked });
        }
    }
    pages::index(&status, figures.as_ref(), &beside).into_response()
}

/// Who asks, as the gate recognised them.
pub(crate) type By = Extension<Caller>;

async fn integration(State(desk): State<Desk>, Extension(by): By, Path(name): Path<String>) -> Response {
    page(&desk, &by, &name, StatusCode::OK, None).await
}

/// The page of one integration, with a notice when a change was refused.
pub(crate) async fn page(desk: &Desk, by: &Caller, name: &str, status: StatusCode, refused: Option<&str>) -> Response {
    let Some(switch) = desk.shared.switchboard.get(name) else {
        return (StatusCode::NOT_FOUND, pages::not_found(name)).into_response();
    };
    let providers = desk.shared.providers_of(name);
    let details = desk.tables.details(name.to_owned()).await;
    let settings = providers.map(|providers| providers.review.clone()).unwrap_or_default();
    let insight = desk.tables.insight(name, settings).await;
    let now = view::IntegrationView::of(&desk.shared, switch);
    let recorder = view::recorder(&desk.shared);
    let found = page_integration::Found { by, providers, details: details.as_ref(), looked: &insight };
    (status, page_integration::page(&now, &recorder, &found, refused)).into_response()
}

async fn page_stop(
    State(desk): State<Desk>,
    Extension(by): By,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    // A browser's form carries nothing a stop needs: whatever it sends, it stops.
    let change = Change::read(request).await.unwrap_or_default();
    match stop(&desk, &name, &change, &by.signs(&change.who(), "console")) {
        Ok(()) => back_to(&name),
        Err(_) => (StatusCode::NOT_FOUND, pages::not_found(&name)).into_response(),
    }
}

async fn page_start(
    State(desk): State<Desk>,
    Extension(by): By,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let done = match Change::read(request).await {
        Ok(change) => start(&desk, &name, &change, &by.signs(&change.who(), "console")),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => back_to(&name),
        Err(problem) => page(&desk, &by, &name, problem.code(), Some(&problem.detail)).await,
    }
}

/// 303: reloading the page does not repeat the change. The name is known, hence `^[a-z][a-z0-9_]*$`.
pub(crate) fn back_to(name: &str) -> Response {
    match HeaderValue::try_from(format!("/integrations/{name}")) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

fn stop(desk: &Desk, name: &str, change: &Change, who: &str) -> Result<(), Problem> {
    let switch = desk.shared.switchboard.get(name).ok_or_else(|| Problem::unknown_integration(name))?;
    switch.stop(who, &stop_reason(change));
    tracing::info!(integration = name, who, "mirroring stopped");
    Ok(())
}

fn stop_reason(change: &Change) -> String {
    let reason = change.reason();
    if reason.is_empty() { "stopped by hand".to_owned() } else { reason }
}

fn start(desk: &Desk, name: &str, change: &Change, who: &str) -> Result<(), Problem> {
    let switch = desk.shared.switchboard.get(name).ok_or_else(|| Problem::unknown_integration(name))?;
    let share = change.share()?;
    switch.start_seen(change.revision, who, &change.reason(), share).map_err(|error| {
        let changed = matches!(error, StartError::Changed { .. } | StartError::NoRamp);
        let status = if changed { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
        Problem::new(status, error.to_string())
    })?;
    tracing::info!(integration = name, who, "mirroring started");
    Ok(())
}

async fn api_document(State(desk): State<Desk>) -> Response {
    let names: Vec<String> = desk.shared.switchboard.iter().map(|switch| switch.integration().to_string()).collect();
    axum::Json(openapi::document(desk.shared.version, &names, desk.anyone)).into_response()
}

async fn api_status(State(desk): State<Desk>) -> Response {
    axum::Json(view::status(&desk.shared)).into_response()
}

async fn api_integration(State(desk): State<Desk>, Path(name): Path<String>) -> Result<Response, Problem> {
    let switch = desk.shared.switchboard.get(&name).ok_or_else(|| Problem::unknown_integration(&name))?;
    Ok(axum::Json(view::IntegrationView::of(&desk.shared, switch)).into_response())
}

async fn api_stop(
    State(desk): State<Desk>,
    Extension(by): By,
    path: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let change = Change::read(request).await?;
    stop(&desk, &path, &change, &by.signs(&change.who(), "api"))?;
    api_integration(State(desk), path).await
}

async fn api_start(
    State(desk): State<Desk>,
    Extension(by): By,
    path: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let change = Change::read(request).await?;
    start(&desk, &path, &change, &by.signs(&change.who(), "api"))?;
    api_integration(State(desk), path).await
}

async fn api_stop_all(State(desk): State<Desk>, Extension(by): By, request: Request) -> Result<Response, Problem> {
    let change = Change::read(request).await?;
    let who = by.signs(&change.who(), "api");
    desk.shared.switchboard.stop_all(&who, &stop_reason(&change));
    tracing::info!(%who, "mirroring stopped everywhere");
    Ok(axum::Json(view::status(&desk.shared)).into_response())
}

async fn scrape(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Problem> {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (kind, bytes) = metrics::scrape(&desk.shared, accept)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written"))?;
    Ok(([(header::CONTENT_TYPE, kind), (header::VARY, "accept")], bytes).into_response())
}

/// Open to probes; what troubles the recorder is told to those who may look.
async fn readyz(State(desk): State<Desk>, Extension(by): By) -> Response {
    let recorder = view::recorder(&desk.shared);
    let status = if recorder.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match by.may(May::View) {
        true => (status, axum::Json(recorder)).into_response(),
        false => (status, axum::Json(json!({ "ready": recorder.ready }))).into_response(),
    }
}
