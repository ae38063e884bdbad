//! From finished key frames to frames: three threads in a row, which load and colour key frames, make frames of them,
//! and write those. At most three key frames are held for frames, and two more on their way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::bar::SequenceBar;
use super::compose::Composer;
use super::folder::{Folder, Record};
use super::light::Light;
use super::make::News;
use super::resample::{CHANNELS, Picture};
use super::sink::Sink;
use crate::colour::{Basis, Canvas, Painter, Rows};
use crate::plan::zoom::ZoomPlan;
use crate::report::OutputReport;

/// Coloured key frames that may wait, and frames, beside those that are worked on.
const LOADED: usize = 1;
const COMPOSED: usize = 2;

/// What came of it.
#[derive(Debug)]
pub struct Assembled {
    /// The file.
    pub output: Option<OutputReport>,
    /// Time that composing took, without waiting for key frames and for whoever takes the frames.
    pub composing: Duration,
    /// What is known of the key frames.
    pub records: BTreeMap<u32, Record>,
    /// Smooth counts at the palette's ends.
    pub range: (f64, f64),
}

/// What the threads share.
pub struct Assembling {
    /// The whole plan.
    pub plan: Arc<ZoomPlan>,
    /// Where key frames are.
    pub folder: Arc<Folder>,
    /// Told of every frame.
    pub bar: SequenceBar,
    /// Nobody wants the frames any more.
    pub stop: Arc<AtomicBool>,
}

/// A key frame as frames are made of it.
type Key = (u32, Arc<Picture>);
/// What the loading thread has seen.
type Loaded = (BTreeMap<u32, Record>, (f64, f64));

impl Assembling {
    /// Makes all frames of the key frames that `news` tells of, into `sink`.
    ///
    /// # Errors
    /// When a key frame is broken, or `sink` cannot take a frame.
    pub fn run(self, news: Receiver<News>, sink: Sink) -> anyhow::Result<Assembled> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (size, upright, ratio) = (self.plan.size, self.plan.upright, self.plan.ratio);
        let mut composer = Composer::new(size, upright, ratio, threads)?;
        let (loaded, keys) = sync_channel::<Key>(LOADED);
        let (made, frames) = sync_channel::<Vec<u8>>(COMPOSED);
        let (emptied, reusable) = sync_channel::<Vec<u8>>(COMPOSED);
        let shared = &self;
        std::thread::scope(|scope| {
            let loading = Builder::new()
                .name("load-keys".into())
                .spawn_scoped(scope, move || shared.load(news, &loaded))?;
            let writing = Builder::new()
                .name("write-frames".into())
                .spawn_scoped(scope, move || shared.write(&frames, &emptied, sink))?;
            let composed = self.compose(&mut composer, keys, &made, &reusable);
            drop(made);
            // The first in the row that failed says why.
            let fault = |_| Err(anyhow!("a fault in the program"));
            let loaded = loading.join().unwrap_or_else(fault)?;
            let output = writing
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a fault in the program")))?;
            let (records, range) = loaded;
            let composing = composed.context("key frames are missing")?;
            Ok(Assembled {
                output,
                composing,
                records,
                range,
            })
        })
    }

    /// Loads and colours key frames in the order in which they are told of.
    fn load(&self, news: Receiver<News>, loaded: &SyncSender<Key>) -> anyhow::Result<Loaded> {
        let light = Light::new();
        let mut known: Option<(Painter, (f64, f64))> = None;
        let mut records = BTreeMap::new();
        for told in news {
            match told {
                News::Values(values) => {
                    let scheme = &self.plan.colours;
                    let range = scheme.range.unwrap_or_else(|| values.range());
                    known = Some((Painter::new(scheme, &Basis::Whole(*values)), range));
                }
                News::Finished(depth, record) => {
                    let (painter, _) = known.as_ref().context("no colours")?;
                    let size = self.plan.sequence.key;
                    let smooth = self.folder.load(depth, &record, size)?;
                    records.insert(depth, record);
                    let picture = Arc::new(painted(&smooth, size, painter, &light));
                    if loaded.send((depth, picture)).is_err() {
                        break;
                    }
                }
            }
        }
        let (_, range) = known.context("no colours")?;
        Ok((records, range))
    }

    /// Makes the frames; the time it took, or `None` where key frames ended early or nobody takes frames.
    fn compose(
        &self,
        composer: &mut Composer,
        keys: Receiver<Key>,
        made: &SyncSender<Vec<u8>>,
        reusable: &Receiver<Vec<u8>>,
    ) -> Option<Duration> {
        let (deepest, _) = self.plan.keys();
        let mut held = Held {
            keys,
            there: BTreeMap::new(),
            refined: None,
        };
        let mut composing = Duration::ZERO;
        for frame in 0..self.plan.timing.frames {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let (depth, degrees) = self.plan.frame(frame);
            let outer = depth.ceil() as u32;
            let inner = outer.checked_sub(1).filter(|inner| *inner >= deepest);
            held.come(outer, outer.saturating_sub(2).max(deepest))?;
            let started = Instant::now();
            let inner = inner.and_then(|inner| held.refined(inner, composer));
            let mut rgb = reusable.try_recv().unwrap_or_default();
            let beyond = f64::from(outer) - depth;
            composer.frame(
                held.there.get(&outer)?,
                inner.as_deref(),
                beyond,
                degrees,
                &mut rgb,
            );
            composing += started.elapsed();
            made.send(rgb).ok()?;
        }
        Some(composing)
    }

    fn write(
        &self,
        frames: &Receiver<Vec<u8>>,
        emptied: &SyncSender<Vec<u8>>,
        mut sink: Sink,
    ) -> anyhow::Result<Option<OutputReport>> {
        let mut written = 0;
        for rgb in frames {
            sink.frame(&rgb)?;
            written += 1;
            self.bar.frame_is_done();
            // Nobody takes it back at the end.
            let _ = emptied.try_send(rgb);
        }
        // Of one that was given up nothing is put in its place.
        if written < self.plan.timing.frames {
            return Ok(None);
        }
        sink.finish()
    }
}

/// The key frames around the next frame.
struct Held {
    keys: Receiver<Key>,
    there: BTreeMap<u32, Arc<Picture>>,
    refined: Option<Key>,
}

impl Held {
    /// Waits for the key frames from `outer` down to `innermost`, and lets go of the others; `None` where they do not
    /// come.
    fn come(&mut self, outer: u32, innermost: u32) -> Option<()> {
        let wanted = innermost..=outer;
        self.there.retain(|depth, _| wanted.contains(depth));
        while !wanted.clone().all(|depth| self.there.contains_key(&depth)) {
            let (depth, picture) = self.keys.recv().ok()?;
            self.there.insert(depth, picture);
        }
        Some(())
    }

    /// An inner key frame with the one after it in its middle.
    fn refined(&mut self, inner: u32, composer: &Composer) -> Option<Arc<Picture>> {
        if let Some((depth, picture)) = &self.refined
            && *depth == inner
        {
            return Some(Arc::clone(picture));
        }
        let own = self.there.get(&inner)?;
        let next = inner.checked_sub(1).and_then(|next| self.there.get(&next));
        let picture = next.map_or_else(
            || Arc::clone(own),
            |next| Arc::new(composer.refined(own, next)),
        );
        self.refined = Some((inner, Arc::clone(&picture)));
        Some(picture)
    }
}

/// A key frame in colours.
fn painted(
    smooth: &[f32],
    (width, height): (u32, u32),
    painter: &Painter,
    light: &Light,
) -> Picture {
    let mut bytes = Vec::with_capacity(smooth.len() * CHANNELS);
    let rows = Rows {
        values: smooth,
        smooth: None,
    };
    Canvas::new(painter, width, height).push(rows, &mut bytes);
    Picture {
        width: width as usize,
        height: height as usize,
        light: bytes.iter().map(|byte| light.of(*byte)).collect(),
    }
}
