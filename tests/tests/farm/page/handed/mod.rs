//! Jobs that are handed over where it is hard: on a disk that fills up, and over TLS.

mod full_disk;
mod over_tls;
