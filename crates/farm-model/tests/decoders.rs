//! Every decoder on its corpus, on damaged seeds and on any bytes: it accepts or refuses, and does not break.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use farm_model::decoders::ALL;
use proptest::prelude::*;

/// Where the fuzzer keeps what it starts from.
fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn seeds_are_accepted() {
    for decoder in &ALL {
        let seeds = (decoder.seeds)();
        assert!(!seeds.is_empty());
        let accepted = seeds.iter().filter(|seed| (decoder.probe)(seed)).count();
        // Of texts that cannot be wrong, one names nobody.
        let refused = usize::from(decoder.name == "attempts");
        assert!(accepted + refused >= seeds.len(), "{}", decoder.name);
    }
}

#[test]
fn the_corpus_is_survived() {
    const MOST_BYTES: u64 = 512 << 10;
    for decoder in &ALL {
        let files = files(&corpus(decoder.name));
        assert!(files.len() >= (decoder.seeds)().len(), "{}", decoder.name);
        let mut total = 0;
        for file in files {
            let bytes = fs::read(&file).unwrap();
            total += bytes.len() as u64;
            (decoder.probe)(&bytes);
        }
        assert!(total < MOST_BYTES, "{}: {total} bytes", decoder.name);
    }
}

#[test]
fn every_decoder_has_a_target() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let targets: BTreeSet<String> = (files(&targets).iter())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for decoder in &ALL {
        assert!(targets.contains(decoder.name), "{}", decoder.name);
    }
}

/// Writes what the fuzzer starts from: `cargo test -p farm-model --test decoders -- --ignored`.
#[test]
#[ignore = "writes into the repository"]
fn write_the_seeds() {
    for decoder in &ALL {
        let folder = corpus(decoder.name);
        fs::create_dir_all(&folder).unwrap();
        for (at, seed) in (decoder.seeds)().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{at}")), seed).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for decoder in &ALL {
            (decoder.probe)(&bytes);
        }
    }

    #[test]
    fn damaged_seeds_are_survived(
        which: usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        for decoder in &ALL {
            let seeds = (decoder.seeds)();
            let mut bytes = seeds[which % seeds.len()].clone();
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] ^= value;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(&more);
            (decoder.probe)(&bytes);
        }
    }
}
