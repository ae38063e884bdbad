//! Deep zoom as its users meet it: exact at every depth, on one machine and on a farm, whatever happens to either.

mod counts;
mod farms;
mod limits;
mod minibrots;
mod precision;
mod setup;
