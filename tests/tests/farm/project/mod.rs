//! The project itself: rules of its house, pages whose commands are run, and files for deployment.

mod book;
mod deployment;
mod house;
mod lan;
mod library;
mod notebook_page;
mod pages;
