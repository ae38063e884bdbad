//! What is drawn, as anybody may ask for it: requests whose every key is known and whose numbers are within limits.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use fractal::{Decimal, Formula, FrameSpec};
use render::RenderPlan;
use render::tile::MAX_SAMPLES;
use requests::plan::picture::picture;
use requests::{Means, PictureRequest};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::Problem;
use crate::limits::{MOST_DIGITS, MOST_ITERATIONS, MOST_OPERATIONS, MOST_ZOOM_LOG2};

/// Other spellings of keys.
const ALIASES: [&str; 3] = ["color", "equalize", "color-range"];

/// All keys of a request.
static KEYS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let keys = match serde_json::to_value(PictureRequest::default()) {
        Ok(Value::Object(keys)) => keys,
        _ => Map::new(),
    };
    let aliases = ALIASES.iter().map(|&alias| alias.to_owned());
    keys.into_iter()
        .map(|(key, _)| key)
        .chain(aliases)
        .collect()
});

/// Keys whose values are no numbers: switches, lists and words.
const SWITCHES: [&str; 5] = ["equalise", "equalize", "no-light", "dither", "no-dither"];
const PAIRS: [&str; 4] = ["z0", "julia", "colour-range", "color-range"];
const WORDS: [&str; 11] = [
    "arithmetic",
    "blend",
    "color",
    "colour",
    "counts",
    "formula",
    "grid",
    "inside",
    "light",
    "mapping",
    "palette",
];

impl PartialSchema for KnownRequest {
    fn schema() -> RefOr<Schema> {
        let of = |kinds: &[Type]| SchemaType::from_iter(kinds.iter().cloned());
        let number = of(&[Type::String, Type::Number, Type::Null]);
        let request = KEYS.iter().fold(ObjectBuilder::new(), |request, key| {
            let key = key.as_str();
            let property: Schema = if SWITCHES.contains(&key) {
                ObjectBuilder::new().schema_type(Type::Boolean).into()
            } else if PAIRS.contains(&key) {
                let one = ObjectBuilder::new().schema_type(number.clone());
                let pair = ArrayBuilder::new().schema_type(of(&[Type::Array, Type::Null]));
                pair.items(one).min_items(Some(2)).max_items(Some(2)).into()
            } else if WORDS.contains(&key) || key == "size" {
                ObjectBuilder::new()
                    .schema_type(of(&[Type::String, Type::Null]))
                    .into()
            } else {
                ObjectBuilder::new().schema_type(number.clone()).into()
            };
            request.property(key, property)
        });
        let what = "What is drawn: the long options of `submitter render`, as data. Numbers may be texts of any number of digits.";
        let closed = AdditionalProperties::<Schema>::FreeForm(false);
        request
            .additional_properties(Some(closed))
            .description(Some(what))
            .into()
    }
}

impl ToSchema for KnownRequest {
    fn name() -> Cow<'static, str> {
        "PictureRequest".into()
    }
}

/// A request for a picture whose keys are all known.
#[derive(Clone, Debug)]
pub struct KnownRequest(pub PictureRequest);

impl<'de> Deserialize<'de> for KnownRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let keys = Map::deserialize(deserializer)?;
        if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(*key)) {
            let unknown: String = unknown.chars().take(40).collect();
            return Err(D::Error::custom(format!("unknown key `{unknown}`")));
        }
        let request = PictureRequest::deserialize(Value::Object(keys));
        request.map(Self).map_err(D::Error::custom)
    }
}

/// Checks that numbers are short enough.
///
/// # Errors
/// Names the first that is not.
pub fn check_numbers<'a>(
    numbers: impl IntoIterator<Item = (&'static str, &'a Option<Decimal>)>,
) -> Result<(), Problem> {
    for (name, number) in numbers {
        let Some(number) = number else { continue };
        let most = MOST_DIGITS as i64;
        if number.as_str().len() > MOST_DIGITS || number.digits_after_point().abs() > most {
            return Err(Problem::unfit(format!(
                "{name}: a number of more than {most} digits"
            )));
        }
        if name == "zoom" && number.is_positive() && number.log2() > MOST_ZOOM_LOG2 {
            return Err(Problem::unfit(format!(
                "zoom: more than 2^{MOST_ZOOM_LOG2}"
            )));
        }
    }
    Ok(())
}

/// Checks an iteration limit.
///
/// # Errors
/// When it is over ours.
pub fn check_iterations(iterations: Option<u64>) -> Result<(), Problem> {
    match iterations {
        Some(iterations) if iterations > MOST_ITERATIONS => {
            let line = format!("iterations: {iterations} is over the limit of {MOST_ITERATIONS}");
            Err(Problem::unfit(line))
        }
        _ => Ok(()),
    }
}

/// The plan of a request, once it is within all limits; nothing was computed before.
///
/// # Errors
/// The first thing that cannot be.
pub fn plan(request: PictureRequest, means: &Means) -> Result<RenderPlan, Problem> {
    let view = &request.view;
    check_numbers([
        ("re", &view.re),
        ("im", &view.im),
        ("zoom", &view.zoom),
        ("xmin", &view.xmin),
        ("xmax", &view.xmax),
        ("ymin", &view.ymin),
        ("ymax", &view.ymax),
        ("density", &view.density),
    ])?;
    let phases = request.iterated.formula.iter().flat_map(Formula::written);
    if phases
        .into_iter()
        .any(|phase| phase.len() > MOST_OPERATIONS)
    {
        return Err(Problem::unfit(format!(
            "formula: more than {MOST_OPERATIONS} operations in a phase"
        )));
    }
    for part in request.iterated.julia.iter().flatten() {
        check_numbers([("julia", &Some(part.clone()))])?;
    }
    check_iterations(request.iterations)?;
    let plan = picture(request, means).map_err(requests::Error::from)?;
    check_samples(&plan.frame)?;
    Ok(plan)
}

fn check_samples(frame: &FrameSpec) -> Result<(), Problem> {
    let samples = frame.pixels();
    if samples > MAX_SAMPLES {
        let line = format!("{samples} samples are over the limit of {MAX_SAMPLES}");
        return Err(Problem::unfit(line));
    }
    Ok(())
}
