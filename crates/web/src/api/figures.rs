//! `GET /api/figures` and `GET /metrics`: figures over time, and the latest of them for who gathers metrics.

use crate::answer::{Answer, bytes, json};
use crate::app::App;
use crate::figures::metrics::text;
use crate::figures::series::FiguresAnswer;

/// What Prometheus reads.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A dozen figures of the last hour.
#[utoipa::path(
    get,
    path = "/api/figures", operation_id = "figures",
    responses(
        (status = 200, description = "The figures, the oldest point first.", body = FiguresAnswer),
        super::responses::Problems
    )
)]
pub fn answer(app: &App) -> Answer {
    json(&app.figures.taken().series.answer())
}

/// The whole farm and this server now, as Prometheus reads it; its `authorization` says one of the server's tokens.
#[utoipa::path(
    get,
    path = "/metrics", operation_id = "metrics",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "application/openmetrics-text"),
        super::responses::Problems
    )
)]
pub fn metrics(app: &App) -> Answer {
    bytes(TEXT, text(&app.figures.taken()))
}
