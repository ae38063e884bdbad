//! The farm as its users meet it: one binary, one module a subject.
//!
//! Every comparison has a control beside it that shows that it can fail.

mod farm {
    mod access;
    mod again;
    mod bad_input;
    mod batch;
    mod colour;
    mod deep;
    mod deployment;
    mod faults;
    mod files;
    mod hostile;
    mod house;
    mod identity;
    mod interrupts;
    mod lan;
    mod lines;
    mod load;
    mod main_job;
    mod matrix;
    mod measures;
    mod memory;
    mod notebook;
    mod notebook_page;
    mod operate;
    mod oracle;
    mod others;
    mod palettes;
    mod precision;
    mod progress;
    mod resume;
    mod scale;
    mod security;
    mod sentinels;
    mod terminal;
    mod turned;
    mod valkey;
    mod videos;
    mod words;
    mod worker;
    mod worlds;
    mod worlds_apart;
    mod zoom;
    mod zoom_colours;
    mod zoom_places;
}
