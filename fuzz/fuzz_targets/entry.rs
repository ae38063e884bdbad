//! Any bytes into the decoder `entry`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farm_model::decoders::probe("entry", bytes));
