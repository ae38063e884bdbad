//! A farm under the access list that `submitter redis-acl` prints works.

use farm_tests::job::quiet;
use farm_tests::scenes::{LONG, QUICK};
use farm_tests::{Server, folder, submitter};
use rustix::process::Signal;

use super::setup::Farm;

/// How a worker takes its time, so that there is some to do something in the midst of a job.
const STEADY: &str = "--mode slow --secs 0.15";

#[test]
fn a_whole_farm_works_under_its_access_list() {
    let scene = format!("{LONG} --workers 2");
    let expected = quiet(&scene);
    let farm = Farm::start();
    // Before anybody who may send scripts: it says so once, and waits.
    let first = farm.pretend("first", STEADY);
    assert!(first.said().contains("waiting for a submitter"));
    let second = farm.pretend("second", STEADY);
    let running = farm.render(&scene).start();
    let job = farm.server.job();
    let working = |name: &str| {
        let pending = farm.server.pending(&job);
        pending.iter().any(|strip| strip.owner.starts_with(name))
    };
    farm.server
        .until("both work", || working("first") && working("second"));
    (farm.server).ask::<()>(&["HSET", "mf:bad", "other", "1 1 quarantined long ago"]);
    for command in [
        "jobs list",
        "jobs show J --json",
        "jobs pause J",
        "jobs resume J",
        "jobs priority J 2",
        "jobs retry J",
        "workers list",
        "workers forgive other",
    ] {
        farm.operate(&command.replace('J', job.as_str()));
    }
    // One gives back what it has and comes again, one dies.
    first.signal(Signal::TERM);
    assert_eq!(first.wait().code, Some(0));
    let third = farm.pretend("third", STEADY);
    second.signal(Signal::KILL);
    let _ = second.wait();
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    // A job that is interrupted is cleared away.
    let stopped = farm.render(&scene).start();
    let job = farm.server.job();
    farm.server
        .until("it is worked on", || !farm.server.pending(&job).is_empty());
    stopped.signal(Signal::INT);
    assert_eq!(stopped.wait().code, Some(130));
    let cancelled = farm.render(&scene).start();
    farm.operate(&format!("jobs cancel {}", farm.server.job()));
    assert_ne!(cancelled.wait().code, Some(0));
    farm.operate("workers drain third");
    assert_eq!(third.wait().code, Some(0));
    // The dead one's sign of life is left, and the cancelled job's end, and orders that ran out of workers.
    let left = farm.server.keys("*");
    let stays = |key: &&String| {
        key.starts_with("mf:worker")
            || key.ends_with(":state")
            || ["mf:all", "mf:orders"].contains(&key.as_str())
    };
    assert_eq!(left.iter().filter(|key| !stays(key)).count(), 0, "{left:?}");
    farm.assert_nothing_was_refused();
}

#[test]
fn audits_quarantines_and_dead_letters_work_under_it() {
    let scene = format!("{QUICK} --backend cpu --strip-rows 8");
    let expected = quiet(&scene);
    let farm = Farm::start();
    // One that lies is found out, while the job is paused and goes on.
    let faulty = farm.pretend("faulty", "--mode lie");
    let running = farm.render(&format!("{scene} --audit 100")).start();
    let job = farm.server.job();
    farm.server.until_committed(&job, 3);
    let good = farm.pretend("good", STEADY);
    let real = farm.worker("real");
    farm.operate(&format!("jobs pause {job}"));
    farm.operate(&format!("jobs resume {job}"));
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.json()["audited"].as_u64() > Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    let quarantined = || farm.server.ask::<Vec<String>>(&["HKEYS", "mf:bad"]);
    assert_eq!(quarantined(), ["faulty"]);
    farm.operate("workers forgive faulty");
    // It came before anybody who may send scripts, and could not be listed at once.
    farm.server.until("it is listed", || {
        farm.operate("workers list").contains("faulty")
    });
    farm.operate("workers drain faulty");
    assert_eq!(faulty.wait().code, Some(0));
    farm.operate("workers drain real");
    assert_eq!(real.wait().code, Some(0));
    // One that fails where others do not.
    let bad = farm.pretend("bad", "--mode fail");
    let expected = quiet(LONG);
    let done = farm.render(LONG).start().wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    assert_eq!(quarantined(), ["bad"]);
    // Alone it ends the job.
    farm.operate("workers forgive bad");
    farm.operate("workers drain good");
    assert_eq!(good.wait().code, Some(0));
    let scene = format!("{QUICK} --backend cpu --strip-rows 110");
    let failed = farm.render(&scene).start().wait();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("bad: "), "{failed:?}");
    let listed = farm.operate("jobs list --json");
    assert!(listed.contains("failed"), "{listed}");
    farm.operate("workers drain bad");
    assert_eq!(bad.wait().code, Some(0));
    farm.assert_nothing_was_refused();
}

#[test]
fn a_server_that_forgot_the_scripts_is_told_again() {
    let expected = quiet(LONG);
    let farm = Farm::start();
    let mut worker = farm.pretend("worker", STEADY);
    let running = farm.render(LONG).start();
    let job = farm.server.job();
    for _ in 0..3 {
        farm.server.until("a strip is under way", || {
            !farm.server.pending(&job).is_empty()
        });
        farm.server.ask::<()>(&["SCRIPT", "FLUSH"]);
        farm.server.until("they are there again", || {
            let memory: String = farm.server.ask(&["INFO", "memory"]);
            let count = memory.lines().find_map(|line| {
                line.strip_prefix("number_of_cached_scripts:")?
                    .parse::<u32>()
                    .ok()
            });
            count.is_some_and(|count| count > 10)
        });
    }
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    assert!(worker.is_running(), "{}", worker.said());
}

#[test]
fn lines_for_an_access_file_and_placeholders() {
    let printed = submitter("redis-acl --aclfile --worker-user w --submitter-user s").ok();
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert!(lines[0].starts_with("user w reset on #<"), "{printed:?}");
    assert!(lines[1].starts_with("user s reset on #<"), "{printed:?}");
    assert_eq!(
        printed.words().len(),
        2,
        "both are said to lack one: {printed:?}"
    );
    // A server refuses the placeholder, and starts with the file once it is replaced.
    let folder = folder();
    let file = folder.path().join("users.acl");
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let good = printed.stdout.replace("<SHA256-OF-PASSWORD>", hash);
    std::fs::write(&file, format!("user default on nopass ~* &* +@all\n{good}")).expect("a file");
    let server = Server::start_with(&["--aclfile", &file.display().to_string()]);
    let users: Vec<String> = server.ask(&["ACL", "USERS"]);
    assert_eq!(users, ["default", "s", "w"]);
    server
        .ask_as::<String>("w", "secret", &["PING"])
        .expect("its password opens");
    std::fs::write(
        &file,
        format!("user default on nopass ~* &* +@all\n{}", printed.stdout),
    )
    .expect("a file");
    let reload = server.ask_as::<String>("w", "secret", &["PING"]).is_ok();
    assert!(reload, "control: as it was");
    let refused = std::panic::catch_unwind(|| server.ask::<()>(&["ACL", "LOAD"]));
    assert!(refused.is_err(), "placeholders are no hashes");
    for wrong in [
        "--worker-user s --submitter-user s",
        "--worker-user default",
    ] {
        let done = submitter(&format!("redis-acl {wrong}")).run();
        assert_eq!(done.code, Some(2), "{done:?}");
        assert_eq!((done.stdout.as_str(), done.words().len()), ("", 1));
    }
}
