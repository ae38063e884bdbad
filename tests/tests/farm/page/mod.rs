//! The page that `submitter serve` serves: who may come in, what it computes, and what a browser makes of it.

mod api_page;
mod browser;
mod contract;
mod farm_view;
mod files;
mod handed;
mod hostile_jobs;
mod jobs;
mod leaving;
mod panels;
mod pressure;
mod safety;
mod setup;
mod tiles;
