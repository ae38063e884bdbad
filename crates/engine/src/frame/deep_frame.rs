//! What a frame has beyond its own numbers when its pixels are computed as deltas from a reference orbit.

use std::sync::{Arc, OnceLock};

use fractal::{ComplexExp, FloatExp, ReferenceOrbit, reference};

use super::picks::picked;
use super::turned::Cross;
use crate::deep::pairs::{self, PairedTables};
use crate::deep::{BlaTable, JetTable, LossTable, ReturnMap, Stored};

/// What a skipped step may lose at most where counts have to be certain, as a share of z: less than usual, for fewer pixels to
/// go again.
const SETTLED_EPSILON_LOG2: i32 = -50;

/// Tables whose numbers are rounded once.
#[derive(Clone, Debug)]
struct Refined {
    bla: BlaTable,
    jets: JetTable,
    losses: LossTable,
    lows: Arc<[[f64; 2]]>,
}

/// A reference orbit, the deltas of a frame's columns and rows from it, and the blocks of its steps.
#[derive(Clone, Debug)]
pub struct DeepFrame {
    /// The reference orbit.
    pub orbit: Arc<ReferenceOrbit>,
    /// How far each column lies to the right of the reference point; `spec.width` of them.
    pub columns: Vec<FloatExp>,
    /// How far each row lies above the reference point; `spec.height` of them.
    pub rows: Vec<FloatExp>,
    /// Of a turned view, what a sample's column contributes to its imaginary part and its row to its real part.
    pub cross: Option<Cross<FloatExp>>,
    /// Size of a pixel in the plane, the unit of the distance estimate.
    pub pixel_spacing: FloatExp,
    /// See [`fractal::FrameSpec::skip_error_log2`]; less in a wide view, see [`capped`].
    pub epsilon_log2: i32,
    escape_radius: f64,
    c_max: FloatExp,
    // Shared with frames of fewer samples of the same view.
    bla: Arc<OnceLock<BlaTable>>,
    jets: Arc<OnceLock<JetTable>>,
    /// Where counts have to be certain: tables whose numbers are rounded once, and what they lose.
    settled: bool,
    refined: Arc<OnceLock<Refined>>,
    /// What pixels go by whose counts these tables do not tell.
    paired: Arc<OnceLock<Option<PairedTables>>>,
    minibrot: OnceLock<Option<ReturnMap>>,
}

/// A bound of |c| for c among these columns and rows.
pub(super) fn largest_c(columns: &[FloatExp], rows: &[FloatExp]) -> FloatExp {
    let far = |offsets: &[FloatExp]| {
        let ends = [offsets.first(), offsets.last()].into_iter().flatten();
        ends.fold(FloatExp::ZERO, |far, offset| {
            if offset.abs() > far {
                offset.abs()
            } else {
                far
            }
        })
    };
    ComplexExp::new(far(columns), far(rows)).abs()
}

/// `epsilon_log2`, or less where c is so large that a share of it would be more than the rounding of a double: what a
/// skip may cost is 2^-53 at most, for otherwise deltas would be less exact in wide views than plain doubles are.
fn capped(epsilon_log2: i32, c_max: FloatExp) -> i32 {
    if c_max.is_zero() {
        return epsilon_log2;
    }
    let most = i32::try_from(-53 - c_max.exponent()).unwrap_or(i32::MAX);
    let least = *fractal::frame::SKIP_ERRORS_LOG2.start();
    epsilon_log2.min(most.max(least))
}

impl DeepFrame {
    /// A bound of |c| over the frame's samples, c their distance from the reference point.
    #[must_use]
    pub fn c_max(&self) -> FloatExp {
        self.c_max
    }

    /// The blocks of steps that may be skipped in this frame; built when first asked for.
    pub fn bla(&self) -> &BlaTable {
        if self.settled {
            return &self.refined().bla;
        }
        self.bla.get_or_init(|| {
            let epsilon = libm::exp2(f64::from(self.epsilon_log2));
            BlaTable::new(&self.orbit, self.c_max, self.escape_radius, epsilon)
        })
    }

    /// The blocks of steps that may be skipped where z is not as small; built when first asked for.
    pub fn jets(&self) -> &JetTable {
        if self.settled {
            return &self.refined().jets;
        }
        self.jets.get_or_init(|| {
            let epsilon = libm::exp2(f64::from(self.epsilon_log2));
            JetTable::new(&self.orbit, self.c_max, self.escape_radius, epsilon)
        })
    }

    fn refined(&self) -> &Refined {
        self.refined.get_or_init(|| {
            let epsilon = libm::exp2(f64::from(self.epsilon_log2));
            let (orbit, c_max, radius) = (&*self.orbit, self.c_max, self.escape_radius);
            let mut bla = BlaTable::new(orbit, c_max, radius, epsilon);
            let lows = reference::low_parts(orbit, c_max, &mut |_| true);
            let lows = lows.unwrap_or_else(|| vec![[0.0; 2]; orbit.values.len()]);
            let mut losses = LossTable::new(orbit, &lows, &bla, c_max, Stored::Doubles);
            let mut jets = losses.polynomials_of(orbit, c_max, radius, epsilon);
            pairs::refine(&mut bla, &mut jets, orbit, &lows, c_max);
            Refined {
                bla,
                jets,
                losses,
                lows: lows.into(),
            }
        })
    }

    /// What pixels go by whose counts [`DeepFrame::bla`] and [`DeepFrame::jets`] do not tell, if there is that; built when first
    /// asked for.
    pub(crate) fn paired(&self) -> Option<&PairedTables> {
        let new = || {
            let lows = Arc::clone(&self.refined().lows);
            PairedTables::new(&self.orbit, lows, self.c_max, self.escape_radius)
        };
        self.paired.get_or_init(new).as_ref()
    }

    /// What the blocks of [`DeepFrame::bla`] lose, where counts have to be certain; built when first asked for.
    pub fn losses(&self) -> &LossTable {
        if self.settled {
            &self.refined().losses
        } else {
            LossTable::NONE
        }
    }

    /// The return map of the minibrot in this frame, if there is one to be seen and orbits of `limit` steps return so
    /// often that it helps; made when first asked for.
    pub fn minibrot(&self, limit: u64) -> Option<&ReturnMap> {
        /// Fewest returns.
        const WORTHWHILE: u64 = 2;
        if limit / self.orbit.steps().max(1) < WORTHWHILE {
            return None;
        }
        let new = || ReturnMap::new(&self.orbit, self.bla(), self.c_max, self.pixel_spacing);
        self.minibrot.get_or_init(new).as_ref()
    }

    /// Whether the reference orbit meets the escape radius, as good as exactly.
    pub(crate) fn meets_radius(&self) -> bool {
        /// Share of R² by which |Z|² may be off it.
        const NEAR: f64 = 1.0 / (1u64 << 20) as f64;
        let limit = self.escape_radius * self.escape_radius;
        let near = |[x, y]: &[f64; 2]| (x.mul_add(*x, y * y) - limit).abs() <= NEAR * limit;
        self.orbit.values.iter().any(near)
    }

    /// How far a sample lies from the reference point.
    #[must_use]
    #[inline]
    pub fn at(&self, col: usize, row: usize) -> ComplexExp {
        let (re, im) = (self.columns[col], self.rows[row]);
        match &self.cross {
            None => ComplexExp::new(re, im),
            Some(cross) => cross.at(re, im, col, row),
        }
    }

    /// Of a turned view.
    pub(super) fn turned(self, cross: Option<Cross<FloatExp>>) -> Self {
        let Some(cross) = cross else {
            return self;
        };
        let c_max = cross.c_max(&self.columns, &self.rows);
        Self {
            c_max,
            epsilon_log2: capped(self.epsilon_log2, c_max),
            cross: Some(cross),
            ..self
        }
    }

    /// The same for counts that have to be certain.
    pub(super) fn settled(self) -> Self {
        let epsilon_log2 = self.epsilon_log2.min(SETTLED_EPSILON_LOG2);
        Self {
            settled: true,
            epsilon_log2,
            ..self
        }
    }

    /// From its parts, of an upright view.
    #[must_use]
    pub fn new(
        orbit: Arc<ReferenceOrbit>,
        columns: Vec<FloatExp>,
        rows: Vec<FloatExp>,
        pixel_spacing: FloatExp,
        escape_radius: f64,
        epsilon_log2: i32,
    ) -> Self {
        let c_max = largest_c(&columns, &rows);
        Self {
            c_max,
            orbit,
            columns,
            rows,
            cross: None,
            pixel_spacing,
            epsilon_log2: capped(epsilon_log2, c_max),
            escape_radius,
            bla: Arc::default(),
            jets: Arc::default(),
            settled: false,
            refined: Arc::default(),
            paired: Arc::default(),
            minibrot: OnceLock::new(),
        }
    }

    /// Some of its columns and rows. Blocks of steps are the same ones, and are built once for both.
    pub(super) fn thinned(&self, width: u32, height: u32) -> Self {
        Self {
            orbit: Arc::clone(&self.orbit),
            columns: picked(&self.columns, width),
            rows: picked(&self.rows, height),
            cross: (self.cross.as_ref()).map(|cross| cross.thinned(width, height)),
            bla: Arc::clone(&self.bla),
            jets: Arc::clone(&self.jets),
            refined: Arc::clone(&self.refined),
            paired: Arc::clone(&self.paired),
            minibrot: OnceLock::new(),
            ..*self
        }
    }
}
