//! From finished key frames to frames: three threads in a row, which load and colour key frames, make frames of them,
//! and write those. At most three key frames are held for frames, and two more on their way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use colour::{Basis, ColourBy, Depth, Painter};
use farm_worker::Fault;
use fractal::Measure;
use render::report::OutputReport;
use render::{Event, Progress};

use super::around::{Held, Key, Numbered};
use super::compose::Composer;
use super::encode::Encoding;
use super::paint::{self, Values};
use super::resample::Sample;
use crate::error::ZoomError;
use crate::keys::folder::{Folder, Record};
use crate::keys::make::News;
use crate::plan::plan::ZoomPlan;
use crate::sinks::sink::Sink;

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
    pub progress: Arc<dyn Progress>,
    /// Nobody wants the frames any more.
    pub stop: Arc<AtomicBool>,
}

/// What the loading thread has seen.
type Loaded = (BTreeMap<u32, Record>, (f64, f64));

impl Assembling {
    /// Makes all frames of the key frames that `news` tells of, into `sink`.
    ///
    /// # Errors
    /// When a key frame is broken, or `sink` cannot take a frame.
    pub fn run(self, news: Receiver<News>, sink: Sink) -> Result<Assembled, ZoomError> {
        let colours = &self.plan.colours;
        if colours.dither || colours.depth == Depth::Sixteen {
            self.run_in::<f32>(news, sink)
        } else {
            self.run_in::<u16>(news, sink)
        }
    }

    /// The same with pictures of such samples.
    fn run_in<S: Sample>(self, news: Receiver<News>, sink: Sink) -> Result<Assembled, ZoomError> {
        let threads = fractal::threads::available();
        let (size, upright, ratio) = (self.plan.size, self.plan.upright, self.plan.ratio);
        let encoding = Encoding::of(&self.plan.colours);
        let mut composer = Composer::new(size, upright, ratio, encoding, threads)?;
        let (loaded, keys) = sync_channel::<Numbered<S>>(LOADED);
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
            let loaded = (loading.join())
                .unwrap_or_else(|panic| Err(fault("the thread that loads key frames", &*panic)))?;
            let output = writing
                .join()
                .unwrap_or_else(|panic| Err(fault("the thread that writes frames", &*panic)))?;
            let (records, range) = loaded;
            let composing = composed.ok_or_else(missing)?;
            Ok(Assembled {
                output,
                composing,
                records,
                range,
            })
        })
    }

    /// Loads and colours key frames in the order in which they are told of.
    fn load<S: Sample>(
        &self,
        news: Receiver<News>,
        loaded: &SyncSender<Numbered<S>>,
    ) -> Result<Loaded, ZoomError> {
        let knows_pixels = paint::knows_pixels(&self.plan.colours);
        let mut known: Option<(Arc<Painter>, (f64, f64))> = None;
        let mut records = BTreeMap::new();
        for told in news {
            match told {
                News::Values(values) => {
                    let scheme = &self.plan.colours;
                    let values = match scheme.colour {
                        // They come in samples, and are coloured in pixels.
                        ColourBy::Distance => values.scaled((1.0 / self.plan.ratio) as f32),
                        ColourBy::Smooth | ColourBy::Bands => *values,
                    };
                    let range = scheme.range.unwrap_or_else(|| values.range());
                    let painter = Painter::new(scheme, &Basis::Whole(values));
                    known = Some((Arc::new(painter), range));
                }
                News::Finished(depth, record) => {
                    let (painter, _) = known.as_ref().ok_or_else(missing)?;
                    let values = self.values(depth, &record)?;
                    records.insert(depth, record);
                    let key = if knows_pixels {
                        Key::Values(values, Arc::clone(painter))
                    } else {
                        Key::Painted(values.painted(painter))
                    };
                    if loaded.send((depth, key)).is_err() {
                        break;
                    }
                }
            }
        }
        let (_, range) = known.ok_or_else(missing)?;
        Ok((records, range))
    }

    /// What the colours of a key frame come from.
    fn values(&self, depth: u32, record: &Record) -> Result<Values, ZoomError> {
        let (size, colours) = (self.plan.sequence.key, &self.plan.colours);
        let load = |measure| self.folder.load(depth, record, size, measure);
        let are_lengths = colours.colour == ColourBy::Distance;
        Ok(Values {
            width: size.0 as usize,
            height: size.1 as usize,
            coloured: load(colours.measure())?,
            are_lengths,
            smooth: match colours.light {
                Some(_) if are_lengths => Some(load(Measure::Smooth)?),
                _ => None,
            },
        })
    }

    /// Makes the frames; the time it took, or `None` where key frames ended early or nobody takes frames.
    fn compose<S: Sample>(
        &self,
        composer: &mut Composer,
        keys: Receiver<Numbered<S>>,
        made: &SyncSender<Vec<u8>>,
        reusable: &Receiver<Vec<u8>>,
    ) -> Option<Duration> {
        let (deepest, _) = self.plan.keys();
        let mut held = Held::new(keys);
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
            let beyond = f64::from(outer) - depth;
            let pictures = held.around((outer, inner), beyond, composer)?;
            let mut rgb = reusable.try_recv().unwrap_or_default();
            composer.frame(pictures, beyond, degrees, frame, &mut rgb);
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
    ) -> Result<Option<OutputReport>, ZoomError> {
        let mut written = 0;
        for rgb in frames {
            sink.frame(&rgb)?;
            written += 1;
            self.progress.tell(Event::FrameDone);
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

fn fault(thread: &str, panic: &(dyn std::any::Any + Send)) -> ZoomError {
    Fault::of_thread(thread, panic).into()
}

/// That there are no more key frames: who makes them has ended early, and says why.
fn missing() -> ZoomError {
    Fault::ended("the thread that makes key frames").into()
}
