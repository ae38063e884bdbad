//! What a folder takes for finished, and for its own.

use std::fs;

use colour::Distribution;
use disk::lock::LockError;
use fractal::Measure;

use super::folder::*;
use crate::plan::sequence::KeyFrameSpec;

fn sequence(zoom: &str) -> KeyFrameSpec {
    let number = |text: &str| text.parse().unwrap();
    KeyFrameSpec::new(
        (number("-0.75"), number("0.1")),
        (number("1"), number(zoom)),
        1000,
        256.0,
    )
}

#[test]
fn key_frames_are_finished_when_noted_and_whole() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path(), &sequence("8"), false).unwrap();
    let [smooth, distance] = [Measure::Smooth, Measure::Distance];
    let finished = |build| folder.finished(3, [smooth].into_iter(), build);
    let with_distances = || folder.finished(3, [smooth, distance].into_iter(), None);
    fs::write(folder.key(3, smooth), b"counts").unwrap();
    assert_eq!(finished(None), None);
    let record = folder.note(3, false, 77, 5).unwrap();
    assert_eq!(finished(None), Some(record.clone()));
    assert_eq!(finished(Some(5)), Some(record));
    assert_eq!(finished(Some(6)), None, "of other kernels");
    assert_eq!(with_distances(), None, "it has none");
    fs::write(folder.key(3, distance), b"lengths").unwrap();
    let record = folder.note(3, true, 77, 5).unwrap();
    assert_eq!(with_distances(), Some(record.clone()));
    fs::write(folder.key(3, distance), b"lengthz").unwrap();
    assert_eq!((with_distances(), finished(None)), (None, Some(record)));
    fs::write(folder.key(3, smooth), b"countz").unwrap();
    assert_eq!(finished(None), None);
    fs::write(folder.key(3, smooth), b"counts and more").unwrap();
    assert_eq!(finished(None), None);
    folder.done();
    assert!(place.path().join("key-00003.npy").exists(), "it is kept");
}

#[test]
fn a_changed_bit_is_found_in_every_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path(), &sequence("8"), false).unwrap();
    let [smooth, distance] = [Measure::Smooth, Measure::Distance];
    let measures = || [smooth, distance].into_iter();
    fs::write(folder.key(3, smooth), b"counts").unwrap();
    fs::write(folder.key(3, distance), b"lengths").unwrap();
    folder.note(3, true, 77, 5).unwrap();
    let values = Distribution::of_rows([&[1.5, 2.5][..]]);
    folder.note_values(smooth, &values).unwrap();
    assert!(folder.finished(3, measures(), None).is_some());
    assert!(folder.values(smooth).is_some());
    let mut files = 0;
    for entry in fs::read_dir(place.path()).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let bytes = fs::read(&path).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &changed).unwrap();
            let is_used = match name.to_str().unwrap() {
                SEQUENCE => described(place.path()).is_ok(),
                "values.json" => folder.values(smooth).is_some(),
                _ => folder.finished(3, measures(), None).is_some(),
            };
            assert!(!is_used, "{name:?}");
        }
        files += usize::from(!bytes.is_empty());
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(files, 5, "all but the lock");
    // Whole files in the place of others.
    for (from, to) in [
        ("key-00003.npy", "key-00004.npy"),
        ("key-00003.json", "key-00004.json"),
    ] {
        fs::copy(place.path().join(from), place.path().join(to)).unwrap();
    }
    assert!(folder.finished(4, [smooth].into_iter(), None).is_none());
    drop(folder);
    let other = tempfile::tempdir().unwrap();
    let folder = Folder::open(other.path(), &sequence("16"), false).unwrap();
    for name in ["key-00003.npy", "key-00003.json", "values.json"] {
        fs::copy(place.path().join(name), other.path().join(name)).unwrap();
    }
    assert!(folder.finished(3, [smooth].into_iter(), None).is_none());
    assert!(folder.values(smooth).is_none());
}

#[test]
fn a_folder_is_one_sequence_and_one_process() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("keys");
    let folder = Folder::open(&path, &sequence("8"), false).unwrap();
    let busy = Folder::open(&path, &sequence("8"), false).unwrap_err();
    assert!(matches!(busy, FolderError::Busy(_)));
    drop(folder);
    let other = Folder::open(&path, &sequence("16"), false).unwrap_err();
    assert!(matches!(other, FolderError::Other(_)));
    let begins_later = KeyFrameSpec {
        from: "2".parse().unwrap(),
        ..sequence("8")
    };
    drop(Folder::open(&path, &begins_later, false).unwrap());
    // One that has more serves, one that has less does not.
    let with_distances = KeyFrameSpec {
        distances: true,
        ..sequence("8")
    };
    assert!(with_distances.serves(&sequence("8")) && !sequence("8").serves(&with_distances));
    // One that nobody asked to keep is given up for another, but not what is not its own.
    fs::write(path.join("key-00000.json"), "{}").unwrap();
    fs::write(path.join("mine.txt"), "mine").unwrap();
    let folder = Folder::open(&path, &sequence("16"), true).unwrap();
    assert!(!path.join("key-00000.json").exists());
    folder.done();
    assert!(path.join("mine.txt").exists() && !path.join(SEQUENCE).exists());
}

#[test]
fn a_folder_whose_system_has_no_locks_is_used_without_one() {
    let path = std::path::Path::new("keys");
    let refused = |kind: std::io::ErrorKind| LockError::NoLocks {
        path: path.join("lock"),
        reason: kind.into(),
    };
    // Whatever the system calls it.
    for kind in [
        std::io::ErrorKind::Unsupported,
        std::io::ErrorKind::InvalidInput,
        std::io::ErrorKind::Other,
    ] {
        assert!(lock_if_any(path, Err(refused(kind))).unwrap().is_none());
    }
    let held = lock_if_any(path, Err(LockError::Held(path.join("lock"))));
    assert!(matches!(held, Err(FolderError::Busy(busy)) if busy == path));
}

#[test]
fn what_is_no_folder_of_key_frames_is_one_line() {
    let place = tempfile::tempdir().unwrap();
    let says = |text: Option<&str>| {
        if let Some(text) = text {
            fs::write(place.path().join(SEQUENCE), text).unwrap();
        }
        let error = described(place.path()).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    };
    assert!(says(None).contains("--keep"));
    assert!(says(Some("{}")).contains(SEQUENCE));
    assert!(says(Some("{\"version\":1,\"re\":\"0\"}")).contains("version 1; "));
    assert!(says(Some("[1")).contains(SEQUENCE));
}
