//! Reference orbits that are kept from tile to tile.

use std::collections::VecDeque;

use farm_queue::SharedOrbit;
use fractal::reference::{OrbitEnd, ReferencePoint};
use fractal::{FloatExp, FrameSpec, MeasureSet};

use crate::plan::{ArithmeticPlan, RenderPlan};

/// Most views whose reference is kept.
const MOST_VIEWS: usize = 6;
/// Most values of all kept orbits together, but for the latest: 16 bytes each, and up to 64 with what devices make of them.
const MOST_VALUES: u64 = 1 << 23;
/// How many bits a kept orbit may lack of those that a view's own would have: that many of its guard bits.
const LACKING_BITS: u32 = 40;
/// log2 of how many times farther the orbit's point may lie from the view's samples than they do from its middle.
const FAR_LOG2: i64 = 20;

/// What was found for a view.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Its orbit; `None` where pixels are iterated plainly.
    pub orbit: Option<SharedOrbit>,
}

impl Reference {
    /// The period of its orbit, where that has one.
    #[must_use]
    pub fn period(&self) -> Option<u64> {
        let orbit = &self.orbit.as_ref()?.orbit;
        (orbit.end == OrbitEnd::Period).then(|| orbit.steps())
    }

    fn values(&self) -> u64 {
        (self.orbit.as_ref()).map_or(0, |shared| shared.orbit.steps())
    }
}

/// The references of the latest views, the latest first.
#[derive(Debug, Default)]
pub struct References {
    list: VecDeque<(FrameSpec, ArithmeticPlan, Reference)>,
}

/// A frame without what does not decide its orbit.
fn bare(frame: &FrameSpec) -> FrameSpec {
    FrameSpec {
        measures: MeasureSet::default(),
        ..frame.clone()
    }
}

impl References {
    /// The reference of exactly this view: the one that a render of it has.
    pub fn own(&mut self, plan: &RenderPlan) -> Option<Reference> {
        let frame = bare(&plan.frame);
        let is_its = |(other, arithmetic, _): &(FrameSpec, ArithmeticPlan, _)| {
            *other == frame && *arithmetic == plan.arithmetic
        };
        let at = self.list.iter().position(is_its)?;
        let found = self.list.remove(at)?;
        self.list.push_front(found);
        self.list.front().map(|(.., reference)| reference.clone())
    }

    /// One that is good enough to look at this view by, the nearest in time.
    pub fn near(&self, plan: &RenderPlan) -> Option<Reference> {
        let frame = &plan.frame;
        let middle = ReferencePoint::middle_of(frame).reach(frame);
        let most = middle * FloatExp::new(1.0, FAR_LOG2);
        let bits = ReferencePoint::bits_for(frame);
        let is_near = |(of, _, reference): &&(FrameSpec, ArithmeticPlan, Reference)| {
            let Some(shared) = &reference.orbit else {
                return false;
            };
            let point = &shared.orbit.point;
            of.escape_radius == frame.escape_radius
                && of.z0 == frame.z0
                && of.formula == frame.formula
                && of.julia == frame.julia
                && point.bits.saturating_add(LACKING_BITS) >= bits
                && point.reach(frame).log2() <= most.log2()
        };
        self.list
            .iter()
            .find(is_near)
            .map(|(.., reference)| reference.clone())
    }

    /// Keeps the reference of a view.
    pub fn keep(&mut self, plan: &RenderPlan, reference: Reference) {
        let frame = bare(&plan.frame);
        self.list.push_front((frame, plan.arithmetic, reference));
        let values = |list: &VecDeque<(FrameSpec, ArithmeticPlan, Reference)>| -> u64 {
            list.iter().skip(1).map(|(.., one)| one.values()).sum()
        };
        while self.list.len() > MOST_VIEWS || values(&self.list) > MOST_VALUES {
            self.list.pop_back();
        }
    }
}
