//! The Python package: built as a wheel, installed into a virtual environment of its own, and asked by pytest.

mod environment;
mod package;
mod pages;
