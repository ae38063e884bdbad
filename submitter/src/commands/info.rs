//! `submitter info`: what a picture, a location, an array or a file of gradients holds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use farm_worker::memory::display_bytes;
use farm_worker::terminal;
use fractal::View;
use locations::{Format, Location, TEXT_NAMES, own_text};
use pictures::ImageFormat;
use pictures::contents::{ChannelContents, Contents};
use pictures::data::is_read_once;
use pictures::open::{OpenedFile, PictureFormat, contents_of};
use requests::plan::palettes::names_in;
use serde::Serialize;

use crate::cli::files::InfoArgs;
use crate::failure::Failure;
use crate::terminal::tables::{complex, shortened, turned};
use crate::terminal::{write_json, write_stdout};

/// Characters of a text of another program that are shown.
const SHOWN: usize = 120;

/// A file, for programs.
#[derive(Debug, Serialize)]
struct Info {
    file: String,
    kind: &'static str,
    bytes: u64,
    /// Who made it, as it says itself.
    software: Option<String>,
    #[serde(flatten)]
    contents: Option<Contents>,
    location: Option<Place>,
    /// Names of the gradients in a file of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    gradients: Option<Vec<String>>,
    /// Texts that are not the location.
    texts: BTreeMap<String, String>,
}

/// Where it was made.
#[derive(Debug, Serialize)]
struct Place {
    format: Format,
    #[serde(flatten)]
    value: serde_json::Value,
    /// Decimal digits after the point that its zoom needs, and how many its coordinates lack.
    digits_needed: u64,
    digits_missing: Option<u64>,
    warnings: Vec<String>,
    #[serde(skip)]
    location: Location,
}

/// Says what a file holds.
///
/// # Errors
/// One line: it cannot be read, or is nothing of the kind.
pub fn run(args: &InfoArgs) -> Result<(), Failure> {
    let info = Info::of(&args.file)?;
    if args.json {
        write_json(&info)
    } else {
        write_stdout(info.lines().as_bytes())
    }
}

impl Info {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let shown = || path.display().to_string();
        let bytes = std::fs::metadata(path).with_context(shown)?.len();
        let mut info = Self {
            file: path.to_string_lossy().into_owned(),
            kind: "location",
            bytes,
            software: None,
            contents: None,
            location: None,
            gradients: None,
            texts: BTreeMap::new(),
        };
        if is_read_once(path) {
            // Of a picture in a pipe its texts are all that is read.
            info.location = Some(Place::of(Location::read(path)?)?);
            return Ok(info);
        }
        let opened = OpenedFile::open(path).with_context(shown)?;
        let picture = opened.picture();
        if let Some(names) = names_in(path)? {
            info.kind = "Ultra Fractal gradients";
            info.gradients = Some(names);
            return Ok(info);
        }
        if picture.is_none() && !opened.is_array() {
            let location = Location::read(path)?;
            info.location = Some(Place::of(location)?);
            return Ok(info);
        }
        info.contents = contents_of(path, picture).with_context(shown)?;
        let Some(picture) = picture else {
            info.kind = "NumPy array";
            return Ok(info);
        };
        info.kind = match picture {
            PictureFormat::Png => "PNG picture",
            PictureFormat::Exr => "OpenEXR picture",
            PictureFormat::Image(ImageFormat::Jpeg) => "JPEG picture",
            PictureFormat::Image(ImageFormat::WebP) => "WebP picture",
            PictureFormat::Image(ImageFormat::Tiff) => "TIFF picture",
            PictureFormat::Image(ImageFormat::Avif) => "AVIF picture",
        };
        let texts = opened.texts().with_context(shown)?;
        // A picture of others says nothing of a place, and that is all right.
        if let Some(Ok(location)) = Location::among(&texts) {
            info.location = Some(Place::of(location)?);
        }
        let place = (info.location.as_ref()).and_then(|_| own_text(&texts));
        let place = place.map(|(name, _)| name);
        for (name, text) in &texts {
            match name.as_str() {
                "Software" | "software" => info.software = Some(text.clone()),
                name if TEXT_NAMES.contains(&name) || place == Some(name) => {}
                name => {
                    info.texts.insert(name.to_owned(), text.clone());
                }
            }
        }
        Ok(info)
    }

    /// For people: a line each.
    fn lines(&self) -> String {
        let mut lines: Vec<(&str, String)> = vec![
            ("file", self.file.clone()),
            (
                "kind",
                match self.bytes {
                    0 => self.kind.to_owned(),
                    bytes => format!("{}, {}", self.kind, display_bytes(bytes)),
                },
            ),
        ];
        if let Some(software) = &self.software {
            lines.push(("made by", software.clone()));
        }
        if let Some(contents) = &self.contents {
            let size = format!("{} x {} pixels", contents.width, contents.height);
            lines.push(("size", size));
            for channel in &contents.channels {
                lines.push(("channel", words(channel)));
            }
        }
        for name in self.gradients.iter().flatten() {
            lines.push(("gradient", name.clone()));
        }
        if let Some(place) = &self.location {
            place.add_lines(&mut lines);
        }
        for (name, text) in &self.texts {
            let text: Vec<&str> = text.split_whitespace().collect();
            let text: String = text.join(" ").chars().take(SHOWN).collect();
            lines.push(("text", format!("{name}: {text}")));
        }
        let line = |(name, value): (&str, String)| {
            // Of one line, whatever the file says.
            format!("{name:16} {}\n", terminal::line(&value))
        };
        lines.into_iter().map(line).collect()
    }
}

/// A channel in a line.
fn words(channel: &ChannelContents) -> String {
    let mut words = match channel.name.as_str() {
        "" => channel.kind.clone(),
        name => format!("{name}: {}", channel.kind),
    };
    if let Some((least, most)) = channel.range {
        words += &format!(", {least} to {most}");
    }
    if channel.inside > 0 {
        words += &format!(", {} inside", channel.inside);
    }
    if channel.nan > 0 {
        words += &format!(", {} not a number", channel.nan);
    }
    words
}

impl Place {
    fn of(location: Location) -> anyhow::Result<Self> {
        let value = serde_json::to_value(location.value()).context("cannot make the report")?;
        Ok(Self {
            format: location.format,
            value,
            digits_needed: location.view.digits_needed(),
            digits_missing: location.view.missing_digits(),
            warnings: location.warnings.clone(),
            location,
        })
    }

    fn add_lines(&self, lines: &mut Vec<(&str, String)>) {
        let location = &self.location;
        lines.push(("location", format!("as {} has it", self.format.name())));
        match &location.view {
            View::Centre { re, im, zoom } => {
                lines.push(("centre re", shortened(re.as_str())));
                lines.push(("centre im", shortened(im.as_str())));
                lines.push(("zoom", shortened(zoom.as_str())));
            }
            View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => {
                let side = |low: &fractal::Decimal, high: &fractal::Decimal| {
                    format!(
                        "{} to {}",
                        shortened(low.as_str()),
                        shortened(high.as_str())
                    )
                };
                lines.push(("re", side(xmin, xmax)));
                lines.push(("im", side(ymin, ymax)));
            }
        }
        if !location.transform.is_default() {
            lines.push(("turned", turned(&location.transform)));
        }
        if let Some(formula) = &location.formula {
            lines.push(("formula", formula.to_string()));
        }
        if let Some(c) = &location.julia {
            lines.push(("julia set of c", complex(c)));
        }
        let needs = format!("its zoom needs {} after the point", self.digits_needed);
        lines.push((
            "digits",
            match self.digits_missing {
                None => needs,
                Some(missing) => format!("{needs}, {missing} are missing"),
            },
        ));
        if let Some((width, height)) = location.size {
            lines.push(("rendered at", format!("{width} x {height}")));
        }
        if let Some(iterations) = location.iterations {
            lines.push(("iterations", iterations.to_string()));
        }
        if let Some(counts) = location.counts {
            let mut words = counts.name().to_owned();
            if let Some(settling) = location.settling {
                words += &format!(", {}", settling.words());
            }
            lines.push(("counts", words));
        }
        if let Some(radius) = location.escape_radius {
            lines.push(("escape radius", radius.to_string()));
        }
        if let Some(period) = location.period {
            lines.push(("period", period.to_string()));
        }
        if let Some(minibrot) = &location.minibrot {
            let (shape, period, size) = (&minibrot.shape, minibrot.period, &minibrot.size);
            lines.push((
                "minibrot",
                format!("{shape} of period {period}, size {size}"),
            ));
        }
        if let Some(colours) = &location.colours {
            let mut words = format!("palette {}", colours.palette);
            if let Some((low, high)) = colours.range {
                words += &format!(" from {low} to {high}");
            }
            lines.push(("colours", words));
        }
        for warning in &self.warnings {
            lines.push(("warning", warning.clone()));
        }
    }
}
