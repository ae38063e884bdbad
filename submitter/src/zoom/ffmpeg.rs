//! Frames as a video: a process of ffmpeg that takes them raw on its stdin.
//!
//! Colours are sRGB, and go out as BT.709 with limited range, which is what players take video for; saying so spares
//! them the guess. Everything is asked to be the same each time: no dates, no random names.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow, bail};

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
    pub fps: f64,
    /// Bits of a frame's channel.
    pub depth: Depth,
}

impl VideoPlan {
    /// How its pixels are kept: as an option says, or as most players take it, which is with 10 bits of 16.
    #[must_use]
    pub fn pixel_format(&self) -> &str {
        let given = self.options.iter().find(|(name, _)| name == "pix_fmt");
        given.map_or(
            match self.depth {
                Depth::Eight => "yuv420p",
                Depth::Sixteen => "yuv420p10le",
            },
            |(_, format)| format,
        )
    }

    /// Whether pixels are kept two by two, so that sides have to be even.
    #[must_use]
    pub fn needs_even_sides(&self) -> bool {
        self.pixel_format().contains("420")
    }
}

/// Whether a pixel format of ffmpeg has more than 8 bits a channel: their names end with how many, or with those of a pixel.
#[must_use]
pub fn is_deep(format: &str) -> bool {
    let name = format.strip_suffix("le").or(format.strip_suffix("be"));
    let name = name.unwrap_or(format);
    let is_deep = |end: &&str| name.ends_with(*end);
    !name.starts_with("nv")
        && ["9", "10", "12", "14", "16", "48", "64"]
            .iter()
            .any(is_deep)
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

/// Makes sure that the program is there, and that it has the encoder.
///
/// # Errors
/// One line about what is missing.
pub fn look(plan: &VideoPlan) -> anyhow::Result<()> {
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
    if plan.depth == Depth::Sixteen {
        takes(plan, plan.pixel_format())?;
    }
    Ok(())
}

/// Makes sure that the encoder keeps pixels so, as far as the program tells.
fn takes(plan: &VideoPlan, format: &str) -> anyhow::Result<()> {
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
    if list.split_whitespace().any(|known| known == format) {
        return Ok(());
    }
    let deep: Vec<&str> = (list.split_whitespace().filter(|known| is_deep(known))).collect();
    let instead = match deep.is_empty() {
        true => "it has none of more than 8 bits: name another with --encoder".to_owned(),
        false => format!("--encoder-option pix_fmt= one of {}", deep.join(", ")),
    };
    bail!(
        "--depth 16: the encoder {} does not keep pixels as {format}; {instead}",
        plan.encoder
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
            .args([
                "-vf",
                &format!(
                    "scale=out_color_matrix=bt709:out_range=tv,format={}",
                    plan.pixel_format()
                ),
            ])
            .args([
                "-colorspace",
                "bt709",
                "-color_primaries",
                "bt709",
                "-color_trc",
                "iec61966-2-1",
                "-color_range",
                "tv",
            ])
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

    #[test]
    fn pixel_formats_of_more_than_8_bits_are_known_by_their_names() {
        for deep in [
            "yuv420p10le",
            "p010le",
            "gbrp16be",
            "rgb48le",
            "yuv444p9",
            "gray16le",
            "x2rgb10le",
        ] {
            assert!(is_deep(deep), "{deep}");
        }
        for shallow in [
            "yuv420p", "rgb24", "nv16", "nv12", "bgr0", "gbrp", "gray", "yuvj444p",
        ] {
            assert!(!is_deep(shallow), "{shallow}");
        }
    }
}
