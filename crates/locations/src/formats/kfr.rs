//! `.kfr`, of Kalles Fraktaler: lines of `Key: value`, ended by CR LF. Pictures of that program hold the same text.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. Its imaginary axis points down unless `ImagPointsUp` is 1:
//! its picture of (Re, Im) is ours of (Re, -Im), by the mirror image of its formula.
//! See <https://mathr.co.uk/kf/manual.html>.

use fractal::{Formula, Transform, View};

use super::shared::{centre, left_out_warning, number};
use super::{kfr_colours, kfr_formula};
use crate::location::{Format, Location};

/// Whether a text is one.
pub(crate) fn is_kfr(text: &str) -> bool {
    let has = |key| value(text, key).is_some();
    has("Re") && has("Im")
}

/// The last value of a key, and the number of its line.
fn value<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    let lines = text.trim_start_matches('\u{feff}').split('\n').enumerate();
    let found = lines.filter_map(|(at, line)| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then_some((at + 1, value.trim()))
    });
    found.last()
}

pub(crate) fn parse(text: &str) -> Result<Location, String> {
    let wanted = |key: &str| {
        let (line, value) =
            value(text, key).ok_or_else(|| format!("no line '{key}: ...', which a .kfr has"))?;
        number(key, value).map_err(|error| format!("line {line}: {error}"))
    };
    let (re, im, zoom) = (wanted("Re")?, wanted("Im")?, wanted("Zoom")?);
    let iterations = value(text, "Iterations").map(|(line, value)| {
        (value.parse::<u64>())
            .map_err(|_| format!("line {line}: Iterations: '{value:.40}' is no whole number"))
    });
    let formula = formula(text)?;
    let amount = |key: &str| {
        value(text, key).map_or(Ok(0.0), |(line, value)| {
            (value.parse::<f64>())
                .map_err(|_| format!("line {line}: {key}: '{value:.40}' is no number"))
        })
    };
    let (rotate, stretch) = (amount("RotateAngle")?, amount("StretchAmount")?);
    let angle = amount("StretchAngle")?;
    let (seed, seed_im) = (amount("SeedR")?, amount("SeedI")?);
    let (im, seed_im, formula, transform) =
        if value(text, "ImagPointsUp").is_some_and(|(_, value)| value == "1") {
            // It stretches after it has turned, and ours before.
            let transform = Transform {
                rotate,
                stretch: 100.0 * stretch,
                stretch_angle: if stretch == 0.0 { 0.0 } else { angle - rotate },
            };
            (im, seed_im, formula, transform)
        } else {
            let transform = Transform::of_kalles_fraktaler(rotate, stretch, angle);
            (im.negated(), 0.0 - seed_im, formula.mirrored(), transform)
        };
    transform.check().map_err(|error| error.to_string())?;
    let mut location = Location::at(centre(re, im, zoom)?, Format::Kfr);
    location.transform = transform;
    location.formula = Some(formula).filter(|formula| !formula.is_mandelbrot());
    location.z0 = Some((seed, seed_im)).filter(|seed| *seed != (0.0, 0.0));
    location.iterations = iterations.transpose()?;
    let value_of = |key: &str| Some(value(text, key)?.1);
    let mut left_out = Vec::new();
    location.escape_radius = escape_radius(value_of, &mut left_out);
    location.period = match value_of("Period").map(str::parse::<u64>) {
        Some(Err(_)) => {
            left_out.push("Period (no whole number)".to_owned());
            None
        }
        period => period.and_then(Result::ok).filter(|period| *period > 0),
    };
    location.colours = kfr_colours::scheme(value_of, &mut left_out);
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if !TAKEN.contains(&key) && !is_idle(key, value) {
            left_out.push(format!("{key} {value:.40}"));
        }
    }
    location.warnings.extend(left_out_warning(left_out));
    Ok(location)
}

/// What the file iterates, where the imaginary axis points as it says.
fn formula(text: &str) -> Result<Formula, String> {
    let is_hybrid = value(text, "UseHybridFormula").filter(|(_, value)| *value != "0");
    let at = |key: &str| value(text, key).map_or(0, |(line, _)| line);
    if let Some((line, _)) = is_hybrid {
        let (line, hybrid) = value(text, "HybridFormula").unwrap_or((line, ""));
        return kfr_formula::of_hybrid(hybrid).map_err(|error| format!("line {line}: {error}"));
    }
    let kind = value(text, "FractalType").map_or("0", |(_, value)| value);
    let power = value(text, "Power").map(|(_, value)| value);
    let line = at("FractalType").max(at("Power"));
    kfr_formula::of_type(kind, power).map_err(|error| format!("line {line}: {error}"))
}

/// The escape radius that a file asks for. `SmoothMethod: 0` alone says none: what it meant changed with that program's
/// versions. What else it says of the escape is left out.
fn escape_radius<'a>(
    value_of: impl Fn(&str) -> Option<&'a str>,
    left_out: &mut Vec<String>,
) -> Option<f64> {
    let is_old_root = matches!(value_of("SmoothMethod"), Some("1" | "2"));
    let is_root = match value_of("SmoothingMethod") {
        Some(method) => method != "0",
        None => is_old_root,
    };
    if is_root {
        left_out.push("SmoothingMethod (counts are smoothed by logarithms)".to_owned());
    }
    // 2 is the Euclidean one.
    let custom = value_of("BailoutNormCustom");
    match value_of("BailoutNormPreset") {
        None | Some("1") => {}
        Some("3") if custom.is_some_and(|norm| norm.parse() == Ok(2.0)) => {}
        Some("3") => left_out.push(format!("BailoutNormCustom {:.40}", custom.unwrap_or("0"))),
        Some(preset) => left_out.push(format!("BailoutNormPreset {preset:.40}")),
    }
    let Some(preset) = value_of("BailoutRadiusPreset") else {
        return is_old_root.then_some(2.0);
    };
    match preset {
        "1" | "2" => Some(2.0),
        "3" => {
            let custom = value_of("BailoutRadiusCustom").unwrap_or("2");
            let radius = custom.parse().ok();
            let radius = radius.filter(|radius: &f64| radius.is_finite() && *radius > 0.0);
            if radius.is_none() {
                left_out.push(format!("BailoutRadiusCustom {custom:.40}"));
            }
            radius
        }
        _ => Some(1e4),
    }
}

/// Keys that are read, or that say nothing of the picture.
const TAKEN: [&str; 44] = [
    "SeedR",
    "SeedI",
    "Re",
    "Im",
    "Zoom",
    "Iterations",
    "FractalType",
    "Power",
    "UseHybridFormula",
    "RotateAngle",
    "StretchAngle",
    "StretchAmount",
    "ImagPointsUp",
    "Period",
    "SmoothMethod",
    "SmoothingMethod",
    "BailoutRadiusPreset",
    "BailoutRadiusCustom",
    "BailoutNormPreset",
    "BailoutNormCustom",
    "ColorMethod",
    "Differences",
    "ColorOffset",
    "Colors",
    "InteriorColor",
    "Smooth",
    "Flat",
    "IterDiv",
    "Slopes",
    "SlopePower",
    "SlopeRatio",
    "SlopeAngle",
    "MultiColors",
    "BlendMC",
    "TextureMerge",
    "TexturePower",
    "TextureRatio",
    "TextureFile",
    "TextureResize",
    "UseSRGB",
    "HybridFormula",
    "Version",
    "SettingsVersion",
    "GLSL",
];

/// Whether a number has the value that changes nothing.
fn is_idle(key: &str, value: &str) -> bool {
    let ours = match key {
        "Ratio" => 360.0,
        "real" | "imag" | "FactorAR" => 1.0,
        _ => 0.0,
    };
    let has_such = [
        "Ratio",
        "real",
        "imag",
        "FactorAR",
        "FactorAI",
        "Rotate",
        "MultiColor",
        "TextureEnabled",
        "ColorPhaseStrength",
        "UseOpenGL",
        "ExponentialMap",
        "TriangleInequalityAverage",
    ];
    has_such.contains(&key) && value.parse() == Ok(ours)
}

/// The location as a file; `None` where that program has no such formula.
pub(crate) fn text(location: &Location) -> Option<String> {
    let plain = Formula::default();
    let formula = location.formula.as_ref().unwrap_or(&plain);
    if location.julia.is_some() {
        return None;
    }
    // Its axis points down, in every version: the key that turns it came late. It is there where a formula is one of that
    // program's types, and its mirror image is none.
    let mirrored = formula.mirrored();
    let is_up =
        kfr_formula::type_of(&mirrored).is_none() && kfr_formula::type_of(formula).is_some();
    let mut text = String::new();
    if let View::Centre { re, im, zoom } = location.view.by_centre() {
        let im = if is_up { im } else { im.negated() };
        text += &format!("Re: {re}\r\nIm: {im}\r\nZoom: {zoom}\r\n");
    }
    if let Some(iterations) = location.iterations {
        text += &format!("Iterations: {iterations}\r\n");
    }
    text += &kfr_formula::text(if is_up { formula } else { &mirrored })?;
    if let Some((re, im)) = location.z0 {
        let im = if is_up { im } else { 0.0 - im };
        text += &format!("SeedR: {re}\r\nSeedI: {im}\r\n");
    }
    let (rotate, amount, angle) = match (is_up, &location.transform) {
        (false, transform) => transform.to_kalles_fraktaler(),
        (true, own) if own.stretch == 0.0 => (own.rotate, 0.0, 0.0),
        (true, own) => (
            own.rotate,
            own.stretch / 100.0,
            own.stretch_angle + own.rotate,
        ),
    };
    text += &format!(
        "RotateAngle: {rotate}\r\nStretchAngle: {angle}\r\nStretchAmount: {amount}\r\nImagPointsUp: {}\r\n",
        u8::from(is_up)
    );
    if let Some(radius) = location.escape_radius {
        text += &format!("BailoutRadiusPreset: 3\r\nBailoutRadiusCustom: {radius}\r\n");
    }
    if let Some(period) = location.period {
        text += &format!("Period: {period}\r\n");
    }
    if let Some(colours) = &location.colours {
        text += &kfr_colours::text(colours);
    }
    Some(text)
}
