//! The sign-off of an integration's redaction rules by name, from the page and from tools.

use crate::console::access::Caller;
use crate::console::problem::Problem;
use crate::console::routes::{By, Desk, back_to, page};
use crate::console::writes::Change;
use crate::console::{Shared, view};
use crate::control::SignOffError;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// `POST /integrations/{name}/sign-off`.
pub(crate) async fn from_page(
    State(desk): State<Desk>,
    Extension(by): By,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match sign(&desk, &by, &name, request).await {
        Ok(()) => back_to(&name),
        Err(problem) => page(&desk, &by, &name, problem.code(), Some(&problem.detail)).await,
    }
}

/// `POST /api/v1/integrations/{name}/sign-off`.
pub(crate) async fn from_tool(
    State(desk): State<Desk>,
    Extension(by): By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    sign(&desk, &by, &name, request).await?;
    let switch = desk.shared.switchboard.get(&name).ok_or_else(|| Problem::unknown_integration(&name))?;
    Ok(axum::Json(view::IntegrationView::of(&desk.shared, switch)).into_response())
}

async fn sign(desk: &Desk, by: &Caller, name: &str, request: Request) -> Result<(), Problem> {
    let change = Change::read(request).await?;
    let switch = desk.shared.switchboard.get(name).ok_or_else(|| Problem::unknown_integration(name))?;
    let rules = desk.shared.rules.now();
    let conflict = |detail: &str| Problem::new(StatusCode::CONFLICT, detail);
    let in_force = rules.own.get(name).ok_or_else(|| conflict("no redaction rules are in force"))?;
    if !in_force.leaks.is_empty() {
        return Err(conflict("the rules failed their self-check: they cannot be signed off"));
    }
    if change.rules_hash.as_deref().is_some_and(|seen| *seen != *in_force.hash) {
        return Err(conflict("the redaction rules changed since you looked; look at them and decide again"));
    }
    let claimed = change.who();
    // A sign-off is somebody's by name: the address it came through is nobody's.
    let who = if claimed.is_empty() && by.named().is_none() { claimed } else { by.signs(&claimed, "") };
    switch.sign_off(change.revision, &who, &in_force.hash).map_err(|error| {
        let status = match error {
            SignOffError::NoName => StatusCode::UNPROCESSABLE_ENTITY,
            SignOffError::Changed { .. } => StatusCode::CONFLICT,
        };
        Problem::new(status, error.to_string())
    })?;
    tracing::info!(integration = name, %who, rules_hash = %in_force.hash, "redaction rules signed off");
    Ok(())
}

/// A sign-off of other rules than those in force is void.
pub(crate) fn void_stale(shared: &Shared) {
    let rules = shared.rules.now();
    for switch in shared.switchboard.iter() {
        if let Some(in_force) = rules.own.get(&**switch.integration()) {
            switch.void_sign_off_of_other(&in_force.hash);
        }
    }
}
