//! Devices that hang, crawl or wait for each other.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use farm_queue::{JobQueue, Order};
use farm_worker::EndReason;

use crate::setup::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_that_hangs_is_given_to_others_and_the_device_rests_until_it_ends() {
    let (queue, job) = queued(20).await;
    let (hangs, done) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    let (still, counted) = (Arc::clone(&hangs), Arc::clone(&done));
    // Hears no cancel while it hangs.
    let bad = Fake::new(move |_| {
        while still.load(Ordering::SeqCst) {
            std::thread::sleep(STEP);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let bad = start(queue.as_worker("bad"), bad);
    until("both of its turns hang", || {
        bad.figure("farm_worker_strips_in_hand") == 2.0
    })
    .await;
    let good = start(queue.as_worker("good"), Fake::new(|_| Ok(())));
    let strips = collected(&queue, &job).await;
    assert!(strips.iter().all(|(_, worker, _)| worker == "good"));
    let again = strips
        .iter()
        .filter(|(_, _, attempt)| *attempt == 2)
        .count();
    assert_eq!(again, 2, "{strips:?}");
    assert_eq!(
        bad.figure("farm_worker_strips_total{outcome=\"failed\"}"),
        2.0
    );
    assert_eq!(bad.figure("farm_worker_hung_computations"), 2.0);
    assert_eq!(good.figure("farm_worker_retries_total"), 2.0);
    good.stop().await;
    // More work: it is left alone by who hangs, and taken by who has recovered.
    hangs.store(false, Ordering::SeqCst);
    until("it has ended what hung", || {
        bad.figure("farm_worker_hung_computations") == 0.0
    })
    .await;
    assert_eq!(done.load(Ordering::SeqCst), 2);
    let second = crate::setup::job(3);
    queue.create(Arc::clone(&second)).await.unwrap();
    let orders: Vec<Order> = second.strips.strips().map(Order::from).collect();
    queue.enqueue(&second.id, &orders).await.unwrap();
    let strips = collected(&queue, &second).await;
    assert!(
        strips
            .iter()
            .all(|(_, worker, attempt)| worker == "bad" && *attempt == 1)
    );
    assert_eq!(bad.stop().await.ended, EndReason::Told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_devices_all_hang_ends() {
    let (queue, _) = queued(20).await;
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let mut worker = start(
        queue.as_worker("bad"),
        Fake::new(move |_| {
            while still.load(Ordering::SeqCst) {
                std::thread::sleep(STEP);
            }
            Ok(())
        }),
    );
    let done = tokio::time::timeout(PATIENCE, &mut worker.done).await;
    // Before anything is asserted: the test's end would wait for it.
    hangs.store(false, Ordering::SeqCst);
    let done = done.expect("it ends by itself").unwrap();
    assert!(
        matches!(done.ended, EndReason::Hung(hung) if hung >= TIMEOUT),
        "{done:?}"
    );
    assert_eq!((done.figures.strips, done.figures.failed), (0, 2));
    assert_eq!(worker.figure("farm_worker_up"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_one_device_that_works_goes_on() {
    let (queue, job) = queued(40).await;
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let mut devices = Fake::new(move |_| {
        while still.load(Ordering::SeqCst) {
            std::thread::sleep(STEP);
        }
        Ok(())
    });
    // Slow enough for the other one to get its share.
    devices.extend(Fake::new(|progress| {
        for _ in 0..5 {
            std::thread::sleep(STEP);
            progress.step();
        }
        Ok(())
    }));
    let worker = start(queue.as_worker("half"), devices);
    let strips = collected(&queue, &job).await;
    assert_eq!(
        strips
            .iter()
            .filter(|(_, _, attempt)| *attempt == 2)
            .count(),
        2
    );
    // As long as it takes a worker without any to end.
    tokio::time::sleep(2 * TIMEOUT).await;
    assert!(!worker.done.is_finished());
    hangs.store(false, Ordering::SeqCst);
    assert_eq!(worker.stop().await.ended, EndReason::Told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_strip_that_moves_is_left_to_its_device() {
    let (queue, job) = queued(2).await;
    let worker = start(
        queue.as_worker("slow"),
        Fake::new(|progress| {
            let began = Instant::now();
            while began.elapsed() < 3 * TIMEOUT {
                std::thread::sleep(STEP);
                progress.step();
            }
            Ok(())
        }),
    );
    let strips = collected(&queue, &job).await;
    assert!(
        strips.iter().all(|(_, _, attempt)| *attempt == 1),
        "{strips:?}"
    );
    assert_eq!(worker.stop().await.figures.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_that_waits_for_its_device_is_not_taken_for_hung() {
    let (queue, job) = queued(4).await;
    // One at a time, as on a processor whose threads all work on the first: the second stands still meanwhile.
    let turn = Mutex::new(());
    let worker = start(
        queue.as_worker("one"),
        Fake::new(move |progress| {
            let _turn = turn.lock();
            let began = Instant::now();
            while began.elapsed() < 2 * TIMEOUT {
                std::thread::sleep(STEP);
                progress.step();
            }
            Ok(())
        }),
    );
    let strips = collected(&queue, &job).await;
    assert!(
        strips.iter().all(|(_, _, attempt)| *attempt == 1),
        "{strips:?}"
    );
    assert_eq!(worker.stop().await.figures.failed, 0);
}
