//! `POST /api/minibrot`: the minibrot in or near a view.

use std::sync::Arc;

use fractal::Decimal;
use render::{Progress, Silent};
use requests::MinibrotRequest;
use requests::perform::minibrot::minibrot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place::PlaceAnswer;
use crate::answer::{Answer, Problem, json};
use crate::app::App;
use crate::guard::tokens::Role;
use crate::limited::{check_iterations, check_numbers};

/// The view that is searched.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// Real part of its centre.
    #[schema(value_type = String)]
    re: Decimal,
    /// Imaginary part of it.
    #[schema(value_type = String)]
    im: Decimal,
    /// Its magnification.
    #[schema(value_type = String)]
    zoom: Decimal,
    /// Longest period that is looked for.
    iterations: Option<u64>,
}

/// The minibrot.
#[derive(Debug, Serialize, ToSchema)]
struct MinibrotAnswer {
    period: u64,
    shape: String,
    size: String,
    turned: f64,
    #[serde(flatten)]
    place: PlaceAnswer,
}

/// The minibrot in or near a view.
#[utoipa::path(
    post,
    path = "/api/minibrot", operation_id = "minibrot",
    request_body = SearchRequest,
    responses(
        (status = 200, description = "Where it is, and what is known of it.", body = MinibrotAnswer),
        super::responses::Problems
    )
)]
pub async fn answer(wanted: SearchRequest, role: Role, app: &Arc<App>) -> Result<Answer, Problem> {
    let request = MinibrotRequest {
        re: Some(wanted.re),
        im: Some(wanted.im),
        zoom: Some(wanted.zoom),
        iterations: wanted.iterations,
        ..MinibrotRequest::default()
    };
    check_numbers([
        ("re", &request.re),
        ("im", &request.im),
        ("zoom", &request.zoom),
    ])?;
    check_iterations(request.iterations)?;
    let ticket = app.viewers.enter_alone(role);
    let found = app.compute(ticket, |stop| async move {
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        Ok(minibrot(request, None, &progress, &stop).await?)
    });
    let location = found.await?;
    let Some(known) = location.minibrot.clone() else {
        return Err(Problem::unfit("there is none"));
    };
    Ok(json(&MinibrotAnswer {
        period: known.period,
        shape: known.shape,
        size: known.size,
        // Of z² + c each is.
        turned: known.turned.unwrap_or_default(),
        place: PlaceAnswer::of(location),
    }))
}
