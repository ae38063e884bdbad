//! How a video is made, and how its colours are kept and marked.
//!
//! Colours are sRGB. They go out by the matrix of BT.709 with limited range, which is what players take video for, and are
//! marked so, with BT.709's primaries and sRGB's transfer, which spares players the guess; encoders of red, green and blue
//! keep them as they are, and say so.

use std::path::PathBuf;

use colour::Depth;

use super::pixel_formats;
use super::rate::Rate;

/// How a video is made.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoPlan {
    /// The program.
    pub ffmpeg: PathBuf,
    /// Its encoder.
    pub encoder: String,
    /// Options of the encoder, by their names.
    pub options: Vec<(String, String)>,
    /// Columns and rows; even numbers.
    pub size: (u32, u32),
    /// Frames a second.
    pub fps: Rate,
    /// Bits of a frame's channel.
    pub depth: Depth,
    /// How the encoder keeps pixels, where it cannot as most players take them and nothing else is asked for.
    pub instead: Option<String>,
}

impl VideoPlan {
    /// How its pixels are kept: as an option says, or as most players take it, which is with 10 bits of 16.
    #[must_use]
    pub fn pixel_format(&self) -> &str {
        match (self.option("pix_fmt"), &self.instead, self.depth) {
            (Some(given), ..) => given,
            (None, Some(instead), _) => instead,
            (None, None, Depth::Eight) => "yuv420p",
            (None, None, Depth::Sixteen) => "yuv420p10le",
        }
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let given = self.options.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| &**value)
    }

    /// Makes sure that pixels that share a colour are all there.
    ///
    /// # Errors
    /// One line: a side of the frames has too few.
    pub fn check_sides(&self) -> Result<(), OddSides> {
        let (columns, rows) = pixel_formats::shared(self.pixel_format());
        let (width, height) = self.size;
        if width.is_multiple_of(columns) && height.is_multiple_of(rows) {
            return Ok(());
        }
        let (size, format) = (self.size, self.pixel_format().to_owned());
        Err(OddSides {
            size,
            format,
            columns,
            rows,
        })
    }

    /// Whether it is H.265, by whichever encoder.
    pub(crate) fn is_hevc(&self) -> bool {
        ["265", "hevc", "kvazaar"]
            .iter()
            .any(|name| self.encoder.contains(name))
    }

    /// Arguments that say how colours become what is kept, and mark that.
    pub(crate) fn colours(&self) -> Vec<String> {
        let format = self.pixel_format();
        let is_rgb = pixel_formats::is_rgb(format);
        let is_full = match self.option("color_range") {
            Some(range) => ["pc", "jpeg", "full", "2"].contains(&range),
            None => pixel_formats::is_full_range(format),
        };
        let range = if is_full || is_rgb { "pc" } else { "tv" };
        let matrix = if is_rgb {
            ""
        } else {
            "out_color_matrix=bt709:"
        };
        let marked = [
            (
                "-vf",
                &*format!("scale={matrix}out_range={range},format={format}"),
            ),
            ("-colorspace", if is_rgb { "rgb" } else { "bt709" }),
            ("-color_primaries", "bt709"),
            ("-color_trc", "iec61966-2-1"),
            ("-color_range", range),
        ];
        let marked = marked.map(|(name, value)| [name.to_owned(), value.to_owned()]);
        marked.into_iter().flatten().collect()
    }
}

/// A side of which pixels are left over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--size {}x{}: videos in {format} need {}", .size.0, .size.1, self.need())]
pub struct OddSides {
    size: (u32, u32),
    format: String,
    columns: u32,
    rows: u32,
}

impl OddSides {
    fn need(&self) -> &'static str {
        match (self.columns, self.rows) {
            (2, 2) => "even sides",
            (_, 4) => "sides that are multiples of 4",
            (4, _) => "a width that is a multiple of 4",
            (_, 1) => "an even width",
            _ => "an even height",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(encoder: &str, options: &[(&str, &str)]) -> VideoPlan {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        VideoPlan {
            ffmpeg: PathBuf::from("ffmpeg"),
            encoder: encoder.to_owned(),
            options: options.iter().map(own).collect(),
            size: (15, 8),
            fps: "25".parse().unwrap(),
            depth: Depth::Eight,
            instead: None,
        }
    }

    #[test]
    fn colours_are_marked_as_they_are_kept() {
        let said = |options: &[(&str, &str)]| plan("ffv1", options).colours().join(" ");
        assert_eq!(
            said(&[]),
            "-vf scale=out_color_matrix=bt709:out_range=tv,format=yuv420p -colorspace bt709 \
             -color_primaries bt709 -color_trc iec61966-2-1 -color_range tv"
        );
        for (options, says) in [
            (
                &[("pix_fmt", "gbrp")][..],
                "scale=out_range=pc,format=gbrp -colorspace rgb",
            ),
            (
                &[("pix_fmt", "yuvj444p")],
                "out_range=pc,format=yuvj444p -colorspace bt709",
            ),
            (
                &[("color_range", "pc")],
                "out_range=pc,format=yuv420p -colorspace bt709",
            ),
        ] {
            let said = said(options);
            assert!(
                said.contains(says) && said.ends_with("-color_range pc"),
                "{said}"
            );
        }
    }

    #[test]
    fn sides_hold_whole_colours() {
        for (format, is_right) in [
            ("yuv420p", false),
            ("yuv422p", false),
            ("yuv440p", true),
            ("yuv444p", true),
            ("gbrp", true),
        ] {
            let checked = plan("ffv1", &[("pix_fmt", format)]).check_sides();
            assert_eq!(checked.is_ok(), is_right, "{format}");
            let said = checked
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(is_right || said.contains(format), "{said}");
        }
    }
}
