//! `.kfr`, of Kalles Fraktaler: lines of `Key: value`, ended by CR LF. Pictures of that program hold the same text.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. Its imaginary axis points down unless `ImagPointsUp` is 1.
//! See <https://mathr.co.uk/kf/manual.html>.

use fractal::View;

use super::{Format, Location, centre, number};

/// Whether a text is one.
pub(super) fn is_kfr(text: &str) -> bool {
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

pub(super) fn parse(text: &str) -> Result<Location, String> {
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
    // Another formula has nothing to show at these coordinates.
    for (key, ours) in [
        ("FractalType", 0.0),
        ("Power", 2.0),
        ("UseHybridFormula", 0.0),
    ] {
        if let Some((line, value)) = value(text, key)
            && value.parse() != Ok(ours)
        {
            return Err(format!(
                "line {line}: {key} {value:.40} is another fractal than the Mandelbrot set, {key} {ours}"
            ));
        }
    }
    let mut location = Location::at(centre(re, im, zoom)?, Format::Kfr);
    location.iterations = iterations.transpose()?;
    for (key, ours, what) in [
        ("RotateAngle", 0.0, "rotation"),
        ("Rotate", 0.0, "rotation"),
        ("StretchAmount", 0.0, "stretching"),
        ("Ratio", 360.0, "stretching"),
        ("SeedR", 0.0, "start value"),
        ("SeedI", 0.0, "start value"),
    ] {
        if let Some((_, value)) = value(text, key)
            && value.parse() != Ok(ours)
        {
            let warning = format!("{what} of the location ({key} {value:.40}) is left out");
            location.warnings.push(warning);
        }
    }
    let up = value(text, "ImagPointsUp").is_some_and(|(_, value)| value == "1");
    if !up {
        location.warnings.push(
            "the location's imaginary axis points down (no ImagPointsUp: 1): the picture is upside down against it"
                .to_owned(),
        );
    }
    Ok(location)
}

pub(super) fn text(location: &Location) -> String {
    let mut text = String::new();
    if let View::Centre { re, im, zoom } = location.view.by_centre() {
        text += &format!("Re: {re}\r\nIm: {im}\r\nZoom: {zoom}\r\n");
    }
    if let Some(iterations) = location.iterations {
        text += &format!("Iterations: {iterations}\r\n");
    }
    text += "FractalType: 0\r\nPower: 2\r\nRotateAngle: 0\r\nStretchAngle: 0\r\nStretchAmount: 0\r\nImagPointsUp: 1\r\n";
    text
}
