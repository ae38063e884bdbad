//! What is drawn, as anybody may ask for it: requests whose every key is known and whose numbers are within limits.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use fractal::{Decimal, Formula, FrameSpec};
use render::RenderPlan;
use render::tile::MAX_SAMPLES;
use requests::plan::picture::picture;
use requests::{Means, PictureRequest, SequenceRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
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

/// All keys of a request for a picture.
static PICTURE_KEYS: LazyLock<BTreeSet<String>> = LazyLock::new(keys::<PictureRequest>);
/// All keys of a request for a sequence.
static SEQUENCE_KEYS: LazyLock<BTreeSet<String>> = LazyLock::new(keys::<SequenceRequest>);

fn keys<T: Serialize + Default>() -> BTreeSet<String> {
    let keys = match serde_json::to_value(T::default()) {
        Ok(Value::Object(keys)) => keys,
        _ => Map::new(),
    };
    let aliases = ALIASES.iter().map(|&alias| alias.to_owned());
    keys.into_iter()
        .map(|(key, _)| key)
        .chain(aliases)
        .collect()
}

/// Keys whose values are no numbers: switches, lists and words.
const SWITCHES: [&str; 7] = [
    "equalise",
    "equalize",
    "no-light",
    "dither",
    "no-dither",
    "reverse",
    "preview",
];
const PAIRS: [&str; 4] = ["z0", "julia", "colour-range", "color-range"];
const WORDS: [&str; 13] = [
    "arithmetic",
    "blend",
    "color",
    "colour",
    "counts",
    "formula",
    "fps",
    "grid",
    "inside",
    "light",
    "mapping",
    "palette",
    "size",
];

/// What a request of these keys may be.
fn schema(keys: &BTreeSet<String>, what: &str) -> RefOr<Schema> {
    let of = |kinds: &[Type]| SchemaType::from_iter(kinds.iter().cloned());
    let number = of(&[Type::String, Type::Number, Type::Null]);
    let request = keys.iter().fold(ObjectBuilder::new(), |request, key| {
        let key = key.as_str();
        let property: Schema = if SWITCHES.contains(&key) {
            ObjectBuilder::new().schema_type(Type::Boolean).into()
        } else if PAIRS.contains(&key) {
            let one = ObjectBuilder::new().schema_type(number.clone());
            let pair = ArrayBuilder::new().schema_type(of(&[Type::Array, Type::Null]));
            pair.items(one).min_items(Some(2)).max_items(Some(2)).into()
        } else if WORDS.contains(&key) {
            ObjectBuilder::new()
                .schema_type(of(&[Type::String, Type::Null]))
                .into()
        } else {
            ObjectBuilder::new().schema_type(number.clone()).into()
        };
        request.property(key, property)
    });
    let closed = AdditionalProperties::<Schema>::FreeForm(false);
    request
        .additional_properties(Some(closed))
        .description(Some(what))
        .into()
}

impl PartialSchema for KnownRequest {
    fn schema() -> RefOr<Schema> {
        let what = "What is drawn: the long options of `submitter render`, as data. Numbers may be texts of any number of digits.";
        schema(&PICTURE_KEYS, what)
    }
}

impl ToSchema for KnownRequest {
    fn name() -> Cow<'static, str> {
        "PictureRequest".into()
    }
}

impl PartialSchema for KnownSequence {
    fn schema() -> RefOr<Schema> {
        let what = "What a video shows: the long options of `submitter zoom`, as data. Numbers may be texts of any number of digits.";
        schema(&SEQUENCE_KEYS, what)
    }
}

impl ToSchema for KnownSequence {
    fn name() -> Cow<'static, str> {
        "SequenceRequest".into()
    }
}

/// A request for a picture whose keys are all known.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct KnownRequest(pub PictureRequest);

/// A request for a sequence whose keys are all known.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct KnownSequence(pub SequenceRequest);

impl<'de> Deserialize<'de> for KnownRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        known(deserializer, &PICTURE_KEYS).map(Self)
    }
}

impl<'de> Deserialize<'de> for KnownSequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        known(deserializer, &SEQUENCE_KEYS).map(Self)
    }
}

fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
    known: &BTreeSet<String>,
) -> Result<T, D::Error> {
    use serde::de::Error;
    let keys = Map::deserialize(deserializer)?;
    if let Some(unknown) = keys.keys().find(|key| !known.contains(*key)) {
        let unknown: String = unknown.chars().take(40).collect();
        return Err(D::Error::custom(format!("unknown key `{unknown}`")));
    }
    T::deserialize(Value::Object(keys)).map_err(D::Error::custom)
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
    let plan = plan_within(request, means)?;
    check_samples(&plan.frame, MAX_SAMPLES)?;
    Ok(plan)
}

/// The same of a picture of any size.
///
/// # Errors
/// The first thing that cannot be.
pub fn plan_within(request: PictureRequest, means: &Means) -> Result<RenderPlan, Problem> {
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
    Ok(picture(request, means).map_err(requests::Error::from)?)
}

/// Checks how many samples a frame has.
///
/// # Errors
/// When they are over `most`.
pub fn check_samples(frame: &FrameSpec, most: u64) -> Result<(), Problem> {
    let samples = frame.pixels();
    if samples > most {
        let line = format!("{samples} samples are over the limit of {most}");
        return Err(Problem::unfit(line));
    }
    Ok(())
}
