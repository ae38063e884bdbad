//! The farm as its users meet it: one binary, a folder a subject.
//!
//! Every comparison has a control beside it that shows that it can fail.

mod colours;
mod deep;
mod failures;
mod files;
mod formulas;
mod networks;
mod operators;
mod page;
mod pictures;
mod project;
mod protection;
mod python;
mod zoom;
