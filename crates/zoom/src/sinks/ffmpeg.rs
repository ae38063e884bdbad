//! Frames as a video: a process of ffmpeg that takes them raw on its stdin. Everything is asked to be the same each time: no
//! dates, no random names. How colours are kept: `plan::video`.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use colour::Depth;
use disk::PendingFile;
use render::report::OutputReport;

use crate::error::ZoomError;
use crate::plan::pixel_formats;
use crate::plan::target::Container;
use crate::plan::video::VideoPlan;

/// Lines of what ffmpeg says that are kept, and bytes of each.
const KEPT_LINES: usize = 4;
const LINE_BYTES: u64 = 4096;

/// A video on its way.
#[derive(Debug)]
pub struct Video {
    path: PathBuf,
    place: Option<PendingFile>,
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
pub fn check_encoder(plan: &mut VideoPlan) -> Result<(), ZoomError> {
    let name = plan.ffmpeg.display();
    let asked = Command::new(&plan.ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-encoders"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let answer = asked.map_err(|error| {
        ZoomError::Encoder(format!("videos are made by ffmpeg, and '{name}' cannot be run ({error}): install it, name another with --ffmpeg, or write pictures: -o 'frames/%06d.png'"))
    })?;
    let list = String::from_utf8_lossy(&answer.stdout);
    // Lines like ` V....D libx264   H.264 / AVC`.
    let mut names = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    if !answer.status.success() || !names.any(|name| name == plan.encoder) {
        return Err(ZoomError::Encoder(format!(
            "'{name}' has no encoder {}: name another with --encoder (`{name} -encoders` lists them)",
            plan.encoder
        )));
    }
    settle_format(plan)?;
    plan.check_sides()?;
    Ok(())
}

/// Makes sure that the encoder keeps pixels so, as far as the program tells.
fn settle_format(plan: &mut VideoPlan) -> Result<(), ZoomError> {
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
    let fitting = |format: &&&str| pixel_formats::is_deep(format) == is_deep;
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
    Err(ZoomError::Encoder(format!(
        "{}the encoder {} does not keep pixels as {}; {instead}",
        if is_deep { "--depth 16: " } else { "" },
        plan.encoder,
        plan.pixel_format()
    )))
}

impl Video {
    /// Starts the program, which writes beside `path`.
    ///
    /// # Errors
    /// When nothing can be written there, or the program not be started.
    pub fn start(path: &Path, container: Container, plan: &VideoPlan) -> Result<Self, ZoomError> {
        let place = PendingFile::new(path, 0)?;
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
            .map_err(|source| ZoomError::Frames {
                what: format!("'{}' cannot be run", plan.ffmpeg.display()),
                source,
            })?;
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

    pub(super) fn frame(&mut self, rgb: &[u8]) -> Result<(), ZoomError> {
        let written = self.stdin.as_mut().map(|stdin| stdin.write_all(rgb));
        match written {
            Some(Ok(())) => Ok(()),
            // It says better what is wrong.
            _ => Err(self.end().err().unwrap_or_else(|| {
                ZoomError::Encoder("ffmpeg ended before all frames had come".to_owned())
            })),
        }
    }

    /// Waits for its end; what it said last where that is no success.
    fn end(&mut self) -> Result<(), ZoomError> {
        drop(self.stdin.take());
        let status = self.child.wait().map_err(|source| ZoomError::Frames {
            what: "ffmpeg is gone".to_owned(),
            source,
        })?;
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
        Err(ZoomError::Encoder(format!(
            "{}: ffmpeg failed: {words}",
            self.path.display()
        )))
    }

    pub(super) fn finish(mut self) -> Result<OutputReport, ZoomError> {
        self.end()?;
        let bytes = self.place.take().map_or(Ok(0), PendingFile::publish)?;
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
