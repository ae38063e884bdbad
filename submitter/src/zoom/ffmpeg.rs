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
}

impl VideoPlan {
    /// How pixels are kept in a video unless an option says otherwise.
    pub const PIXEL_FORMAT: &str = "yuv420p";

    /// How its pixels are kept.
    #[must_use]
    pub fn pixel_format(&self) -> &str {
        let given = self.options.iter().find(|(name, _)| name == "pix_fmt");
        given.map_or(Self::PIXEL_FORMAT, |(_, format)| format)
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
    Ok(())
}

impl Video {
    /// Starts the program, which writes beside `path`.
    ///
    /// # Errors
    /// When nothing can be written there, or the program not be started.
    pub fn start(path: &Path, container: Container, plan: &VideoPlan) -> anyhow::Result<Self> {
        let place = Beside::new(path, 0)?;
        let (width, height) = plan.size;
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
                "rgb24",
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
