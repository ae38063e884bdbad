//! How often a submitter waits for the server: on a long way that is what a short job costs.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use farm_queue::redis::RedisJobQueue;
use farm_queue::{JobQueue, Order};

use crate::setup::samples;
use crate::setup::server::{Server, Transport};

/// A relay to a server that counts how often programs speak after they have heard something: their round trips.
struct Relay {
    port: u16,
    trips: Arc<AtomicU64>,
}

impl Relay {
    fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trips = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&trips);
        named("relay", move || {
            while let Ok((program, _)) = listener.accept() {
                let server = TcpStream::connect(&server).unwrap();
                let has_heard = Arc::new(Mutex::new(true));
                let ends = [&program, &server].map(|socket| socket.try_clone().unwrap());
                let [back, to] = ends;
                let (heard, trips) = (Arc::clone(&has_heard), Arc::clone(&counted));
                carry(program, to, move || {
                    if std::mem::take(&mut *heard.lock().unwrap()) {
                        trips.fetch_add(1, Ordering::SeqCst);
                    }
                });
                carry(server, back, move || *has_heard.lock().unwrap() = true);
            }
        });
        Self { port, trips }
    }

    /// Round trips since it was last asked.
    fn trips(&self) -> u64 {
        self.trips.swap(0, Ordering::SeqCst)
    }
}

fn named(name: &str, body: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(body).expect("a thread");
}

/// Carries what `from` says to `to`, telling of each piece before it is passed on.
fn carry(mut from: TcpStream, mut to: TcpStream, tell: impl Fn() + Send + 'static) {
    named("relay-way", move || {
        let mut piece = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            tell();
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_begun_and_ended_in_a_few_round_trips() {
    let server = Server::start_with(Transport::Tcp, &[]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    let relay = Relay::start(address);
    // Somebody was here before: the server knows the scripts.
    let other = RedisJobQueue::connect(server.url()).await.unwrap();
    let job = samples::job(6);
    other.create(Arc::clone(&job)).await.unwrap();
    other.finish(&job.id).await.unwrap();

    // On a busy machine one more each: where a second has passed, a submitter asks whether the scripts are known still.
    let url = format!("redis://127.0.0.1:{}", relay.port);
    let queue = RedisJobQueue::connect(url.as_str()).await.unwrap();
    // One asks whether the server is fit, one which scripts it knows.
    let connecting = relay.trips();
    assert!((1..=3).contains(&connecting), "{connecting} to connect");

    let job = samples::job(6);
    queue.create(Arc::clone(&job)).await.unwrap();
    // All of it in one, beside a look at what others left.
    let creating = relay.trips();
    assert!((1..=4).contains(&creating), "{creating} to create a job");

    let orders: Vec<Order> = job.strips.strips().map(Order::from).collect();
    queue.enqueue(&job.id, &orders).await.unwrap();
    let queueing = relay.trips();
    assert!(
        (1..=2).contains(&queueing),
        "{queueing} to queue its strips"
    );

    queue.finish(&job.id).await.unwrap();
    // And one that looks whether the server is fit still.
    let ending = relay.trips();
    assert!((1..=3).contains(&ending), "{ending} to end it");
    assert_eq!(
        server.keys("*"),
        Vec::<String>::new(),
        "nothing is left behind"
    );
}
