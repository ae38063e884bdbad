//! A strip of a frame of any formula, cut into bands for the processor's threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use fractal::formula::{Jacobian, settle, slope, turns_of};
use fractal::settled::Settlement;
use fractal::{
    Arithmetic, Backend, ComplexExp, Counts, FloatExp, Measure, Origin, Plane, Settling, Strip,
    StripBuffer,
};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::deep::{Deep, LaneEnd, Lanes, Outcome, Pixel};
use super::plain::{self, PlainEnd, PlainPixel, PlainPlan};
use super::values::{End, Values};
use crate::cpu::planes::copy_row;
use crate::frame::{GeneralFrame, PreparedFrame};
use crate::info::EngineError;
use crate::progress::Progress;

/// What these kernels compute; another number wherever a value changes.
pub(crate) const KERNEL_ID: u64 = 0x666f_726d_0000_0002; // "form", 2

/// Most pixels of a band.
const MAX_BAND: usize = 1 << 12;
/// Bands of each thread at least, where there are pixels enough.
const BANDS_PER_THREAD: usize = 8;
/// Fewest pixels of a band.
const MIN_BAND: usize = 1 << 6;

/// What a frame keeps between strips.
#[derive(Debug, Default)]
struct Shared(Mutex<Option<Arc<Deep>>>);

/// How a frame's pixels are computed.
enum Way<'a> {
    Plain(&'a PlainPlan),
    Deep(&'a Deep, &'a GeneralFrame),
}

/// A band: some pixels of a strip that follow each other.
pub(in crate::cpu) struct Band<'a> {
    frame: &'a PreparedFrame,
    way: Way<'a>,
    /// The first pixel and their number.
    first: usize,
    len: usize,
    progress: &'a Progress,
    differs: bool,
    stability: Option<&'a PlainPlan>,
    /// What comes of it.
    ends: Vec<End>,
    settling: Settling,
}

impl Band<'_> {
    /// Computes its ends, `K` pixels side by side where they are plain; `false` if cancelled.
    #[inline(always)]
    pub(in crate::cpu) fn run<const K: usize>(&mut self) -> bool {
        match (self.frame.spec.counts == Counts::Settled, self.differs) {
            (false, false) => self.run_with::<K, false, false>(),
            (false, true) => self.run_with::<K, false, true>(),
            (true, false) => self.run_with::<K, true, false>(),
            (true, true) => self.run_with::<K, true, true>(),
        }
    }

    #[inline(always)]
    fn run_with<const K: usize, const E: bool, const D: bool>(&mut self) -> bool {
        let progress = self.progress;
        let goes_on = move || {
            progress.step();
            !progress.is_cancelled()
        };
        match self.way {
            Way::Plain(plan) => {
                let pixels = self.pixels();
                let mut plain = vec![PlainEnd::default(); pixels.len()];
                if !plain::compute::<K, E, D>(plan, &pixels, &mut plain, &goes_on) {
                    return false;
                }
                for (index, end) in plain.into_iter().enumerate() {
                    if E && !end.is_certain {
                        if !self.settle(index, &goes_on) {
                            return false;
                        }
                        continue;
                    }
                    let [a, b, c, d] = end.slope.map(FloatExp::from_f64);
                    self.put::<D>(index, end.count, end.z, &[[a, b], [c, d]]);
                }
            }
            Way::Deep(deep, general) if !D && deep.has_lanes() => {
                let width = self.frame.columns.len();
                let offsets: Vec<[FloatExp; 2]> = (self.first..self.first + self.len)
                    .map(|at| {
                        let offset = general.at(at % width, at / width);
                        [offset.re, offset.im]
                    })
                    .collect();
                let lanes = Lanes {
                    deep,
                    formula: &self.frame.spec.formula,
                    limit: self.frame.spec.iterations,
                    escape_radius: self.frame.spec.escape_radius,
                    goes_on: &goes_on,
                };
                let mut ends = vec![LaneEnd::default(); self.len];
                if !lanes.run::<E>(&offsets, &mut ends) {
                    return false;
                }
                for (index, end) in ends.into_iter().enumerate() {
                    if end.is_certain {
                        self.put::<D>(index, end.count, end.z, &Jacobian::default());
                    } else if !self.settle(index, &goes_on) {
                        return false;
                    }
                }
            }
            Way::Deep(deep, general) => {
                let width = self.frame.columns.len();
                for index in 0..self.len {
                    let at = self.first + index;
                    let offset = general.at(at % width, at / width);
                    let pixel = Pixel {
                        deep,
                        formula: &self.frame.spec.formula,
                        limit: self.frame.spec.iterations,
                        escape_radius: self.frame.spec.escape_radius,
                        offset: [offset.re, offset.im],
                        goes_on: &goes_on,
                    };
                    match pixel.run::<E, D>() {
                        Outcome::Ended(end) => {
                            self.put::<D>(index, end.count, end.z, &end.jacobian);
                        }
                        Outcome::Unsettled => {
                            if !self.settle(index, &goes_on) {
                                return false;
                            }
                        }
                        Outcome::Cancelled => return false,
                    }
                }
            }
        }
        self.find_stability::<K>(&goes_on)
    }

    /// z_0 and c of its pixels.
    fn pixels(&self) -> Vec<PlainPixel> {
        let spec = &self.frame.spec;
        let width = self.frame.columns.len();
        let c = (spec.julia.as_ref()).map(|c| [c[0].to_f64(), c[1].to_f64()]);
        let of = |at: usize| {
            let point = self.frame.at(at % width, at / width);
            match c {
                Some(c) => PlainPixel { z: point, c },
                None => PlainPixel {
                    z: [spec.z0.0, spec.z0.1],
                    c: point,
                },
            }
        };
        (self.first..self.first + self.len).map(of).collect()
    }

    /// The end of pixel `index`.
    #[inline(always)]
    fn put<const D: bool>(&mut self, index: usize, count: u64, z: [f64; 2], jacobian: &Jacobian) {
        let slope = if D && count > 0 {
            self.in_pixels(slope(z, jacobian))
        } else {
            [0.0; 2]
        };
        self.ends[index] = End {
            count,
            z,
            slope,
            stability: f64::NAN,
        };
    }

    fn in_pixels(&self, slope: ComplexExp) -> [f64; 2] {
        let log2 = self.frame.spec.pixel_spacing_log2();
        let spacing = FloatExp::new(libm::exp2(log2 - log2.floor()), log2.floor() as i64);
        [(slope.re * spacing).to_f64(), (slope.im * spacing).to_f64()]
    }

    /// Computes a pixel in longer numbers, until its count is certain; `false` if cancelled.
    #[inline(never)]
    fn settle(&mut self, index: usize, goes_on: &dyn Fn() -> bool) -> bool {
        let width = self.frame.columns.len();
        let at = self.first + index;
        let spec = &self.frame.spec;
        let settled = settle(spec, (at % width) as u32, (at / width) as u32, goes_on);
        self.settling.again += 1;
        match settled {
            Settlement::Settled(end) => {
                let slope = self.in_pixels(end.slope);
                self.ends[index] = End {
                    count: end.count,
                    z: end.z,
                    slope,
                    stability: f64::NAN,
                };
            }
            Settlement::Cancelled => return false,
            Settlement::Unsettled => self.settling.unsettled += 1,
        }
        true
    }

    /// |z_N|, of frames that ask for it; `false` if cancelled.
    #[inline(always)]
    fn find_stability<const K: usize>(&mut self, goes_on: &dyn Fn() -> bool) -> bool {
        let Some(plan) = self.stability else {
            return true;
        };
        let pixels = self.pixels();
        let mut ends = vec![PlainEnd::default(); pixels.len()];
        if !plain::one_by_one::<false, false>(plan, &pixels, &mut ends, goes_on) {
            return false;
        }
        for (end, plain) in self.ends.iter_mut().zip(ends) {
            let [x, y] = plain.z;
            let norm2 = x * x + y * y;
            if plain.count == 0 && norm2 <= 4.0 {
                end.stability = norm2.sqrt();
            }
        }
        true
    }
}

/// What computes: the processor's threads, by kernels of one instruction set.
pub(in crate::cpu) struct Crew<'a> {
    /// Its name in reports.
    pub(in crate::cpu) device: &'a str,
    pub(in crate::cpu) threads: usize,
    pub(in crate::cpu) pool: Option<&'a ThreadPool>,
    /// Computes a band; `false` if it was cancelled.
    pub(in crate::cpu) run: &'a (dyn Fn(&mut Band<'_>) -> bool + Sync),
}

/// Computes one strip of a frame of any formula.
pub(in crate::cpu) fn compute(
    crew: &Crew<'_>,
    frame: &PreparedFrame,
    strip: Strip,
    progress: &Progress,
) -> Result<StripBuffer, EngineError> {
    let spec = &frame.spec;
    let (width, rows) = (frame.columns.len(), strip.rows as usize);
    let (first, pixels) = (strip.row0 as usize * width, rows * width);
    let deep = match &frame.general {
        Some(general) => Some((deep_of(frame, general, progress)?, general)),
        None => None,
    };
    let is_parameter = spec.julia.is_none();
    let c_max = match &spec.julia {
        Some(c) => size(c[0].to_f64(), c[1].to_f64()),
        None => frame.farthest2().sqrt(),
    };
    let plan = |radius: f64| {
        PlainPlan::new(
            &spec.formula,
            turns_of(&spec.formula),
            spec.iterations,
            radius,
            c_max,
            is_parameter,
        )
    };
    let plain = plan(spec.escape_radius);
    // Beyond it nothing comes back.
    let far = (4.0 * c_max).max(256.0);
    let stability = (spec.measures.contains(Measure::Stability)).then(|| plan(far));
    let differs = [Measure::Distance, Measure::Direction];
    let differs = differs
        .iter()
        .any(|measure| spec.measures.contains(*measure));
    let share = pixels.div_ceil(BANDS_PER_THREAD * crew.threads);
    let band = share.clamp(MIN_BAND, MAX_BAND);
    let values = Values::new(spec);
    let one = |from: usize| {
        if progress.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let began = Instant::now();
        let len = band.min(pixels - from);
        let mut band = Band {
            frame,
            way: match &deep {
                Some((deep, general)) => Way::Deep(deep, general),
                None => Way::Plain(&plain),
            },
            first: first + from,
            len,
            progress,
            differs,
            stability: stability.as_ref(),
            ends: vec![End::default(); len],
            settling: Settling::default(),
        };
        if !(crew.run)(&mut band) {
            return Err(EngineError::Cancelled);
        }
        let planes: Vec<Plane> = (spec.measures.iter())
            .map(|measure| values.plane(measure, &band.ends))
            .collect();
        let limit = u128::from(spec.iterations);
        let steps = |end: &End| {
            if end.count == 0 {
                limit
            } else {
                end.count.into()
            }
        };
        let total: u128 = band.ends.iter().map(steps).sum();
        progress.step();
        Ok((
            from,
            planes,
            total,
            band.settling,
            began.elapsed().as_secs_f64(),
        ))
    };
    let starts: Vec<usize> = (0..pixels).step_by(band).collect();
    type Made = (usize, Vec<Plane>, u128, Settling, f64);
    let made: Vec<Made> = match crew.pool {
        Some(pool) => pool.install(|| {
            let starts = starts.into_par_iter().with_max_len(1);
            starts.map(one).collect::<Result<_, EngineError>>()
        }),
        None => starts.into_iter().map(one).collect(),
    }?;
    let mut planes: Vec<Plane> = (spec.measures.iter())
        .map(|measure| Plane::zeroed(measure, pixels))
        .collect();
    let (mut iterations_total, mut settling, mut thread_secs) = (0, Settling::default(), 0.0);
    for (from, parts, total, settled, secs) in &made {
        for (plane, part) in planes.iter_mut().zip(parts) {
            let len = band.min(pixels - from);
            copy_row(plane, *from..from + len, part, 0..len);
        }
        iterations_total += total;
        settling += *settled;
        thread_secs += secs;
    }
    Ok(StripBuffer {
        strip,
        width: spec.width,
        planes,
        iterations_total,
        settling,
        origin: Origin {
            backend: Backend::Cpu,
            arithmetic: match deep {
                Some(_) => spec.general_arithmetic(),
                None => Arithmetic::F64,
            },
            device: crew.device.to_owned(),
            kernel_id: KERNEL_ID,
        },
        busy_secs: thread_secs / crew.threads as f64,
    })
}

/// The reference orbits and blocks of a frame, made when they are first asked for: whoever asks meanwhile waits.
fn deep_of(
    frame: &PreparedFrame,
    general: &GeneralFrame,
    progress: &Progress,
) -> Result<Arc<Deep>, EngineError> {
    let shared: Arc<Shared> = general.cache.get_or_init(Shared::default);
    let mut slot = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(deep) = &*slot {
        return Ok(Arc::clone(deep));
    }
    let goes_on = || {
        progress.step();
        !progress.is_cancelled()
    };
    let made = Deep::new(&frame.spec, general.point.clone(), general.c_max, &goes_on)?;
    let made = Arc::new(made);
    *slot = Some(Arc::clone(&made));
    Ok(made)
}

fn size(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}
