//! Numbers, views, strips and the exact oracle of a Mandelbrot picture.
//!
//! This crate says *what* is computed and nothing of how or where: it is pure, does no I/O, starts no
//! threads (but those that help to compute a deep reference orbit) and knows no device. Everything above it (`shaders`,
//! `engine`, `farm-queue`, the programs) speaks in its types.
//!
//! - [`decimal`]: coordinates as typed, with any number of digits, never through `f64` first
//! - [`digits`]: how many of them a view needs
//! - [`view`]: where in the plane a picture lies, and its grid
//! - [`transform`]: how it is turned and stretched
//! - [`axis`]: the exact coordinate of every column and row
//! - [`floatexp`]: doubles with an exponent of their own
//! - [`reference`](mod@reference): reference orbits of deep views
//! - [`formula`](mod@formula): what is iterated
//! - [`frame`]: the complete mathematical description of one picture
//! - [`strip`]: full-width bands of rows, the unit of work
//! - [`measure`]: what a pixel carries; [`smooth`]: the formulas of its smooth count and distance
//! - [`arithmetic`]: number types of kernels, and which views each is precise enough for
//! - [`counts`]: how counts are made, and what it took to settle them
//! - [`buffer`]: a computed strip
//! - [`locate`]: minibrots in a view
//! - [`threads`]: how many of them a process may use
//! - [`exact`](mod@exact): samples by fractions, where an orbit meets the escape radius
//! - [`settled`]: the count of one sample for certain
//! - [`oracle`]: exact iteration counts in big integers, which every kernel is tested against

#![forbid(unsafe_code)]

pub mod exact;
pub mod formula;
pub mod locate;
pub mod numbers;
pub mod oracle;
pub mod picture;
pub mod plane;
pub mod reference;
pub mod settled;
pub mod threads;

pub use numbers::{count, decimal, floatexp};
pub use picture::{arithmetic, buffer, counts, frame, measure, smooth, strip, values};
pub use plane::{axis, digits, transform, view};

pub use arithmetic::{Arithmetic, Backend, BackendChoice};
pub use axis::Axis;
pub use buffer::{Origin, StripBuffer};
pub use counts::{Counts, Settling};
pub use decimal::Decimal;
pub use floatexp::{ComplexExp, FloatExp};
pub use formula::Formula;
pub use frame::{FrameError, FrameSpec, SKIP_ERROR_LOG2};
pub use measure::{Measure, MeasureSet, ValueType};
pub use reference::{ReferenceOrbit, ReferencePoint};
pub use strip::{Strip, StripPlan};
pub use transform::Transform;
pub use values::{Plane, Value, Values};
pub use view::{Grid, View, ViewError};
