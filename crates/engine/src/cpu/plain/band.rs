//! A band: the pixels, consecutive in row order, that one thread computes at a time.

use super::interior::Inside;
use super::points::{CHUNK, INDEX_BITS, Points};
use crate::cpu::plan::Plan;
use crate::frame::PreparedFrame;
use crate::progress::Progress;
use fractal::Settling;

/// Most pixels of a band: its index has to fit into a meta word.
pub(in crate::cpu) const MAX_PIXELS: usize = 1 << 17;
const _: () = assert!(MAX_PIXELS + CHUNK <= 1 << INDEX_BITS);

/// The part of each plane that a band fills; `None` for measures that are not asked for.
#[derive(Debug, Default)]
pub(in crate::cpu) struct Planes<'a> {
    pub(in crate::cpu) iterations: Option<&'a mut [u32]>,
    pub(in crate::cpu) smooth: Option<&'a mut [f32]>,
    pub(in crate::cpu) distance: Option<&'a mut [f32]>,
    pub(in crate::cpu) stability: Option<&'a mut [f64]>,
    pub(in crate::cpu) fraction: Option<&'a mut [f32]>,
    pub(in crate::cpu) phase: Option<&'a mut [f32]>,
    pub(in crate::cpu) direction: Option<&'a mut [f32]>,
}

/// Where an orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cpu) struct End {
    /// z_n
    pub(in crate::cpu) z: [f64; 2],
    /// dz_n/dc, where the kernel carries it.
    pub(in crate::cpu) slope: [f64; 2],
}

/// A thread's working memory, used for one band after the other.
#[derive(Debug)]
pub(in crate::cpu) struct Scratch {
    /// Count of each pixel of the band.
    pub(in crate::cpu) counts: Vec<u32>,
    /// |z_n|² of each pixel that escaped.
    pub(in crate::cpu) norm2: Vec<f64>,
    /// |dz_n/dc|² of each pixel that escaped, if the frame asks for distances.
    pub(in crate::cpu) derivative2: Vec<f64>,
    /// z_n and dz_n/dc of each pixel that escaped, if the frame asks for angles.
    pub(in crate::cpu) ends: Vec<End>,
    /// Pixels of which the count is not certain, where it has to be.
    pub(in crate::cpu) unsettled: Vec<u32>,
    /// |z_N|², or NaN, of each pixel, if the frame asks for stability.
    pub(in crate::cpu) stability: Vec<f64>,
    /// Real and imaginary parts of c of the present chunk.
    pub(in crate::cpu) cx: Vec<f64>,
    pub(in crate::cpu) cy: Vec<f64>,
    /// Orbits waiting for a lane.
    pub(in crate::cpu) queue: Box<Points>,
    /// Orbits whose escape is known to lie in the block that they begin.
    pub(in crate::cpu) aside: Box<Points>,
}

impl Scratch {
    pub(in crate::cpu) fn new() -> Self {
        Self {
            counts: Vec::new(),
            norm2: Vec::new(),
            derivative2: Vec::new(),
            ends: Vec::new(),
            unsettled: Vec::new(),
            stability: Vec::new(),
            cx: vec![0.0; CHUNK],
            cy: vec![0.0; CHUNK],
            queue: Points::new(),
            aside: Points::new(),
        }
    }
}

/// One band's computation.
#[derive(Debug)]
pub(in crate::cpu) struct Band<'a> {
    pub(in crate::cpu) frame: &'a PreparedFrame,
    pub(in crate::cpu) plan: &'a Plan,
    /// First pixel, counted in row order from the picture's first.
    pub(in crate::cpu) first: usize,
    /// Pixels, at least 1 and at most [`MAX_PIXELS`].
    pub(in crate::cpu) len: usize,
    pub(in crate::cpu) planes: Planes<'a>,
    pub(in crate::cpu) scratch: &'a mut Scratch,
    pub(in crate::cpu) progress: &'a Progress,
    /// The pixels of the whole picture that are proved to be inside; `None` where it does not pay.
    pub(in crate::cpu) inside: Option<&'a Inside>,
    /// Set by the kernels: see [`fractal::StripBuffer::iterations_total`].
    pub(in crate::cpu) iterations_total: u128,
    /// What it took to settle its counts.
    pub(in crate::cpu) settling: Settling,
}

impl Band<'_> {
    /// Writes the coordinates of up to [`CHUNK`] pixels from `start` on to the scratch memory and returns
    /// how many there are; zeros follow the last one.
    #[inline(always)]
    pub(in crate::cpu) fn load_chunk(&mut self, start: usize) -> usize {
        let width = self.frame.columns.len();
        let len = CHUNK.min(self.len - start);
        let (mut row, mut col) = ((self.first + start) / width, (self.first + start) % width);
        let mut at = 0;
        while at < len {
            let run = (width - col).min(len - at);
            if let Some(turned) = &self.frame.turned {
                for i in 0..run {
                    let [x, y] = turned.at(col + i, row);
                    (self.scratch.cx[at + i], self.scratch.cy[at + i]) = (x, y);
                }
                (at, row, col) = (at + run, row + 1, 0);
                continue;
            }
            self.scratch.cx[at..at + run].copy_from_slice(&self.frame.columns[col..col + run]);
            self.scratch.cy[at..at + run].fill(self.frame.rows[row]);
            (at, row, col) = (at + run, row + 1, 0);
        }
        // A point that is moved is another one, which certain counts are not of.
        if !self.plan.starts_at_c && !self.plan.settled {
            self.settle_ties(start, len);
        }
        self.scratch.cx[len..].fill(0.0);
        self.scratch.cy[len..].fill(0.0);
        len
    }
}

impl Band<'_> {
    /// Moves coordinates by a last bit where rounding put them on the wrong side of the escape radius.
    #[inline(always)]
    fn settle_ties(&mut self, start: usize, len: usize) {
        for i in 0..len {
            let (x, y) = (self.scratch.cx[i], self.scratch.cy[i]);
            if self.plan.radius.is_tied(x, y) {
                self.settle_tie(start + i, i);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_tie(&mut self, pixel: usize, i: usize) {
        let (width, at) = (self.frame.columns.len(), self.first + pixel);
        if let Some(beyond) = self.frame.starts_beyond(at % width, at / width) {
            let c = [self.scratch.cx[i], self.scratch.cy[i]];
            let [x, y] = self.plan.radius.settled(c, beyond);
            (self.scratch.cx[i], self.scratch.cy[i]) = (x, y);
        }
    }
}
