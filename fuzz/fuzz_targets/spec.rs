//! Any bytes into the decoder `spec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farm_model::decoders::probe("spec", bytes));
