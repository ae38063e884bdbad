//! `POST /api/place?kind=…`: what a file says: a place with its colours, or palettes.

use std::io::Write;

use colour::{GradientFormat, Repeat, Scheme, gradient_names};
use fractal::View;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use locations::{Location, LocationError};
use requests::{ColourRequest, FormulaRequest, PictureRequest, Size, TurnRequest, ViewRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Problem, json};
use crate::limited::KnownRequest;
use crate::limits::{MOST_GRADIENT_BYTES, MOST_GRADIENT_WORK, MOST_GRADIENTS};

/// Kinds of files that hold places.
const PLACES: [&str; 7] = ["kfr", "toml", "png", "exr", "jpg", "webp", "tiff"];
/// Kinds that hold gradients.
const GRADIENTS: [&str; 4] = ["ugr", "map", "ggr", "css"];

/// A place.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceAnswer {
    /// As a request for a picture of it.
    #[schema(value_type = KnownRequest)]
    request: PictureRequest,
    /// What the file says and this program does not do.
    warnings: Vec<String>,
}

/// A gradient of a file.
#[derive(Debug, Serialize, ToSchema)]
struct Gradient {
    name: String,
    palette: String,
}

/// What a file may hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Held {
    Place(Box<PlaceAnswer>),
    Palettes(Vec<Gradient>),
}

/// What a file holds; its kind is its extension.
#[utoipa::path(
    post,
    path = "/api/place", operation_id = "place",
    params(("kind" = String, Query, description = "kfr, toml, png, exr, jpg, webp, tiff, ugr, map, ggr or css")),
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "A place with its colours, or palettes.", body = Held),
        super::responses::Problems
    )
)]
pub async fn answer(head: &Parts, file: Bytes) -> Result<Answer, Problem> {
    let kind = head
        .uri
        .query()
        .and_then(|query| query.strip_prefix("kind="))
        .unwrap_or_default();
    let failed = |error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error);
    let held = if let Some(kind) = GRADIENTS.iter().find(|known| **known == kind) {
        let read = tokio::task::spawn_blocking(move || palettes(kind, &file)).await;
        read.map_err(failed)?.map(Held::Palettes)?
    } else if let Some(kind) = PLACES.iter().find(|known| **known == kind) {
        let read = tokio::task::spawn_blocking(move || location(kind, &file)).await;
        Held::Place(Box::new(PlaceAnswer::of(read.map_err(failed)??)))
    } else {
        let line = format!(
            "kind: one of {}, {}",
            PLACES.join(", "),
            GRADIENTS.join(", ")
        );
        return Err(Problem::unfit(line));
    };
    Ok(json(&held))
}

fn location(kind: &str, file: &[u8]) -> Result<Location, Problem> {
    let failed = |error: std::io::Error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error);
    let mut named = tempfile::Builder::new()
        .suffix(&format!(".{kind}"))
        .tempfile()
        .map_err(failed)?;
    named.write_all(file).map_err(failed)?;
    Location::read(named.path()).map_err(|error| {
        // The file's name here is nobody's business.
        Problem::unfit(match error {
            LocationError::Malformed { reason, .. } => format!("not a location: {reason}"),
            LocationError::Unreadable { reason, .. } => reason.to_string(),
            LocationError::TooLong(_) => "too long for a location".to_owned(),
            LocationError::Silent(_) => "a picture without a location in it".to_owned(),
        })
    })
}

fn palettes(kind: &str, file: &[u8]) -> Result<Vec<Gradient>, Problem> {
    if file.len() > MOST_GRADIENT_BYTES {
        let line = format!("a file of gradients of more than {MOST_GRADIENT_BYTES} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, line));
    }
    let text = String::from_utf8_lossy(file);
    let text = text.trim_start_matches('\u{feff}');
    let format = GradientFormat::of_extension(kind).ok_or_else(|| Problem::unfit("kind"))?;
    let names = match format {
        GradientFormat::UltraFractal => gradient_names(text).map_err(Problem::unfit)?,
        _ => vec![String::new()],
    };
    // Each is looked for from the file's beginning.
    let most = (MOST_GRADIENT_WORK / file.len().max(1)).min(MOST_GRADIENTS);
    let gradients = names.into_iter().take(most).map(|name| {
        let wanted = (!name.is_empty()).then_some(&*name);
        let palette = format
            .read(text, wanted)
            .map_err(Problem::unfit)?
            .to_string();
        Ok(Gradient { name, palette })
    });
    gradients.collect()
}

impl PlaceAnswer {
    /// Of a location.
    #[must_use]
    pub fn of(mut location: Location) -> Self {
        let warnings = std::mem::take(&mut location.warnings);
        Self {
            request: place_request(location),
            warnings,
        }
    }
}

/// The request for a picture of a location.
#[must_use]
pub fn place_request(location: Location) -> PictureRequest {
    let mut request = PictureRequest {
        iterations: location.iterations,
        escape_radius: location.escape_radius,
        iterated: FormulaRequest {
            formula: location.formula,
            julia: location.julia,
        },
        z0: location.z0,
        skip_error_log2: location.skip_error_log2,
        counts: location.counts,
        ..PictureRequest::default()
    };
    let transform = location.transform;
    let said = |value: f64| Some(value).filter(|value| *value != 0.0);
    let view = ViewRequest {
        size: location.size.map(|(width, height)| Size { width, height }),
        turn: TurnRequest {
            rotate: said(transform.rotate),
            stretch: said(transform.stretch),
            stretch_angle: said(transform.stretch_angle),
        },
        ..ViewRequest::default()
    };
    request.view = match location.view.by_centre() {
        View::Centre { re, im, zoom } => ViewRequest {
            re: Some(re),
            im: Some(im),
            zoom: Some(zoom),
            ..view
        },
        View::Bounds { .. } => view,
    };
    if let Some(colours) = location.colours {
        request.colours = colour_request(colours);
    }
    request
}

/// The request that makes these colours.
#[must_use]
pub fn colour_request(scheme: Scheme) -> ColourRequest {
    ColourRequest {
        palette: Some(scheme.palette),
        colour: Some(scheme.colour),
        mapping: Some(scheme.mapping),
        colour_range: scheme.range,
        period: match scheme.repeat {
            Some(Repeat::Period(period)) => Some(period),
            _ => None,
        },
        cycles: match scheme.repeat {
            Some(Repeat::Cycles(cycles)) => Some(cycles),
            _ => None,
        },
        offset: Some(scheme.offset),
        inside: Some(scheme.inside),
        light: scheme.light,
        samples: Some(scheme.samples),
        dither: scheme.dither,
        depth: Some(scheme.depth),
        ..ColourRequest::default()
    }
}
