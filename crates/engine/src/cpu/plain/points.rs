//! Orbits in memory, on their way into lanes and out of them.

use super::orbits::Orbits;
use crate::cpu::simd::Simd;

/// Pixels whose first steps are made together, before the survivors go to the lanes: a multiple of every
/// instance's lanes, small enough that all of it stays in the first-level cache.
pub(super) const CHUNK: usize = 480;
/// Bits of a meta word that hold the pixel's index within its band; the step, or the lane's age, is above.
pub(super) const INDEX_BITS: u32 = 20;
/// Mask of a meta word's index.
pub(super) const INDEX: u64 = (1 << INDEX_BITS) - 1;
/// Most lanes of an instance.
pub(super) const MAX_GROUP: usize = 64;
/// Most orbits that [`Points`] hold.
const ROOM: usize = CHUNK;
/// A value of each of them, and room behind the last one, so that a whole vector may be loaded or stored
/// there.
type Column = [f64; ROOM + 8];

/// Orbits in memory, one after the other: those waiting for a lane, or for their escape to be traced.
#[derive(Debug)]
pub(in crate::cpu) struct Points {
    x: Column,
    y: Column,
    dx: Column,
    dy: Column,
    cx: Column,
    cy: Column,
    off2: Column,
    meta: Column,
    head: usize,
    end: usize,
}

impl Points {
    /// None yet.
    pub(super) fn new() -> Box<Self> {
        let none = [0.0; ROOM + 8];
        Box::new(Self {
            x: none,
            y: none,
            dx: none,
            dy: none,
            cx: none,
            cy: none,
            off2: none,
            meta: none,
            head: 0,
            end: 0,
        })
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.end - self.head
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.end == self.head
    }

    pub(super) fn clear(&mut self) {
        (self.head, self.end) = (0, 0);
    }

    /// Appends the lanes whose bit is set.
    #[inline(always)]
    pub(super) fn push<S: Simd, const D: bool, const E: bool>(
        &mut self,
        s: S,
        bits: u32,
        z: &Orbits<S>,
        meta: S::V,
    ) {
        let at = self.end;
        assert!(at <= ROOM); // once, for all the slices
        s.store(&mut self.x[at..], s.compress(bits, z.x));
        s.store(&mut self.y[at..], s.compress(bits, z.y));
        s.store(&mut self.cx[at..], s.compress(bits, z.cx));
        s.store(&mut self.cy[at..], s.compress(bits, z.cy));
        s.store(&mut self.meta[at..], s.compress(bits, meta));
        if D {
            s.store(&mut self.dx[at..], s.compress(bits, z.dx));
            s.store(&mut self.dy[at..], s.compress(bits, z.dy));
        }
        if E {
            s.store(&mut self.off2[at..], s.compress(bits, z.off2));
        }
        self.end += bits.count_ones() as usize;
    }

    /// The vector of orbits and metas that starts `offset` behind the first one; past the last one it
    /// holds leftovers.
    #[inline(always)]
    pub(super) fn peek<S: Simd, const D: bool, const E: bool>(
        &self,
        s: S,
        offset: usize,
    ) -> (Orbits<S>, S::V) {
        let at = self.head + offset;
        assert!(at <= ROOM); // once, for all the slices
        let x = s.load(&self.x[at..]);
        let orbits = Orbits {
            x,
            y: s.load(&self.y[at..]),
            dx: if D { s.load(&self.dx[at..]) } else { x },
            dy: if D { s.load(&self.dy[at..]) } else { x },
            cx: s.load(&self.cx[at..]),
            cy: s.load(&self.cy[at..]),
            off2: if E { s.load(&self.off2[at..]) } else { x },
        };
        (orbits, s.load(&self.meta[at..]))
    }

    /// Drops the first `count`.
    #[inline(always)]
    pub(super) fn drop_front(&mut self, count: usize) {
        self.head += count;
    }

    /// Moves what is left, less than a vector, to the front.
    #[inline(always)]
    pub(super) fn rewind<S: Simd, const D: bool, const E: bool>(&mut self, s: S) {
        let (rest, len) = (self.peek::<S, D, E>(s, 0), self.len());
        debug_assert!(len < S::LANES);
        self.clear();
        self.push::<S, D, E>(s, (1 << S::LANES) - 1, &rest.0, rest.1);
        self.end = len;
    }
}
