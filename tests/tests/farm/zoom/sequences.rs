//! Zoom sequences through the real programs: videos that ffprobe understands, frames that are what a direct render
//! shows, key frames that are computed once.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm_tests::pictures::Png;
use farm_tests::programs::Run;
use farm_tests::similarity::{averaged, ssim};
use farm_tests::{Finished, Server, Worker, digest, folder, names_in, submitter};
use rustix::process::Signal;

/// A place whose neighbourhood is full of detail, from views that are iterated plainly to deltas.
const PLACE: &str = "--re -0.10109636384562 --im 0.95628651080914 --iterations 1000";
/// The colours of all that is compared.
const COLOURS: &str = "--palette plasma --mapping log --colour-range 8 400";
/// A short sequence, quickly made, to a zoom of 6e6.
fn short() -> String {
    short_to("6e6", 500)
}

/// The same to another zoom.
fn short_to(zoom: &str, iterations: u32) -> String {
    format!(
        "zoom --re -0.7436438870371587 --im 0.13182590420531197 --from 50 --size 96x54 --fps 10 --backend cpu \
         --to {zoom} --iterations {iterations}"
    )
}

const FOREVER: Duration = Duration::from_secs(60);

/// What ffprobe says of a video's one stream, by its names.
fn probed(path: &Path) -> serde_json::Value {
    let done = Run::any("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-show_streams",
            "-show_format",
            "-of",
            "json",
        ])
        .arg(path)
        .ok();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn figure(done: &Finished, name: &str) -> f64 {
    done.json()[name]
        .as_f64()
        .unwrap_or_else(|| panic!("no {name}: {done:?}"))
}

fn digests(path: &Path) -> Vec<u64> {
    let names = names_in(path)
        .into_iter()
        .filter(|name| name.ends_with(".png"));
    names.map(|name| digest(path.join(name))).collect()
}

#[test]
fn videos_have_the_frames_size_rate_and_duration_that_were_asked_for() {
    let place = folder();
    for (file, codec, more) in [
        ("a.mp4", "h264", ""),
        (
            "a.mkv",
            "h264",
            "--ease 1 --rotate 30 --encoder-option preset=ultrafast",
        ),
        (
            "a.webm",
            "vp9",
            "--reverse --encoder-option deadline=realtime --encoder-option cpu-used=8",
        ),
    ] {
        let line = format!(
            "zoom -q --json {PLACE} --from 1 --to 16 --size 128x72 --fps 12.5 -o {file} {more}"
        );
        let done = submitter(&line).within(place.path()).ok();
        // Four octaves at a second each; an easing at both ends takes half of each more.
        let frames = if more.contains("ease") { 63 } else { 50 };
        assert_eq!(figure(&done, "frames"), f64::from(frames), "{done:?}");
        let probed = probed(&place.path().join(file));
        let stream = &probed["streams"][0];
        assert_eq!(probed["streams"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            stream["nb_read_frames"],
            frames.to_string().as_str(),
            "{file}"
        );
        assert_eq!(
            (&stream["width"], &stream["height"]),
            (&128.into(), &72.into())
        );
        assert_eq!(stream["avg_frame_rate"], "25/2", "{file}");
        assert_eq!(stream["codec_name"], codec);
        assert_eq!(
            (&stream["pix_fmt"], &stream["color_space"]),
            (&"yuv420p".into(), &"bt709".into())
        );
        let duration: f64 = probed["format"]["duration"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            (duration - f64::from(frames) / 12.5).abs() < 0.09,
            "{file}: {duration}"
        );
    }
    assert_eq!(
        names_in(place.path()),
        ["a.mkv", "a.mp4", "a.webm"],
        "nothing else is left"
    );
}

#[test]
fn frames_are_what_direct_renders_show() {
    const SIZE: (usize, usize) = (320, 180);
    const FINER: usize = 4;
    let place = folder();
    let line = format!(
        "zoom -q --json {PLACE} {COLOURS} --from 2e3 --to 1.024e6 --size {}x{} --fps 30 --backend cpu -o frames/%d.png",
        SIZE.0, SIZE.1
    );
    let done = submitter(&line).within(place.path()).ok();
    assert_eq!(figure(&done, "frames"), 270.0);
    assert!(figure(&done, "times_less") > 14.0, "{done:?}");
    let frame = |number: usize| Png::read(place.path().join(format!("frames/{number}.png")));
    // Times by a fixed seed: a linear congruential generator (Knuth's MMIX).
    let mut seed = 20_260_u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % 270
    };
    let mut sum = 0.0;
    const TIMES: usize = 6;
    for _ in 0..TIMES {
        let number = random();
        let zoom = 2e3 * (9.0 * number as f64 / 269.0).exp2();
        let line = format!(
            "render -q {PLACE} {COLOURS} --zoom {zoom} --size {}x{} --backend cpu --no-journal -o direct.png",
            SIZE.0 * FINER,
            SIZE.1 * FINER
        );
        submitter(&line).within(place.path()).ok();
        let direct = averaged(&Png::read(place.path().join("direct.png")), FINER);
        let alike = ssim(&frame(number), &direct);
        eprintln!("frame {number}: {alike:.4}");
        assert!(alike > 0.96, "frame {number}: {alike}");
        sum += alike;
        // Control: another time is another picture.
        let other = ssim(&frame((number + 60) % 270), &direct);
        assert!(other < alike - 0.03, "frame {number}: {other}");
    }
    assert!(sum / TIMES as f64 >= 0.98, "{}", sum / TIMES as f64);
    // No step from frame to frame is unlike those beside it: key frames are those at 60, 90 and 120, nearly.
    let steps: Vec<f64> = (50..130)
        .map(|at| ssim(&frame(at), &frame(at + 1)))
        .collect();
    for (at, three) in (51..).zip(steps.windows(3)) {
        let beside = three[0].min(three[2]);
        assert!(
            three[1] > beside - 0.01,
            "a jump after frame {at}: {three:?}"
        );
    }
    // Control: two steps at once are one.
    let usual = steps[14..16].iter().copied().fold(1.0, f64::min);
    assert!(ssim(&frame(65), &frame(67)) < usual - 0.01);
}

#[test]
fn a_killed_sequence_goes_on_and_has_the_same_bytes() {
    let whole = folder();
    let line = format!("{} -q --json -o x.mp4", short());
    let done = submitter(&line).within(whole.path()).ok();
    let keys = figure(&done, "key_frames");
    assert_eq!(figure(&done, "key_frames_made"), keys);
    let place = folder();
    let finished = || -> usize {
        let keys = place.path().join("x.mp4.keys");
        let records = |name: &String| name.starts_with("key-") && name.ends_with(".json");
        if keys.exists() {
            names_in(&keys).iter().filter(|name| records(name)).count()
        } else {
            0
        }
    };
    for wanted in [2, 9] {
        let running = submitter(&line).within(place.path()).start();
        let started = Instant::now();
        while finished() < wanted {
            assert!(started.elapsed() < FOREVER, "{}", running.said());
            std::thread::sleep(Duration::from_millis(2));
        }
        running.signal(Signal::KILL);
        let _ = running.wait();
        assert!(!place.path().join("x.mp4").exists());
    }
    // One that was written wrongly, and one whose record tells of another.
    let broken = place.path().join("x.mp4.keys").join("key-00017.npy");
    let mut bytes = std::fs::read(&broken).expect("the first key frame");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&broken, bytes).expect("written");
    let there = finished() as f64 - 1.0;
    let again = submitter(&line).within(place.path()).ok();
    assert_eq!(figure(&again, "key_frames_made"), keys - there, "{again:?}");
    assert_eq!(
        digest(place.path().join("x.mp4")),
        digest(whole.path().join("x.mp4"))
    );
    assert_eq!(
        names_in(place.path()),
        ["x.mp4"],
        "key frames and parts are gone"
    );
}

#[test]
fn kept_key_frames_take_other_colours_pace_and_size_without_computing() {
    let place = folder();
    let line = format!("{} -q --json --keep keys -o frames/%03d.png", short());
    let first = submitter(&line).within(place.path()).ok();
    let frames = digests(&place.path().join("frames"));
    assert_eq!(frames.len() as f64, figure(&first, "frames"));
    let reuse = |more: &str| {
        // Nobody is at that address: it is not even asked.
        let line = format!("zoom -q --json --reuse keys --redis redis://127.0.0.1:1 {more}");
        let done = submitter(&line).within(place.path()).ok();
        assert_eq!(figure(&done, "key_frames_made"), 0.0, "{done:?}");
        assert_eq!(figure(&done, "iterations_total"), 0.0, "{done:?}");
        assert!(figure(&done, "iterations_keys") > 0.0);
        done
    };
    reuse("--fps 10 -o same/%03d.png");
    assert_eq!(digests(&place.path().join("same")), frames);
    reuse("--fps 10 --palette magma -o magma/%03d.png");
    let magma = digests(&place.path().join("magma"));
    assert_eq!(magma.len(), frames.len());
    assert!(magma.iter().zip(&frames).all(|(a, b)| a != b));
    reuse("--fps 10 --reverse -o back/%03d.png");
    let mut back = digests(&place.path().join("back"));
    back.reverse();
    assert_eq!(back, frames);
    let fast = reuse(
        "--fps 20 --seconds-per-octave 0.2 --size 48x27 --from 100 --to 3e5 -o fast/%03d.png",
    );
    assert_eq!(figure(&fast, "frames"), (3e3f64.log2() * 4.0).round());
    let picture = Png::read(place.path().join("fast/000.png"));
    assert_eq!((picture.width, picture.height), (48, 27));
    // What they do not show is refused.
    for (more, says) in [
        ("--size 192x54", "show more"),
        ("--to 1e9", "deeper"),
        ("--rotate 45", "show more"),
    ] {
        let refused = submitter(&format!("zoom -q --reuse keys -o x.mp4 {more}"))
            .within(place.path())
            .run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
    let other = submitter(&format!("{} -q --keep keys -o x.mp4", short_to("6e6", 600)))
        .within(place.path())
        .run();
    assert!(
        other.code != Some(0) && other.stderr.contains("another sequence"),
        "{other:?}"
    );
}

#[test]
fn a_missing_ffmpeg_or_encoder_is_one_line_before_any_work() {
    let place = folder();
    for (more, says) in [
        (
            "--ffmpeg no-such-program",
            "'no-such-program' cannot be run",
        ),
        ("--encoder libnone", "no encoder libnone"),
        ("--ffmpeg true", "no encoder libx264"),
    ] {
        let ended = submitter(&format!("{} -o x.mp4 {more}", short()))
            .within(place.path())
            .run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains(says) && ended.stderr.lines().count() == 1,
            "{ended:?}"
        );
        assert_eq!(names_in(place.path()), [""; 0], "nothing was begun");
    }
    // Pictures need none.
    submitter(&format!(
        "{} -q --ffmpeg no-such-program -o %d.png",
        short_to("100", 500)
    ))
    .within(place.path())
    .ok();
}

#[test]
fn an_encoder_that_fails_ends_the_sequence_with_its_words() {
    let place = folder();
    let ended = submitter(&format!(
        "{} -q -o x.mp4 --encoder-option preset=none",
        short()
    ))
    .within(place.path())
    .run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("ffmpeg failed") && ended.stderr.contains("preset"),
        "{ended:?}"
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(
        names_in(place.path())
            .iter()
            .all(|name| name == "x.mp4.keys"),
        "no part is left"
    );
}

#[test]
fn a_farm_makes_the_same_frames_though_a_worker_is_killed() {
    let place = folder();
    submitter(&format!("{} -q -o alone/%03d.png", short()))
        .within(place.path())
        .ok();
    let server = Server::start();
    let mut workers = Worker::crew(&server, 2);
    let line = format!(
        "{} -q --json -o farm/%03d.png --redis {}",
        short(),
        server.url()
    );
    let running = submitter(&line).within(place.path()).start();
    let keys = place.path().join("farm/%03d.png.keys");
    let started = Instant::now();
    while !keys.exists()
        || names_in(&keys)
            .iter()
            .filter(|name| name.ends_with("npy"))
            .count()
            < 3
    {
        assert!(started.elapsed() < FOREVER, "{}", running.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = workers.pop().expect("a worker").into_running();
    killed.signal(Signal::KILL);
    let _ = killed.wait();
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    let [alone, farm] = ["alone", "farm"].map(|name| digests(&place.path().join(name)));
    assert!(!alone.is_empty());
    assert_eq!(alone, farm);
    assert_eq!(server.job_keys(), [""; 0], "nothing is left on the queue");
}

#[test]
fn an_interrupted_sequence_says_how_to_go_on_and_raw_frames_go_to_stdout() {
    let place = folder();
    let running = submitter(&format!("{} -o x.mp4", short_to("6e6", 20_000)))
        .within(place.path())
        .start();
    let keys: PathBuf = place.path().join("x.mp4.keys");
    let started = Instant::now();
    while !keys.join("key-00017.json").exists() {
        assert!(started.elapsed() < FOREVER, "{}", running.said());
        std::thread::sleep(Duration::from_millis(2));
    }
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(
        ended.stderr.contains("x.mp4.keys") && ended.stderr.contains("goes on"),
        "{ended:?}"
    );
    assert_eq!(names_in(place.path()), ["x.mp4.keys"]);
    let raw = submitter(&format!("{} -q -o -", short_to("100", 500)))
        .under("sh", &["-c", "\"$0\" \"$@\" | wc -c"])
        .ok();
    assert_eq!(raw.stdout.trim(), (10 * 96 * 54 * 3).to_string());
}
