//! Batch files as they are read, and mistakes in them.

use proptest::prelude::*;

use super::*;

fn lines(text: &str) -> Vec<String> {
    parse(text)
        .unwrap()
        .into_iter()
        .map(|job| job.line)
        .collect()
}

#[test]
fn keys_are_options() {
    let text = "[defaults]\nsize = \"64x48\"\nfresh = true\n\n\
        [[job]]\nre = -0.743643887037158704752191506114774\nim = \"0.1\"\nzoom = 1e40\noutput = [\"a.png\", \"a.exr\"]\n\
        z0 = [-0.5, 1]\n\n[[job]]\nname = \"all\"\nfresh = false\niterations = 1_000\n";
    assert_eq!(
        lines(text),
        [
            "submitter render --fresh --im=0.1 --output=a.png --output=a.exr --re=-0.743643887037158704752191506114774 --size=64x48 --z0 -0.5 1 --zoom=1e40",
            "submitter render --iterations=1000 --size=64x48",
        ]
    );
    let mixed = "[defaults]\nbackend = \"cpu\"\nfps = 10\n[[job]]\n[[job]]\ncommand = \"zoom\"\nkeep = \"k\"\n\
        [[job]]\ncommand = \"colour\"\ndata = \"a.npy\"\noutput = \"b.png\"\n";
    assert_eq!(
        lines(mixed),
        [
            "submitter render --backend=cpu",
            "submitter zoom --backend=cpu --fps=10 --keep=k",
            "submitter colour a.npy --output=b.png",
        ]
    );
    let jobs = parse(mixed).unwrap();
    assert_eq!(jobs[1].keys.outputs(), [PathBuf::from("zoom.mp4")]);
    assert_eq!(jobs[1].keys.folders().0, Some(PathBuf::from("k")));
    let jobs = parse(text).unwrap();
    assert_eq!(jobs[0].name, "job 1, a.png");
    assert_eq!(jobs[1].name, "all");
    assert_eq!(jobs[1].keys.outputs(), [PathBuf::from("mandelbrot.png")]);
}

#[test]
fn mistakes_are_one_line_with_their_place() {
    for (text, says) in [
        ("", "no [[job]]"),
        (
            "[[job]]\nzom = 5\n",
            "job 1 (line 2): 'zom' is no option of render; there is zoom",
        ),
        (
            "[defaults]\npallete = \"magma\"\n[[job]]\n",
            "job 1 (line 2): 'pallete'",
        ),
        ("[[job]]\nxyzzy = 5\n", "'xyzzy' is no option of render"),
        ("[[job]]\nfresh = 1\n", "fresh: give true or false"),
        ("[[job]]\nsize = [\"1x1\"]\n", "size: takes one value"),
        ("[[job]]\nsize = { a = 1 }\n", "size: give a text"),
        ("[[job]]\njson = true\n", "json is an option of the batch"),
        (
            "[[job]]\ncommand = \"jobs\"\n",
            "command 'jobs' is none of render",
        ),
        ("[[job]]\nname = 5\n", "name: give a text"),
        ("[[jobs]]\n", "unknown field `jobs`"),
        ("[[job]]\nsize = \"1x1\nx", "line 3: "),
    ] {
        let error = parse(text).unwrap_err();
        assert!(
            error.contains(says) && !error.contains('\n'),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn what_jobs_compute_with_is_within_limits() {
    let work = |line: &str| {
        let text = format!(
            "[[job]]\ncommand = \"colour\"\ndata = \"a.exr\"\noutput = \"a.png\"\n{line}\n"
        );
        let job = parse(&text).unwrap().remove(0);
        job.keys.work().map(drop)
    };
    assert_eq!(work(""), Ok(()));
    assert_eq!(work("threads = 1024"), Ok(()));
    for wrong in ["threads = 0", "threads = 1025"] {
        let line = "threads: not in 1..=1024".to_owned();
        assert_eq!(work(wrong), Err(line), "{wrong}");
    }
    let auto = parse("[[job]]\narithmetic = \"auto\"\n").unwrap().remove(0);
    assert_eq!(auto.line, "submitter render --arithmetic=auto");
    let settled = parse("[[job]]\ncounts = \"settled\"\n").unwrap().remove(0);
    assert_eq!(settled.line, "submitter render --counts=settled");
    let wrong = parse("[[job]]\ncounts = \"slow\"\n").unwrap_err();
    assert!(wrong.contains("counts: unknown variant"), "{wrong}");
}

proptest! {
    #[test]
    fn no_file_is_too_much(text in "(\\[\\[job\\]\\]\n|\\[defaults\\]\n|[a-z]{1,6} = |[0-9.e-]{1,5}\n|\"\n|.{0,5}){0,12}") {
        if let Err(error) = parse(&text) {
            prop_assert!(!error.contains('\n'), "{error}");
        }
    }
}
