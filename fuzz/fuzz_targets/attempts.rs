//! Any bytes into the decoder `attempts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farm_model::decoders::probe("attempts", bytes));
