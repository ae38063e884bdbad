//! Palettes in the texts of files: Ultra Fractal's `.ugr`, Fractint's `.map`, GIMP's `.ggr`, and lists of CSS stops.

use colorgrad::{Color, GimpGradient, Gradient};

use super::blend::Blend;
use super::palette::Palette;
use super::rgb::Rgb;
use super::stops::{MOST_STOPS, Stops, StopsError};
use super::ugr;

/// Most bytes of a file that is worth reading: collections of thousands of gradients are smaller.
pub const MOST_FILE_BYTES: u64 = 4 << 20;
/// Most colours of a Fractint map: as many as its screens had.
const MAP_COLOURS: usize = 256;
/// Samples of a GIMP gradient's segments: they may be curves of six kinds.
const GGR_SAMPLES: u32 = 512;

/// A format of gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradientFormat {
    /// Ultra Fractal's collections, `.ugr`.
    UltraFractal,
    /// Fractint's maps, `.map`.
    Fractint,
    /// GIMP's gradients, `.ggr`.
    Gimp,
    /// Stops as CSS has them, `.css` or `.txt`.
    Css,
}

impl GradientFormat {
    /// That of files with this extension, in upper or lower case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match &*extension.to_ascii_lowercase() {
            "ugr" => Some(Self::UltraFractal),
            "map" => Some(Self::Fractint),
            "ggr" => Some(Self::Gimp),
            "css" | "txt" => Some(Self::Css),
            _ => None,
        }
    }

    /// The palette in a file's text: the gradient called `name` of several, or the first.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn read(self, text: &str, name: Option<&str>) -> Result<Palette, String> {
        match self {
            Self::UltraFractal => ugr::read(text, name).map(Palette::of),
            Self::Fractint => fractint(text),
            Self::Gimp => gimp(text).map(Palette::of),
            Self::Css => {
                (text.parse().map(Palette::of)).map_err(|error: StopsError| error.to_string())
            }
        }
    }
}

/// The names of the gradients in a collection of Ultra Fractal's, in order.
///
/// # Errors
/// What is wrong with the text, and where; a collection of none is an error.
pub fn gradient_names(text: &str) -> Result<Vec<String>, String> {
    match ugr::names(text)? {
        names if names.is_empty() => Err("holds no gradient".to_owned()),
        names => Ok(names),
    }
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
    fn a_text_is_read_by_its_format() {
        let read = |extension: &str, text: &str, name: Option<&str>| {
            GradientFormat::of_extension(extension)
                .unwrap()
                .read(text, name)
        };
        let second = read("UGR", UGR, Some("SECOND one")).unwrap();
        assert_ne!(read("ugr", UGR, None).unwrap(), second);
        assert_eq!(second.to_string().parse::<Palette>().unwrap(), second);
        assert_eq!(gradient_names(UGR).unwrap(), ["First", "Second One"]);
        assert!(
            gradient_names("; none")
                .unwrap_err()
                .contains("no gradient")
        );
        read("map", "1 2 3\n4 5 6", None).unwrap();
        read("ggr", GGR, None).unwrap();
        let css = read("css", "gold, 35%, #f00;\n", None).unwrap();
        assert_eq!(css, "gold, 35%, #f00".parse().unwrap());
        assert_eq!(GradientFormat::of_extension("png"), None);
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
