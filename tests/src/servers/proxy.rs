//! A bad network: a relay between a program and its server that can be told, at any time, how to misbehave.
//!
//! One relay stands before one server; a test gives each program one of its own, so that one program's
//! network can be ill while the others' are well. Two threads carry each connection, one a direction; what
//! they have in hand is bounded by [`CHUNK`].

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// Most bytes that a direction has in hand.
const CHUNK: usize = 64 << 10;
/// Longest time that a slow connection sleeps before it looks whether it is to be slow still.
const NAP: Duration = Duration::from_millis(100);
/// Most connections that are carried at once; more are refused.
const MOST_LINKS: usize = 256;

/// What a relay does with the connections through it, those that there are and those that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// All is well.
    Pass,
    /// All connections are closed, and new ones at once.
    Cut,
    /// All connections are reset once (RST instead of an orderly end), then all is well.
    Reset,
    /// Answers vanish without a word: what the program sends arrives, what the server says does not.
    /// A connection that lost bytes stays silent for ever, as behind a router that forgot it.
    Deaf,
    /// Bytes vanish in both directions without a word; for ever, as with [`Network::Deaf`].
    Hole,
    /// Few bytes a second in each direction, and each chunk of them late.
    Slow {
        /// Bytes a second.
        rate: u32,
        /// How late.
        late: Duration,
    },
    /// Each connection is closed after it has carried so many bytes, both directions together.
    Limit(u64),
}

/// A relay that stops, and whose connections end, on drop.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: AtomicU16,
    network: Mutex<Network>,
    links: Mutex<Vec<Arc<Link>>>,
    accepted: AtomicU64,
    ended: AtomicBool,
}

/// One connection.
#[derive(Debug)]
struct Link {
    program: TcpStream,
    server: TcpStream,
    network: Mutex<Network>,
    /// Bytes carried under the present orders.
    carried: AtomicU64,
    /// Whether bytes were lost on it.
    spoiled: AtomicBool,
    ended: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// A relay to the server on a loopback port, which need not be there yet.
    ///
    /// # Panics
    /// When the system gives no port or thread.
    #[must_use]
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            server: AtomicU16::new(server),
            network: Mutex::new(Network::Pass),
            links: Mutex::default(),
            accepted: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            named("proxy-accept", move || accept(&listener, &shared))
        };
        Self {
            shared,
            port,
            accepting: Some(accepting),
        }
    }

    /// Its address, as programs take it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on it leads to the server on another loopback port, as a name does that was given to another machine:
    /// connections that there are stay as they are.
    pub fn lead_to(&self, server: u16) {
        self.shared.server.store(server, Ordering::Relaxed);
    }

    /// From now on the network is so, for the connections that there are and for new ones.
    pub fn set(&self, network: Network) {
        *lock(&self.shared.network) = match network {
            Network::Reset => Network::Pass,
            lasting => lasting,
        };
        let mut links = lock(&self.shared.links);
        links.iter().for_each(|link| link.obey(network));
        // Those that ended are let go of here, too: the last one to do so closes the sockets.
        links.retain(|link| !link.ended.load(Ordering::Relaxed));
    }

    /// From now on the network is so for one of the connections that there are, counted from the oldest
    /// and around; new ones are as they were. False when there is none.
    pub fn set_one(&self, number: usize, network: Network) -> bool {
        let mut links = lock(&self.shared.links);
        links.retain(|link| !link.ended.load(Ordering::Relaxed));
        let count = links.len();
        if count > 0 {
            links[number % count].obey(network);
            links.retain(|link| !link.ended.load(Ordering::Relaxed));
        }
        count > 0
    }

    /// Connections that were opened through it so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Connections through it now.
    #[must_use]
    pub fn open(&self) -> usize {
        let links = lock(&self.shared.links);
        let open = |link: &&Arc<Link>| !link.ended.load(Ordering::Relaxed);
        links.iter().filter(open).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.set(Network::Cut);
        // Its own connection wakes the thread that waits for one.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.set(Network::Cut);
    }
}

fn named(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .expect("a thread")
}

fn accept(listener: &TcpListener, shared: &Shared) {
    while let Ok((program, _)) = listener.accept() {
        if shared.ended.load(Ordering::Relaxed) {
            return;
        }
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        let mut links = lock(&shared.links);
        links.retain(|link| !link.ended.load(Ordering::Relaxed));
        let network = *lock(&shared.network);
        if network == Network::Cut || links.len() >= MOST_LINKS {
            continue;
        }
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, shared.server.load(Ordering::Relaxed));
        // Without a server the program's connection ends, too.
        let Ok(server) = TcpStream::connect(address) else {
            continue;
        };
        // A chunk is a packet here; nobody waits for another one to fill it.
        let _ = (program.set_nodelay(true), server.set_nodelay(true));
        let link = Arc::new(Link {
            program,
            server,
            network: Mutex::new(network),
            carried: AtomicU64::new(0),
            spoiled: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        links.push(Arc::clone(&link));
        let back = Arc::clone(&link);
        named("proxy-up", move || {
            link.carry(&link.program, &link.server, false);
        });
        named("proxy-down", move || {
            back.carry(&back.server, &back.program, true);
        });
    }
}

/// What is to be done with a chunk.
enum ChunkFate {
    Pass,
    Vanish,
    End,
}

impl Link {
    fn obey(&self, network: Network) {
        *lock(&self.network) = network;
        self.carried.store(0, Ordering::Relaxed);
        match network {
            Network::Cut => self.end(),
            Network::Reset => {
                // The last one to let go of a socket resets it then. Only the readers here are woken: an
                // orderly end must not be sent before.
                for socket in [&self.program, &self.server] {
                    let _ = set_socket_linger(socket, Some(Duration::ZERO));
                }
                self.ended.store(true, Ordering::Relaxed);
                for socket in [&self.program, &self.server] {
                    let _ = socket.shutdown(Shutdown::Read);
                }
            }
            _ => {}
        }
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        for socket in [&self.program, &self.server] {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Carries one direction until it ends.
    fn carry(&self, mut from: &TcpStream, mut to: &TcpStream, is_answer: bool) {
        let mut chunk = vec![0; CHUNK];
        loop {
            let most = match *lock(&self.network) {
                // A tenth of a second's worth, so that rates are kept and changes are seen.
                Network::Slow { rate, .. } => (rate as usize / 10).clamp(1, CHUNK),
                _ => CHUNK,
            };
            let length = match from.read(&mut chunk[..most]) {
                Ok(length @ 1..) => length,
                _ => break,
            };
            match self.fate(length, is_answer) {
                ChunkFate::Pass if to.write_all(&chunk[..length]).is_ok() => {}
                ChunkFate::Vanish => {}
                ChunkFate::Pass | ChunkFate::End => break,
            }
        }
        // After a reset the sockets are let go of as they are.
        if *lock(&self.network) != Network::Reset {
            self.end();
        }
    }

    fn fate(&self, length: usize, is_answer: bool) -> ChunkFate {
        let network = *lock(&self.network);
        let carried = self.carried.fetch_add(length as u64, Ordering::Relaxed) + length as u64;
        if self.ended.load(Ordering::Relaxed) {
            return ChunkFate::End;
        }
        match network {
            Network::Hole => self.spoiled.store(true, Ordering::Relaxed),
            Network::Deaf if is_answer => self.spoiled.store(true, Ordering::Relaxed),
            // What the program says still arrives.
            Network::Deaf => return ChunkFate::Pass,
            Network::Limit(most) if carried > most => return ChunkFate::End,
            Network::Slow { rate, late } => {
                let due =
                    late + Duration::from_secs(1).mul_f64(length as f64 / f64::from(rate.max(1)));
                self.sleep(due, network);
            }
            _ => {}
        }
        if self.spoiled.load(Ordering::Relaxed) {
            ChunkFate::Vanish
        } else {
            ChunkFate::Pass
        }
    }

    /// Sleeps for so long, or until the orders change.
    fn sleep(&self, mut left: Duration, orders: Network) {
        while !left.is_zero() && *lock(&self.network) == orders {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::time::Instant;

    /// A server that says everything back, on as many connections as come.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        named("echo", move || {
            while let Ok((mut socket, _)) = listener.accept() {
                named("echo-one", move || {
                    let mut chunk = [0; 4096];
                    while let Ok(length @ 1..) = socket.read(&mut chunk) {
                        if socket.write_all(&chunk[..length]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        port
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        let patience = Some(Duration::from_millis(300));
        socket.set_read_timeout(patience).unwrap();
        socket
    }

    /// What comes back of some bytes.
    fn said(mut socket: &TcpStream, bytes: &[u8]) -> std::io::Result<usize> {
        socket.write_all(bytes)?;
        socket.read(&mut vec![0; bytes.len()])
    }

    #[test]
    fn passes_and_cuts() {
        let proxy = Proxy::start(echo());
        let socket = connect(&proxy);
        assert_eq!(said(&socket, b"hello").unwrap(), 5);
        proxy.set(Network::Cut);
        assert!(matches!(said(&socket, b"hello"), Ok(0) | Err(_)));
        assert!(matches!(said(&connect(&proxy), b"hello"), Ok(0) | Err(_)));
        proxy.set(Network::Pass);
        assert_eq!(said(&connect(&proxy), b"hello").unwrap(), 5);
        assert_eq!(proxy.accepted(), 3);
    }

    #[test]
    fn resets_are_no_orderly_ends() {
        let proxy = Proxy::start(echo());
        let mut socket = connect(&proxy);
        assert_eq!(said(&socket, b"hello").unwrap(), 5);
        proxy.set(Network::Reset);
        let error = socket.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(said(&connect(&proxy), b"hello").unwrap(), 5);
    }

    #[test]
    fn swallows_answers_in_silence_and_for_ever() {
        for network in [Network::Deaf, Network::Hole] {
            let proxy = Proxy::start(echo());
            let socket = connect(&proxy);
            assert_eq!(said(&socket, b"hello").unwrap(), 5);
            proxy.set(network);
            let error = said(&socket, b"hello").unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            );
            proxy.set(Network::Pass);
            assert!(said(&socket, b"hello").is_err(), "bytes are missing in it");
            assert_eq!(said(&connect(&proxy), b"hello").unwrap(), 5);
        }
    }

    #[test]
    fn slows_down_and_ends_after_its_limit() {
        let proxy = Proxy::start(echo());
        let late = Duration::from_millis(50);
        proxy.set(Network::Slow { rate: 1000, late });
        let socket = connect(&proxy);
        let started = Instant::now();
        assert_eq!(said(&socket, &[7; 50]).unwrap(), 50);
        assert!(started.elapsed() >= 4 * late, "{:?}", started.elapsed());
        proxy.set(Network::Limit(8));
        assert_eq!(said(&socket, b"abcd").unwrap(), 4);
        assert!(matches!(said(&socket, b"abcd"), Ok(0) | Err(_)));
    }

    #[test]
    fn new_connections_lead_elsewhere() {
        let proxy = Proxy::start(echo());
        let old = connect(&proxy);
        assert_eq!(said(&old, b"hello").unwrap(), 5);
        let nowhere = TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.lead_to(nowhere.local_addr().unwrap().port());
        assert!(said(&connect(&proxy), b"hello").is_err(), "nobody answers");
        assert_eq!(said(&old, b"hello").unwrap(), 5);
    }

    #[test]
    fn one_connection_of_several() {
        let proxy = Proxy::start(echo());
        let (ill, well) = (connect(&proxy), connect(&proxy));
        for socket in [&ill, &well] {
            assert_eq!(said(socket, b"hello").unwrap(), 5);
        }
        assert!(proxy.set_one(0, Network::Cut));
        assert!(matches!(said(&ill, b"hello"), Ok(0) | Err(_)));
        assert_eq!(said(&well, b"hello").unwrap(), 5);
        assert_eq!(proxy.open(), 1);
    }
}
