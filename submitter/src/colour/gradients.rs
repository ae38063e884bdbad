//! Palettes from files: Ultra Fractal's `.ugr`, Fractint's `.map`, GIMP's `.ggr`, and lists of CSS stops.
//!
//! A file is read whole, under a limit, and whatever is wrong with it is one line that says where.

use std::path::{Path, PathBuf};

use colorgrad::{Color, GimpGradient, Gradient};

use super::palette::{Palette, PaletteError};
use super::scheme::Rgb;
use super::stops::{MOST_STOPS, Stops};

/// Most bytes of a file: collections of thousands of gradients are smaller.
const MOST_BYTES: u64 = 4 << 20;
/// Places in a turn of an Ultra Fractal gradient.
const UGR_TURN: i64 = 400;
/// Most colours of a Fractint map.
const MAP_COLOURS: usize = 256;
/// Samples of a GIMP gradient's segments: they may be curves of six kinds.
const GGR_SAMPLES: u32 = 512;
/// Names that an error repeats.
const MOST_NAMES: usize = 8;

/// Why there is no palette, in one line.
#[derive(Debug, thiserror::Error)]
pub enum GradientError {
    /// Neither a name, nor a list, nor a file.
    #[error("--palette {text}: {reason}, and there is no such file")]
    Unknown {
        /// As asked for.
        text: String,
        /// What it is not.
        reason: PaletteError,
    },
    /// It cannot be read.
    #[error("--palette {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is over [`MOST_BYTES`].
    #[error("--palette {}: {bytes} bytes are over the limit of {MOST_BYTES}", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
    /// Its extension says nothing.
    #[error("--palette {}: a palette's file is .ugr, .map, .ggr or .css", .0.display())]
    Extension(PathBuf),
    /// It is something else.
    #[error("--palette {}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// The palette of a name, a list of CSS stops or a file; `FILE.ugr:NAME` is one of several in a file.
///
/// # Errors
/// See [`GradientError`].
pub fn palette_of(text: &str) -> Result<Palette, GradientError> {
    let unknown = match text.parse::<Palette>() {
        Ok(palette) => return Ok(palette),
        Err(reason) => reason,
    };
    let (path, name) = match text.rsplit_once(".ugr:") {
        Some((file, name)) => (PathBuf::from(format!("{file}.ugr")), Some(name)),
        None => (PathBuf::from(text), None),
    };
    // What looks like a list and is none.
    if let PaletteError::Stops(_) = unknown
        && !path.exists()
    {
        return Err(GradientError::Malformed {
            path,
            reason: unknown.to_string(),
        });
    }
    read(&path, name).map_err(|error| match error {
        GradientError::Unreadable { reason, .. }
            if reason.kind() == std::io::ErrorKind::NotFound && path.extension().is_none() =>
        {
            let text = text.to_owned();
            let reason = unknown;
            GradientError::Unknown { text, reason }
        }
        other => other,
    })
}

fn read(path: &Path, name: Option<&str>) -> Result<Palette, GradientError> {
    let unreadable = |reason| GradientError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MOST_BYTES {
        let path = path.to_owned();
        return Err(GradientError::TooLong { path, bytes });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // Titles and comments may be in any old encoding; what counts is ASCII.
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let stops = match &*extension.to_ascii_lowercase() {
        "ugr" => ultra_fractal(text, name),
        "map" => fractint(text),
        "ggr" => gimp(text),
        "css" | "txt" => text.parse().map_err(|error| format!("{error}")),
        _ => return Err(GradientError::Extension(path.to_owned())),
    };
    stops.map(Palette::of).map_err(|reason| {
        let path = path.to_owned();
        GradientError::Malformed { path, reason }
    })
}

/// Ultra Fractal: `NAME { gradient: title="..." smooth=yes rotation=0 index=0 color=8716288 ... opacity: ... }`, any
/// number of them. A turn has 400 places; a colour is red + 256 green + 65536 blue.
fn ultra_fractal(text: &str, wanted: Option<&str>) -> Result<Stops, String> {
    let mut names = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        // A name is the last word of its line; before it there may be comments and what ended the last block.
        let name = rest[..open].lines().next_back().unwrap_or_default().trim();
        let at = line + rest[..open].matches('\n').count();
        let body = &rest[open + 1..];
        let Some(close) = body.find('}') else {
            return Err(format!("line {at}: '{{' is never closed"));
        };
        if wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name)) {
            return ugr_block(&body[..close], at);
        }
        names.push(name);
        line = at + body[..close].matches('\n').count();
        rest = &body[close + 1..];
    }
    match (wanted, names.len()) {
        (_, 0) => Err("holds no gradient: 'NAME { gradient: ... }' is missing".to_owned()),
        (wanted, count) => {
            names.truncate(MOST_NAMES);
            let more = if count > MOST_NAMES { ", ..." } else { "" };
            let wanted = wanted.unwrap_or_default();
            Err(format!(
                "holds no gradient '{wanted}'; there are {}{more}",
                names.join(", ")
            ))
        }
    }
}

/// One gradient between its brackets, which begin on line `first`.
fn ugr_block(block: &str, first: usize) -> Result<Stops, String> {
    let (mut smooth, mut rotation) = (false, 0);
    let mut index: Option<i64> = None;
    let mut stops: Vec<(f32, Rgb)> = Vec::new();
    let mut is_gradient = false;
    for (number, line) in block.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", first + number);
        let line = line.split(';').next().unwrap_or_default();
        for word in words(line.trim_end_matches('\\')) {
            match word.to_ascii_lowercase().as_str() {
                "gradient:" => is_gradient = true,
                section if section.ends_with(':') => is_gradient = false,
                _ if !is_gradient => {}
                word => match word.split_once('=') {
                    Some(("smooth", value)) => smooth = value == "yes",
                    Some(("rotation", value)) => {
                        rotation = value
                            .parse()
                            .map_err(|_| wrong("rotation= wants a number"))?;
                    }
                    Some(("index", value)) => {
                        index = Some(value.parse().map_err(|_| wrong("index= wants a number"))?);
                    }
                    Some(("color", value)) => {
                        let place = (index.take()).ok_or_else(|| wrong("color= without index="))?;
                        let colour: u32 =
                            (value.parse().ok())
                                .filter(|colour| *colour < 1 << 24)
                                .ok_or_else(|| wrong("color= wants a number below 16777216"))?;
                        let [r, g, b, _] = colour.to_le_bytes();
                        stops.push((place as f32, Rgb([r, g, b])));
                        if stops.len() > MOST_STOPS {
                            return Err(wrong("too many colours"));
                        }
                    }
                    _ => {}
                },
            }
        }
    }
    if stops.is_empty() {
        return Err(format!(
            "line {first}: a gradient without index= and color="
        ));
    }
    for (place, _) in &mut stops {
        let turned = (*place as i64)
            .saturating_add(rotation)
            .rem_euclid(UGR_TURN);
        *place = turned as f32 / UGR_TURN as f32 * 100.0;
    }
    Stops::new(stops, true, smooth).map_err(|error| error.to_string())
}

/// What spaces outside of quotes divide.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })
    .filter(|word| !word.is_empty())
}

/// Fractint: a line a colour, `RED GREEN BLUE` of 0 to 255 and perhaps more text; the last goes over into the first.
fn fractint(text: &str) -> Result<Stops, String> {
    let mut colours = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with(';') {
            continue;
        }
        let mut values = line.split_whitespace().map(str::parse::<u8>);
        let mut next = || values.next().and_then(Result::ok);
        let (Some(r), Some(g), Some(b)) = (next(), next(), next()) else {
            return Err(format!(
                "line {}: a colour is three numbers from 0 to 255",
                number + 1
            ));
        };
        if colours.len() == MAP_COLOURS {
            return Err(format!("line {}: over {MAP_COLOURS} colours", number + 1));
        }
        colours.push(Rgb([r, g, b]));
    }
    if colours.is_empty() {
        return Err("holds no colours".to_owned());
    }
    let share = 100.0 / colours.len() as f32;
    let stops = colours.iter().enumerate();
    let stops = stops.map(|(index, colour)| (index as f32 * share, *colour));
    Stops::new(stops.collect(), true, false).map_err(|error| error.to_string())
}

/// GIMP: segments of any of its kinds, sampled; the foreground is black and the background white, as GIMP begins.
fn gimp(text: &str) -> Result<Stops, String> {
    // The count's own line first: the library adds to whatever it says.
    let count = text.lines().nth(2).map(|line| line.trim().parse::<usize>());
    match count {
        Some(Ok(count)) if count <= MOST_STOPS => {}
        Some(Ok(_)) => return Err(format!("line 3: over {MOST_STOPS} segments")),
        _ => return Err("line 3: the number of segments is missing".to_owned()),
    }
    let [black, white] = [0.0, 1.0].map(|value| Color::new(value, value, value, 1.0));
    let gradient = GimpGradient::new(text.as_bytes(), &black, &white);
    let gradient = gradient.map_err(|error| error.to_string())?;
    let stop = |sample: u32| {
        let place = sample as f32 / GGR_SAMPLES as f32;
        let [r, g, b, _] = gradient.at(place).clamp().to_rgba8();
        (place * 100.0, Rgb([r, g, b]))
    };
    Stops::new((0..=GGR_SAMPLES).map(stop).collect(), false, false)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UGR: &str = "; made by hand\nFirst {\ngradient:\n  title=\"The = first\" smooth=no\n  index=0 color=255\n  index=200 color=16711680\n}\n\n\
        Second One {\ngradient:\n  title=\"Second\" smooth=yes rotation=100 index=0 color=65280 \\\n  index=300 color=0\nopacity:\n  smooth=no index=0 opacity=255\n}\n";
    const GGR: &str = "GIMP Gradient\nName: By hand\n2\n\
        0.0 0.25 0.5 1.0 0.0 0.0 1.0 0.0 0.0 1.0 1.0 0 0\n\
        0.5 0.75 1.0 0.0 1.0 0.0 1.0 1.0 1.0 1.0 1.0 5 0\n";

    fn colours(stops: &Stops, places: &[f32]) -> Vec<[u8; 3]> {
        let gradient = stops.gradient();
        places
            .iter()
            .map(|at| Rgb::nearest(&gradient.at(*at)).0)
            .collect()
    }

    #[test]
    fn ultra_fractal_gradients_are_read() {
        let first = ultra_fractal(UGR, None).unwrap();
        assert_eq!(
            colours(&first, &[0.0, 0.5, 1.0]),
            [[255, 0, 0], [0, 0, 255], [255, 0, 0]]
        );
        let second = ultra_fractal(UGR, Some("second one")).unwrap();
        assert_eq!(second.to_string(), "cyclic smooth: #000000 0%, #00ff00 25%");
        let none = ultra_fractal(UGR, Some("third")).unwrap_err();
        assert!(
            none.contains("'third'") && none.contains("First, Second One"),
            "{none}"
        );
    }

    #[test]
    fn fractint_maps_are_read() {
        let stops = fractint("0 0 0 the inside\n255 0 0\n\n0 255 0\n0 0 255 last\n").unwrap();
        assert_eq!(
            colours(&stops, &[0.0, 0.25, 0.5, 0.75, 1.0]),
            [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]]
        );
    }

    #[test]
    fn gimp_gradients_are_read() {
        let stops = gimp(GGR).unwrap();
        // Straight from red to blue, then a step from green to white.
        assert_eq!(
            colours(&stops, &[0.0, 0.25, 0.6, 0.74, 0.76, 1.0]),
            [
                [255, 0, 0],
                [128, 0, 128],
                [0, 255, 0],
                [0, 255, 0],
                [255, 255, 255],
                [255, 255, 255]
            ]
        );
    }

    #[test]
    fn broken_files_are_one_line_that_says_where() {
        for (text, says) in [
            ("", "no gradient"),
            ("Name { gradient: index=0 color=1", "line 1: '{'"),
            (
                "\nName {\ngradient:\nindex=zero color=1 }",
                "line 4: index=",
            ),
            ("Name {\ngradient:\ncolor=1 }", "line 3: color= without"),
            (
                "Name {\ngradient:\nindex=1 color=16777216 }",
                "line 3: color=",
            ),
            (
                "Name {\nopacity:\nindex=1 opacity=1 }",
                "line 1: a gradient without",
            ),
        ] {
            let error = ultra_fractal(text, None).unwrap_err();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
        for (text, says) in [
            ("", "no colours"),
            ("1 2\n", "line 1"),
            ("1 2 3\n1 2 256", "line 2"),
            (&"1 2 3\n".repeat(257), "line 257"),
        ] {
            let error = fractint(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let many = format!("GIMP Gradient\nName: x\n{}\n", usize::MAX);
        for (text, says) in [
            ("", "line 3"),
            ("PNG\nName: x\n1\n", "line 1"),
            (&many, "line 3"),
            (&GGR.replace("\n2\n", "\n3\n"), "line 3"),
            (&GGR.replace("0.25", "x"), "line 4"),
        ] {
            let error = gimp(text).unwrap_err();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn palettes_come_from_names_lists_and_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let says = |text: &str| {
            let error = palette_of(text).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
            error
        };
        let ugr = write("x.ugr", UGR);
        let second = palette_of(&format!("{ugr}:Second One")).unwrap();
        assert_ne!(palette_of(&ugr).unwrap(), second);
        assert_eq!(second.to_string().parse::<Palette>().unwrap(), second);
        palette_of(&write("x.MAP", "1 2 3\n4 5 6")).unwrap();
        palette_of(&write("x.ggr", GGR)).unwrap();
        let css = palette_of(&write("x.css", "gold, 35%, #f00;\n")).unwrap();
        assert_eq!(css, palette_of("gold, 35%, #f00").unwrap());
        assert_eq!(palette_of("Plasma").unwrap().to_string(), "plasma");
        assert!(says("plasmma").contains("plasma, viridis"));
        assert!(says("gold, rde").contains("'rde'"));
        assert!(says(&write("x.png", "")).contains(".ugr, .map, .ggr or .css"));
        assert!(says(&format!("{ugr}x")).contains("x.ugrx"));
        assert!(says(&write("y.ggr", "\u{0}")).contains("y.ggr: line 3"));
        let long = write("z.map", &"1 2 3\n".repeat(1 << 20));
        assert!(says(&long).contains("over the limit"));
    }

    proptest! {
        #[test]
        fn damaged_files_are_read_or_refused(at: prop::sample::Index, to: char, cut: prop::sample::Index) {
            for text in [UGR, GGR, "0 0 0\n255 10 20\n"] {
                let mut changed: Vec<char> = text.chars().collect();
                let place = at.index(changed.len());
                changed[place] = to;
                changed.truncate(cut.index(changed.len() + 1));
                let changed: String = changed.into_iter().collect();
                let read = [ultra_fractal(&changed, None), fractint(&changed), gimp(&changed)];
                for stops in read.into_iter().flatten() {
                    let _ = colours(&stops, &[0.0, 0.3, 1.0]);
                }
            }
        }

        #[test]
        fn numbers_of_any_size_are_read_or_refused(numbers in prop::collection::vec(any::<f32>(), 13), index: i64, rotation: i64) {
            let line: Vec<String> = numbers.iter().map(f32::to_string).collect();
            let text = format!("GIMP Gradient\nName: x\n1\n{}\n", line.join(" "));
            let _ = gimp(&text).map(|stops| stops.gradient().at(0.5));
            let text = format!("x {{\ngradient:\nrotation={rotation} index={index} color=1\n}}");
            let stops = ultra_fractal(&text, None).unwrap();
            prop_assert!(stops.closes());
        }
    }
}
