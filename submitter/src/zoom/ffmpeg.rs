//! Frames as a video: a process of ffmpeg that takes them raw on its stdin.
//!
//! Colours are sRGB. They go out by the matrix of BT.709 with limited range, which is what players take video for, and are
//! marked so, with BT.709's primaries and sRGB's transfer, which spares players the guess; encoders of red, green and blue
//! keep them as they are, and say so. Everything is asked to be the same each time: no dates, no random names.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow, bail};

use super::pixels;
use super::rate::Rate;
use super::sink::Container;
use crate::colour::Depth;
use crate::output::Beside;
use crate::report::OutputReport;

/// Lines of what ffmpeg says that are kept, and bytes of each.
const KEPT_LINES: usize = 4;
const LINE_BYTES: u64 = 4096;

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

    fn option(&self, name: &str) -> Option<&str> {
        let given = self.options.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| &**value)
    }

    /// Makes sure that pixels that share a colour are all there.
    ///
    /// # Errors
    /// One line: a side of the frames has too few.
    pub fn check_sides(&self) -> Result<(), OddSides> {
        let (columns, rows) = pixels::shared(self.pixel_format());
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
    fn is_hevc(&self) -> bool {
        ["265", "hevc", "kvazaar"]
            .iter()
            .any(|name| self.encoder.contains(name))
    }

    /// Arguments that say how colours become what is kept, and mark that.
    fn colours(&self) -> Vec<String> {
        let format = self.pixel_format();
        let is_rgb = pixels::is_rgb(format);
        let is_full = match self.option("color_range") {
            Some(range) => ["pc", "jpeg", "full", "2"].contains(&range),
            None => pixels::is_full_range(format),
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

/// A video on its way.
#[derive(Debug)]
pub struct Video {
    path: PathBuf,
    place: Option<Beside>,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Option<JoinHandle<VecDeque<String>>>,
}

impl Container {
    /// The encoder where none is named.
    #[must_use]
    pub fn encoder(self) -> &'static str {
        match self {
            Self::Mp4 | Self::Mkv => "libx264",
            Self::Webm => "libvpx-vp9",
        }
    }

    /// What ffmpeg calls it.
    fn format(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
            Self::Mkv => "matroska",
        }
    }
}

/// Options that an encoder gets unless others are given.
fn usual(encoder: &str) -> &'static [(&'static str, &'static str)] {
    match encoder {
        "libx264" | "libx265" => &[("crf", "18")],
        "libvpx-vp9" => &[("crf", "24"), ("b:v", "0"), ("row-mt", "1")],
        _ => &[],
    }
}

/// Makes sure that the program is there, that it has the encoder, and that this keeps pixels as they are to be kept:
/// where nobody said how, as it can.
///
/// # Errors
/// One line about what is missing.
pub fn look(plan: &mut VideoPlan) -> anyhow::Result<()> {
    let name = plan.ffmpeg.display();
    let asked = Command::new(&plan.ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-encoders"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let answer = asked.map_err(|error| {
        anyhow!("videos are made by ffmpeg, and '{name}' cannot be run ({error}): install it, name another with --ffmpeg, or write pictures: -o 'frames/%06d.png'")
    })?;
    let list = String::from_utf8_lossy(&answer.stdout);
    // Lines like ` V....D libx264   H.264 / AVC`.
    let mut names = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    if !answer.status.success() || !names.any(|name| name == plan.encoder) {
        bail!(
            "'{name}' has no encoder {}: name another with --encoder (`{name} -encoders` lists them)",
            plan.encoder
        );
    }
    settle_format(plan)?;
    plan.check_sides()?;
    Ok(())
}

/// Makes sure that the encoder keeps pixels so, as far as the program tells.
fn settle_format(plan: &mut VideoPlan) -> anyhow::Result<()> {
    let asked = Command::new(&plan.ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-h"])
        .arg(format!("encoder={}", plan.encoder))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let answer = asked.map(|answer| answer.stdout).unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    // A line like `    Supported pixel formats: yuv420p yuv420p10le`; not every encoder has one.
    let list = answer
        .lines()
        .find_map(|line| line.trim().strip_prefix("Supported pixel formats:"));
    let Some(list) = list else {
        return Ok(());
    };
    let known: Vec<&str> = list.split_whitespace().collect();
    if known.contains(&plan.pixel_format()) {
        return Ok(());
    }
    let is_deep = plan.depth == Depth::Sixteen;
    let fitting = |format: &&&str| pixels::is_deep(format) == is_deep;
    if plan.option("pix_fmt").is_none() && !is_deep {
        // Any is better than none, and what is kept of it is marked.
        plan.instead = (known.iter().find(fitting)).map(|format| (*format).to_owned());
        if plan.instead.is_some() {
            return Ok(());
        }
    }
    let fitting: Vec<&str> = known.iter().filter(fitting).copied().collect();
    let instead = match (fitting.is_empty(), is_deep) {
        (true, true) => "it has none of more than 8 bits: name another with --encoder".to_owned(),
        (true, false) => format!("--encoder-option pix_fmt= one of {}", known.join(", ")),
        (false, _) => format!("--encoder-option pix_fmt= one of {}", fitting.join(", ")),
    };
    bail!(
        "{}the encoder {} does not keep pixels as {}; {instead}",
        if is_deep { "--depth 16: " } else { "" },
        plan.encoder,
        plan.pixel_format()
    );
}

impl Video {
    /// Starts the program, which writes beside `path`.
    ///
    /// # Errors
    /// When nothing can be written there, or the program not be started.
    pub fn start(path: &Path, container: Container, plan: &VideoPlan) -> anyhow::Result<Self> {
        let place = Beside::new(path, 0)?;
        let (width, height) = plan.size;
        let frames_are = match plan.depth {
            Depth::Eight => "rgb24",
            Depth::Sixteen => "rgb48be",
        };
        let mut command = Command::new(&plan.ffmpeg);
        command
            .args([
                "-hide_banner",
                "-loglevel",
                "error",
                "-y",
                "-f",
                "rawvideo",
                "-pixel_format",
                frames_are,
            ])
            .args([
                "-video_size",
                &format!("{width}x{height}"),
                "-framerate",
                &plan.fps.to_string(),
            ])
            .args([
                "-i",
                "pipe:0",
                "-an",
                "-fflags",
                "+bitexact",
                "-flags:v",
                "+bitexact",
            ])
            .args(plan.colours())
            .args(["-c:v", &plan.encoder]);
        let is_given = |name: &str| plan.options.iter().any(|(given, _)| given == name);
        let usual = usual(&plan.encoder)
            .iter()
            .filter(|(name, _)| !is_given(name));
        for (name, value) in usual {
            command.arg(format!("-{name}")).arg(value);
        }
        for (name, value) in &plan.options {
            command.arg(format!("-{name}")).arg(value);
        }
        if container == Container::Mp4 {
            command.args(["-movflags", "+faststart"]);
            // Players of Apple's take it under no other name.
            if plan.is_hevc() && plan.option("tag:v").is_none() {
                command.args(["-tag:v", "hvc1"]);
            }
        }
        let mut child = command
            .args(["-f", container.format()])
            .arg(place.unfinished())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("'{}' cannot be run", plan.ffmpeg.display()))?;
        let said = child.stderr.take().map(|stderr| {
            std::thread::Builder::new()
                .name("ffmpeg-said".into())
                .spawn(move || last_lines(stderr))
        });
        Ok(Self {
            path: path.to_owned(),
            place: Some(place),
            stdin: child.stdin.take(),
            said: said.transpose()?,
            child,
        })
    }

    pub(super) fn frame(&mut self, rgb: &[u8]) -> anyhow::Result<()> {
        let written = self.stdin.as_mut().map(|stdin| stdin.write_all(rgb));
        match written {
            Some(Ok(())) => Ok(()),
            // It says better what is wrong.
            _ => Err(self
                .end()
                .err()
                .unwrap_or_else(|| anyhow!("ffmpeg ended before all frames had come"))),
        }
    }

    /// Waits for its end; what it said last where that is no success.
    fn end(&mut self) -> anyhow::Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait().context("ffmpeg is gone")?;
        let said = self
            .said
            .take()
            .and_then(|said| said.join().ok())
            .unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        let words = if said.is_empty() {
            status.to_string()
        } else {
            said.into_iter().collect::<Vec<_>>().join("; ")
        };
        Err(anyhow!("{}: ffmpeg failed: {words}", self.path.display()))
    }

    pub(super) fn finish(mut self) -> anyhow::Result<OutputReport> {
        self.end()?;
        let bytes = self.place.take().map_or(Ok(0), Beside::publish)?;
        Ok(OutputReport {
            path: self.path.to_string_lossy().into_owned(),
            bytes,
            busy_secs: 0.0,
        })
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        // Of one that was given up; its file goes with `place`.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The last lines of what a program says.
fn last_lines(said: impl Read) -> VecDeque<String> {
    let (mut said, mut lines) = (BufReader::new(said), VecDeque::new());
    loop {
        let mut line = Vec::new();
        match (&mut said).take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return lines,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line)
            .trim()
            .replace(char::is_control, "?");
        if !line.is_empty() {
            lines.push_back(line);
        }
        if lines.len() > KEPT_LINES {
            lines.pop_front();
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
