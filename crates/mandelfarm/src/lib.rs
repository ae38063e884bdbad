//! Pictures of the Mandelbrot set, exact at any depth: into memory, into files, or on a farm of workers around a Redis.
//!
//! A request is data: what is drawn. The means say how: into which files, on which farm. Both are empty where nothing is
//! asked for, and what is left out is as the command line has it.
//!
//! ```
//! use mandelfarm::{Event, Made, Means, Measure, PictureRequest, Progress, Silent, Stop, picture};
//!
//! // What is drawn: a place by its centre, and its magnification, to as many digits as it takes.
//! let seahorses = PictureRequest::at("-0.7436438870371587", "0.13182590420531197", "2000")?
//!     .sized(160, 90);
//!
//! // Deeds are async functions, on a runtime of several threads. A `Stop` ends them at any moment.
//! let runtime = tokio::runtime::Runtime::new()?;
//! let stop = Stop::new();
//!
//! // Into memory: the smooth iteration counts of all pixels, row by row, 0 inside.
//! let made = picture(seahorses.clone(), Means::in_memory(), &Silent, &stop);
//! let Made::Rendered(rendered) = runtime.block_on(made)? else { unreachable!() };
//! let whole = rendered.picture.expect("it is kept in memory");
//! let counts = whole.values(Measure::Smooth).expect("they are computed for any picture");
//! assert_eq!(counts.len(), 160 * 90);
//!
//! // The same into files, whose extensions say what they hold, with progress: whoever is told draws it.
//! struct Lines;
//! impl Progress for Lines {
//!     fn tell(&self, event: Event<'_>) {
//!         if let Event::StripsDone(strips) = event {
//!             eprintln!("{strips} strips are done");
//!         }
//!     }
//! }
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("seahorses.png");
//! let made = picture(seahorses.clone(), Means::to_file(&file), &Lines, &stop);
//! runtime.block_on(made)?;
//! assert!(file.is_file());
//!
//! // And on a farm: the means name its Redis, and everything else stays as it is.
//! let on_farm = Means::to_file(&file).on_farm("unix:///nowhere/redis.sock");
//! let failed = runtime.block_on(picture(seahorses, on_farm, &Lines, &stop));
//! assert!(failed.is_err(), "there is no farm at that address");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`picture`], [`sequence`], [`colours`], [`minibrot`], [`tile`]: the deeds
//! - [`PictureRequest`] and its like: what is drawn, as serde data with the names of the command line's options; they may
//!   come from anybody
//! - [`Means`] and their like: files, addresses and programs, which cannot be deserialised
//! - [`plan_picture`], [`plan_sequence`], [`Preview`], [`scheme`]: what a request comes to, before anything is done
//! - [`thumbnail`]: a small picture of a picture's file
//! - [`Picture`]: measures and pixels in memory; [`Progress`]: what becomes known meanwhile; [`Error`]: why there is none
//!
//! Three programs stand in `crates/mandelfarm/examples`.

#![forbid(unsafe_code)]

pub use colour::{Palette, Scheme};
pub use disk::{WriteError, remove_own as remove_unfinished, write_whole};
pub use farm_worker::farm_args::{Environment, FarmArgs};
pub use fractal::{BackendChoice, Decimal, Formula, Measure, Plane};
pub use locations::Location;
pub use pictures::{Channel, Compression, thumbnail};
pub use render::picture::PaintError;
pub use render::plan::JobTerms;
pub use render::{Event, Picture, Progress, Report, Silent, Stop};
pub use requests::perform::colours::{PaintMeans, PaintReport, colours};
pub use requests::perform::minibrot::minibrot;
pub use requests::perform::picture::{Made, PictureReport, Rendered, picture, plan_picture};
pub use requests::perform::preview::Preview;
pub use requests::perform::sequence::{SequenceReport, sequence};
pub use requests::perform::tile::tile;
pub use requests::plan::colours::scheme;
pub use requests::plan::refused::PlanError;
pub use requests::plan::sequence::sequence as plan_sequence;
pub use requests::request::means::{Address, Fallback, JournalMeans};
pub use requests::{
    ColourRequest, Error, ErrorKind, FarmMeans, FormulaRequest, Means, MinibrotRequest,
    PaintRequest, PictureRequest, SequenceMeans, SequenceRequest, Size, TurnRequest, ViewRequest,
};
pub use world::Choice as WorldChoice;
pub use world::error::with_causes;
pub use zoom::sinks::sink::RawStream;
