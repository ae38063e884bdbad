//! Palettes from files: Ultra Fractal's `.ugr`, Fractint's `.map`, GIMP's `.ggr`, and lists of CSS stops.
//!
//! A file is read whole, under a limit, and whatever is wrong with it is one line that says where.

use std::path::{Path, PathBuf};

use colorgrad::{Color, GimpGradient, Gradient};
use farm_worker::limited::{ReadError, read_limited};

use super::blend::Blend;
use super::palette::{Palette, PaletteError};
use super::rgb::Rgb;
use super::stops::{MOST_STOPS, Stops};
use super::ugr;

/// Most bytes of a file: collections of thousands of gradients are smaller.
const MOST_BYTES: u64 = 4 << 20;
/// Most colours of a Fractint map: as many as its screens had.
const MAP_COLOURS: usize = 256;
/// Samples of a GIMP gradient's segments: they may be curves of six kinds.
const GGR_SAMPLES: u32 = 512;

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
    #[error("--palette {}: more than {MOST_BYTES} bytes, which is over the limit", .0.display())]
    TooLong(PathBuf),
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
    const END: &str = ".ugr";
    let (path, name) = match text.to_ascii_lowercase().rfind(&format!("{END}:")) {
        Some(at) => (
            PathBuf::from(&text[..at + END.len()]),
            Some(&text[at + END.len() + 1..]),
        ),
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

/// The names of the gradients in a file of Ultra Fractal's; `None` for a file that is none by its extension.
///
/// # Errors
/// When it cannot be read, or is broken.
pub fn names_in(path: &Path) -> Result<Option<Vec<String>>, GradientError> {
    if !(path.extension()).is_some_and(|extension| extension.eq_ignore_ascii_case("ugr")) {
        return Ok(None);
    }
    let names = ugr::names(&text_of(path)?).and_then(|names| match names.is_empty() {
        true => Err("holds no gradient".to_owned()),
        false => Ok(Some(names)),
    });
    names.map_err(|reason| {
        let path = path.to_owned();
        GradientError::Malformed { path, reason }
    })
}

/// A file's text. Titles and comments may be in any old encoding; what counts is ASCII.
fn text_of(path: &Path) -> Result<String, GradientError> {
    let unreadable = |reason| GradientError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let bytes = read_limited(path, MOST_BYTES).map_err(|error| match error {
        ReadError::TooLong(_) => GradientError::TooLong(path.to_owned()),
        other => unreadable(other.into()),
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn read(path: &Path, name: Option<&str>) -> Result<Palette, GradientError> {
    let text = text_of(path)?;
    let text = &*text;
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let palette = match &*extension.to_ascii_lowercase() {
        "ugr" => ugr::read(text, name).map(Palette::of),
        "map" => fractint(text),
        "ggr" => gimp(text).map(Palette::of),
        "css" | "txt" => (text.parse().map(Palette::of)).map_err(|error| format!("{error}")),
        _ => return Err(GradientError::Extension(path.to_owned())),
    };
    palette.map_err(|reason| {
        let path = path.to_owned();
        GradientError::Malformed { path, reason }
    })
}

/// Fractint: a line a colour, `RED GREEN BLUE` and perhaps more text; the last goes over into the first. As Fractint
/// does it takes values modulo 256, 256 colours, and what stands before the first line that is none.
fn fractint(text: &str) -> Result<Palette, String> {
    let lines = text.lines().enumerate();
    let mut lines = lines.filter(|(_, line)| {
        let line = line.trim_start();
        !(line.is_empty() || line.starts_with(';'))
    });
    let mut colours = Vec::new();
    let first = lines.by_ref().next();
    let Some((number, first)) = first else {
        return Err("holds no colours".to_owned());
    };
    let colour = map_colour(first)
        .ok_or_else(|| format!("line {}: a colour is three whole numbers", number + 1))?;
    colours.push(colour);
    let more = lines.map_while(|(_, line)| map_colour(line));
    colours.extend(more.take(MAP_COLOURS - 1));
    Palette::cyclic(&colours, false, Blend::Srgb).map_err(|error| error.to_string())
}

/// The three numbers that a line of a map begins with, each as 8 bits hold it.
fn map_colour(line: &str) -> Option<Rgb> {
    let mut rest = line;
    let mut next = || {
        rest = rest.trim_start();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(sign + digits);
        rest = after;
        let number: i64 = number.parse().ok()?;
        u8::try_from(number.rem_euclid(256)).ok()
    };
    Some(Rgb([next()?, next()?, next()?]))
}

/// GIMP: segments of any of its kinds, sampled; the foreground is black and the background white, as GIMP begins, and
/// white is below what is transparent.
fn gimp(text: &str) -> Result<Stops, String> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    // Before version 1.3 gradients had no name of their own.
    let is_number = |line: &&str| line.trim().parse::<usize>().is_ok();
    let is_named = !lines.get(1).is_some_and(is_number);
    if !is_named {
        lines.insert(1, "Name:");
    }
    let shift = usize::from(!is_named);
    // The count's own line first: the library adds to whatever it says.
    match lines.get(2).map(|line| line.trim().parse::<usize>()) {
        Some(Ok(count)) if count <= MOST_STOPS => {}
        Some(Ok(_)) => return Err(format!("line {}: over {MOST_STOPS} segments", 3 - shift)),
        _ => {
            return Err(format!(
                "line {}: the number of segments is missing",
                3 - shift
            ));
        }
    }
    lines[2] = lines[2].trim();
    let [black, white] = [0.0, 1.0].map(|value| Color::new(value, value, value, 1.0));
    let text = lines.join("\n");
    let gradient = GimpGradient::new(text.as_bytes(), &black, &white);
    let gradient = gradient.map_err(|error| counted(&error.to_string(), shift))?;
    let stop = |sample: u32| {
        let place = sample as f32 / GGR_SAMPLES as f32;
        (place * 100.0, Rgb::over(&gradient.at(place), 1.0))
    };
    let stops = (0..=GGR_SAMPLES).map(stop).collect();
    Stops::new(stops, false, false, Blend::Srgb).map_err(|error| error.to_string())
}

/// What the library said of a line, by the number that it has in the file, which has one less for each of `shift`.
fn counted(said: &str, shift: usize) -> String {
    let parts = said.rsplit_once("(line ");
    let numbered = parts.and_then(|(what, number)| {
        let number: usize = number.strip_suffix(')')?.parse().ok()?;
        Some(format!(
            "{what}(line {})",
            number.saturating_sub(shift).max(1)
        ))
    });
    numbered.unwrap_or_else(|| said.to_owned())
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

    #[test]
    fn fractint_maps_are_read() {
        let four = fractint("0 0 0 the inside\n255 0 0\n\n0 255 0\n0 0 255 last\n").unwrap();
        assert_eq!(
            four.to_string(),
            "cyclic: #000000 0%, #ff0000 25%, #00ff00 50%, #0000ff 75%"
        );
        // As Fractint's own are: values beyond 8 bits, more lines than colours, an end as DOS wrote it, and notes.
        for (text, same) in [
            ("256 -1 511\r\n0 0 255\r\n\u{1a}", "0 255 255\n0 0 255"),
            ("1 2 3\n4 5 6\nnot any more\n7 8 9", "1 2 3\n4 5 6"),
            ("  1\t2  3remark\n", "1 2 3"),
            (
                &format!("9 9 9\n{}", "1 2 3\n".repeat(400)),
                &format!("9 9 9\n{}", "1 2 3\n".repeat(255)),
            ),
        ] {
            assert_eq!(fractint(text), fractint(same), "{text}");
        }
    }

    #[test]
    fn gimp_gradients_are_read() {
        let stops = gimp(GGR).unwrap();
        let nameless = GGR.replace("Name: By hand\n", "").replace('\n', " \r\n");
        assert_eq!(gimp(&nameless).unwrap(), stops);
        // What is transparent lies over white.
        let clear = gimp(&GGR.replace("0.0 0.0 1.0 1.0 0 0", "0.0 0.0 1.0 0.0 0 0")).unwrap();
        assert_eq!(
            clear.colours_at(&[0.0, 0.25]),
            [[255, 0, 0], [191, 128, 191]]
        );
        // Straight from red to blue, then a step from green to white.
        assert_eq!(
            stops.colours_at(&[0.0, 0.25, 0.6, 0.74, 0.76, 1.0]),
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
            ("", "no colours"),
            ("1 2\n", "line 1"),
            ("\n; a note\nGIF89a", "line 3"),
            ("99999999999999999999 0 0", "line 1"),
        ] {
            let error = fractint(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let many = format!("GIMP Gradient\nName: x\n{}\n", usize::MAX);
        for (text, says) in [
            ("", "line 3"),
            ("PNG\nName: x\n1\n", "line 1"),
            ("GIMP Gradient\n1\nx", "line 3"),
            ("GIMP Gradient\nx\n1", "line 2"),
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
        assert_eq!(
            palette_of(&format!("{}:SECOND ONE", write("y.UGR", UGR))).unwrap(),
            second
        );
        assert_eq!(
            names_in(Path::new(&ugr)).unwrap().unwrap(),
            ["First", "Second One"]
        );
        assert_eq!(names_in(Path::new("x.map")).unwrap(), None);
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
                let _ = (fractint(&changed), ugr::names(&changed));
                let read = [ugr::read(&changed, None), gimp(&changed)];
                for stops in read.into_iter().flatten() {
                    let _ = stops.colours_at(&[0.0, 0.3, 1.0]);
                }
            }
        }

        #[test]
        fn numbers_of_any_size_are_read_or_refused(numbers in prop::collection::vec(any::<f32>(), 13), index: i64, rotation: i64) {
            let line: Vec<String> = numbers.iter().map(f32::to_string).collect();
            let text = format!("GIMP Gradient\nName: x\n1\n{}\n", line.join(" "));
            let _ = gimp(&text).map(|stops| stops.gradient().at(0.5));
            let text = format!("x {{\ngradient:\nrotation={rotation} index={index} color=1\n}}");
            let stops = ugr::read(&text, None).unwrap();
            prop_assert!(stops.closes());
        }
    }
}
