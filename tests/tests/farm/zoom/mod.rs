//! Zoom sequences: frames, videos, colours, and where they are made.

mod colours;
mod places;
mod sequences;
mod videos;
