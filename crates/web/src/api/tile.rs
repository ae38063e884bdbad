//! `POST /api/tile`: the values of a view, as raw little-endian floats, row by row.

use std::sync::Arc;

use fractal::{Arithmetic, Measure};
use hyper::StatusCode;
use render::tile::tiles::ReferenceKind;
use render::{Picture, RenderPlan};
use requests::{Means, PictureRequest, Size};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Problem, bytes, with};
use crate::app::App;
use crate::guard::tokens::Role;
use crate::limited::{KnownRequest, plan};
use crate::limits::MOST_VIEWER_LETTERS;

/// A tile that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TileRequest {
    /// The page that wants it, by a name of its own.
    #[schema(min_length = 1, max_length = 64)]
    viewer: String,
    /// The number of the page's view: with a higher one lower ones are out of date.
    generation: u64,
    /// How many pixels of the view are one of the tile, along each side.
    #[serde(default = "one")]
    #[schema(value_type = u32, minimum = 1, maximum = 16)]
    scale: Scale,
    /// Whether a reference orbit that was made for a view nearby is good enough.
    #[serde(default)]
    near: bool,
    /// What else is wanted beside the measures that the colours are made from.
    #[serde(default)]
    measures: Vec<TileMeasure>,
    /// What is drawn.
    request: KnownRequest,
}

/// How much smaller a tile is than its view.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
struct Scale(u32);

fn one() -> Scale {
    Scale(1)
}

impl TryFrom<u32> for Scale {
    type Error = &'static str;

    fn try_from(scale: u32) -> Result<Self, Self::Error> {
        match scale {
            1 | 2 | 4 | 8 | 16 => Ok(Self(scale)),
            _ => Err("scale is 1, 2, 4, 8 or 16"),
        }
    }
}

/// A measure of single-precision floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TileMeasure {
    Smooth,
    Distance,
}

impl TileMeasure {
    fn measure(self) -> Measure {
        match self {
            Self::Smooth => Measure::Smooth,
            Self::Distance => Measure::Distance,
        }
    }
}

/// The values of a view, row by row, as little-endian floats; what is said of them is in headers that begin with `tile-`.
#[utoipa::path(
    post,
    path = "/api/tile", operation_id = "tile",
    request_body = TileRequest,
    responses(
        (status = 200, description = "The values of the measures, one after the other.", body = [u8], content_type = "application/octet-stream"),
        super::responses::Problems
    )
)]
pub async fn answer(wanted: TileRequest, role: Role, app: &Arc<App>) -> Result<Answer, Problem> {
    let letters = 1..=MOST_VIEWER_LETTERS;
    if !letters.contains(&wanted.viewer.len()) {
        let line = format!("viewer: a name of 1 to {MOST_VIEWER_LETTERS} letters");
        return Err(Problem::unfit(line));
    }
    let KnownRequest(request) = wanted.request;
    let mut measures = wanted.measures;
    measures.dedup();
    let distance = measures.contains(&TileMeasure::Distance);
    let means = Means {
        measure: distance.then_some(Measure::Distance),
        ..Means::in_memory()
    };
    let small = scaled(&request, wanted.scale.0)?;
    let whole = plan(request, &means)?;
    let small = plan(small, &means)?;
    let arithmetic = arithmetic_of(&small);
    let order: Vec<Measure> = match measures.is_empty() {
        true => small.colours.measures().iter().collect(),
        false => measures.iter().map(|measure| measure.measure()).collect(),
    };
    let ticket = app.viewers.enter(&wanted.viewer, wanted.generation, role)?;
    let near = wanted.near || wanted.scale.0 > 1;
    let (tile, maker) = {
        let app = Arc::clone(app);
        let held = Arc::clone(&app);
        held.compute(ticket, |stop| async move {
            let whole = near.then_some(whole);
            Ok(app.views.view(small, whole, &stop).await?)
        })
        .await?
    };
    let (width, height) = tile.picture.size();
    let body = values(&tile.picture, &order)?;
    let names: Vec<&str> = order.iter().map(|measure| measure.name()).collect();
    let reference = match tile.reference {
        ReferenceKind::None => "none",
        ReferenceKind::Own => "own",
        ReferenceKind::Near => "near",
    };
    let answer = bytes("application/octet-stream", body);
    let answer = with(answer, "tile-size", &format!("{width}x{height}"));
    let answer = with(answer, "tile-measures", &names.join(","));
    let (low, high) = tile.range;
    let answer = with(answer, "tile-range", &format!("{low} {high}"));
    let answer = with(answer, "tile-reference", reference);
    let answer = with(answer, "tile-maker", maker.name());
    let answer = with(answer, "tile-arithmetic", arithmetic(tile.deltas).name());
    let seconds = tile.report.elapsed_secs;
    let answer = with(answer, "tile-seconds", &format!("{seconds:.6}"));
    Ok(match tile.period {
        Some(period) => with(answer, "tile-period", &period.to_string()),
        None => answer,
    })
}

/// The number type on the processor, by whether there are deltas.
fn arithmetic_of(plan: &RenderPlan) -> impl Fn(bool) -> Arithmetic + use<> {
    let (only, spacing) = (plan.arithmetic.only, plan.frame.spacing_log2());
    move |deltas| match (only, deltas) {
        (Some(only), _) => only,
        (None, true) => Arithmetic::delta_of_processors(spacing),
        (None, false) => Arithmetic::F64,
    }
}

/// The same view in fewer pixels.
fn scaled(request: &PictureRequest, scale: u32) -> Result<PictureRequest, Problem> {
    if scale == 1 {
        return Ok(request.clone());
    }
    let Some(Size { width, height }) = request.view.size else {
        return Err(Problem::unfit("size: a view that is scaled has one"));
    };
    if !width.is_multiple_of(scale) || !height.is_multiple_of(scale) {
        let line = format!("size: {width}x{height} is no multiple of {scale}");
        return Err(Problem::unfit(line));
    }
    Ok(request.clone().sized(width / scale, height / scale))
}

/// The planes of these measures, one after the other, as little-endian floats.
fn values(picture: &Picture, measures: &[Measure]) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    for measure in measures {
        let Some(values) = picture.values(*measure) else {
            let line = format!(
                "no {} in single precision at this iteration limit",
                measure.name()
            );
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, line));
        };
        let begin = body.len();
        body.resize(begin + size_of_val(values), 0);
        let places = body[begin..].chunks_exact_mut(size_of::<f32>());
        for (place, value) in places.zip(values) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }
    Ok(body)
}
