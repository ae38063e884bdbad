//! A worker whose devices hang, crawl, wait for each other or break: what it does with their strips.

mod ends;
mod hangs;
mod setup;
