//! A link of given speed and delay in front of a registry on plain HTTP: what a pull takes over a network, tried for real on
//! loopback.
//!
//! Every byte passes a queue that lets so many through per second, shared by all connections in a direction, and is handed
//! on half a round trip later. A new connection costs a round trip more, as its handshake would. Deliberately not here: slow
//! start, loss, and anything else of TCP's own; a real link is never faster than this one.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use crate::clock::Stopwatch;
use results::first_use::Link;

/// What is passed on at once: the payload of some Ethernet frames, so that a slow link delivers evenly.
const CHUNK_BYTES: usize = 4 * 1448;
/// Chunks that may be under way in one direction of a connection: more than a link of a gigabit per second holds in 20 ms.
const UNDER_WAY: usize = 1024;

/// A link that takes connections. It ends, with all of them, when this value is dropped.
#[derive(Debug)]
pub struct Limiter {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What passed a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes from the registry, headers included.
    pub down_bytes: u64,
    /// Bytes to it.
    pub up_bytes: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Round trips that had to be waited for one after the other: opening a connection, or asking for something, while no
    /// other answer was awaited.
    pub round_trips: u64,
}

#[derive(Debug)]
struct Shared {
    registry: SocketAddr,
    link: Link,
    clock: Stopwatch,
    stopped: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    passed: Passed,
    /// When the link has sent all that it was given: down, up.
    free: [Duration; 2],
    /// Connections that wait for an answer.
    awaited: u64,
    open: Vec<TcpStream>,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

impl Limiter {
    /// Opens a link to a registry on any free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port or no thread to be had.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start(registry: SocketAddr, link: Link) -> anyhow::Result<Self> {
        let context = "can not listen on a port of 127.0.0.1 for a link of given speed";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(context)?;
        let address = listener.local_addr().context(context)?;
        let shared = Arc::new(Shared {
            registry,
            link,
            clock: Stopwatch::start(),
            stopped: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let taking = Arc::clone(&shared);
        let thread = thread("link", move || take(&listener, &taking))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What passed since the last time that this was asked.
    pub fn take_passed(&self) -> Passed {
        std::mem::take(&mut self.shared.state().passed)
    }
}

impl Drop for Limiter {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Whoever waits for connections sees the wish with the next one.
        let woken = TcpStream::connect(self.address);
        for stream in self.shared.state().open.drain(..) {
            // One that the other side has closed already is an error, and closed.
            stream.shutdown(Shutdown::Both).unwrap_or_default();
        }
        if woken.is_ok() && self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            crate::console::note("a link of given speed ended with a panic, see above");
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn round_trip(&self) -> Duration {
        Duration::from_millis(u64::from(self.link.round_trip_ms))
    }

    /// When so many bytes that are given to the link now have arrived on its other side.
    fn arrival(&self, bytes: usize, way: Way) -> Duration {
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / (f64::from(self.link.mbit_per_s) * 1e6));
        let now = self.clock.elapsed();
        let mut state = self.state();
        let free = &mut state.free[way as usize];
        *free = now.max(*free) + takes;
        *free + self.round_trip() / 2
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).context("can not start a thread")
}

fn take(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let connected = stream.context("a link can not take a connection").and_then(|stream| connect(stream, shared));
        if let Err(error) = connected {
            crate::console::note(format_args!("{error:#}"));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn connect(client: TcpStream, shared: &Arc<Shared>) -> anyhow::Result<()> {
    let registry = TcpStream::connect(shared.registry).context("a link can not reach its registry")?;
    for stream in [&client, &registry] {
        stream.set_nodelay(true)?;
    }
    let mut state = shared.state();
    state.passed.connections += 1;
    state.passed.round_trips += u64::from(state.awaited == 0);
    state.open.extend([client.try_clone()?, registry.try_clone()?]);
    drop(state);
    let conversation = Arc::new(Conversation::default());
    // The handshake of a real link would have taken a round trip before the first byte.
    let opened = shared.clock.elapsed() + shared.round_trip();
    pass([client.try_clone()?, registry.try_clone()?], (Way::Up, opened), shared, &conversation)?;
    pass([registry, client], (Way::Down, Duration::ZERO), shared, &conversation)
}

/// Whether an answer is awaited on one connection.
#[derive(Debug, Default)]
struct Conversation {
    awaits: AtomicBool,
}

/// Passes bytes from one stream to the other: one thread takes them, another hands them on when they have arrived.
fn pass(
    [from, to]: [TcpStream; 2],
    (way, opened): (Way, Duration),
    shared: &Arc<Shared>,
    conversation: &Arc<Conversation>,
) -> anyhow::Result<()> {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    let (taking, conversation) = (Arc::clone(shared), Arc::clone(conversation));
    thread("link-in", move || read(from, &sender, (way, opened), &taking, &conversation))?;
    let clock = shared.clock;
    thread("link-out", move || write(to, &receiver, clock)).map(drop)
}

type Chunk = (Duration, Vec<u8>);

fn read(
    mut from: TcpStream,
    sender: &SyncSender<Chunk>,
    (way, opened): (Way, Duration),
    shared: &Shared,
    conversation: &Conversation,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        count_passed(count as u64, way, shared, conversation);
        let arrival = shared.arrival(count, way).max(opened + shared.round_trip() / 2);
        if sender.send((arrival, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    if conversation.awaits.swap(false, Ordering::SeqCst) && way == Way::Down {
        shared.state().awaited -= 1;
    }
}

/// The first bytes upwards after an answer are a question, and the first ones downwards its answer.
fn count_passed(count: u64, way: Way, shared: &Shared, conversation: &Conversation) {
    let mut state = shared.state();
    match way {
        Way::Up => {
            state.passed.up_bytes += count;
            if !conversation.awaits.swap(true, Ordering::SeqCst) {
                state.passed.round_trips += u64::from(state.awaited == 0);
                state.awaited += 1;
            }
        }
        Way::Down => {
            state.passed.down_bytes += count;
            if conversation.awaits.swap(false, Ordering::SeqCst) {
                state.awaited -= 1;
            }
        }
    }
}

fn write(mut to: TcpStream, receiver: &Receiver<Chunk>, clock: Stopwatch) {
    while let Ok((arrival, bytes)) = receiver.recv() {
        if let Some(left) = arrival.checked_sub(clock.elapsed()) {
            std::thread::sleep(left);
        }
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    to.shutdown(Shutdown::Write).unwrap_or_default();
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test of the door")]
mod tests {
    use super::*;

    /// Answers each byte that it is sent with so many others, on as many connections as come.
    fn server(answer_bytes: usize) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                std::thread::spawn(move || {
                    let mut question = [0];
                    while stream.read_exact(&mut question).is_ok() && stream.write_all(&vec![7; answer_bytes]).is_ok() {
                    }
                });
            }
        });
        address
    }

    fn ask(stream: &mut TcpStream, answer_bytes: usize) {
        stream.write_all(&[1]).unwrap();
        let mut answer = vec![0; answer_bytes];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn bytes_take_what_the_speed_says_at_least_and_come_out_as_they_went_in() {
        let link = Link { mbit_per_s: 10, round_trip_ms: 0 };
        let limiter = Limiter::start(server(100_000), link).unwrap();
        let clock = Stopwatch::start();
        ask(&mut TcpStream::connect(limiter.address()).unwrap(), 100_000);
        assert!(clock.elapsed() >= Duration::from_millis(80), "{:?}", clock.elapsed());
        let passed = limiter.take_passed();
        assert_eq!((passed.down_bytes, passed.up_bytes, passed.connections), (100_000, 1, 1));
        assert_eq!(limiter.take_passed(), Passed::default());
    }

    #[test]
    fn two_connections_share_the_link() {
        let link = Link { mbit_per_s: 10, round_trip_ms: 0 };
        let limiter = Limiter::start(server(50_000), link).unwrap();
        let clock = Stopwatch::start();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| ask(&mut TcpStream::connect(limiter.address()).unwrap(), 50_000));
            }
        });
        assert!(clock.elapsed() >= Duration::from_millis(80), "{:?}", clock.elapsed());
        assert_eq!(limiter.take_passed().connections, 2);
    }

    #[test]
    fn opening_and_each_question_cost_a_round_trip() {
        let link = Link { mbit_per_s: 1000, round_trip_ms: 30 };
        let limiter = Limiter::start(server(1), link).unwrap();
        let clock = Stopwatch::start();
        let mut stream = TcpStream::connect(limiter.address()).unwrap();
        ask(&mut stream, 1);
        ask(&mut stream, 1);
        assert!(clock.elapsed() >= Duration::from_millis(90), "{:?}", clock.elapsed());
        assert_eq!(limiter.take_passed().round_trips, 3);
    }

    #[test]
    fn it_is_gone_after_the_drop() {
        let limiter = Limiter::start(server(1), Link { mbit_per_s: 1, round_trip_ms: 0 }).unwrap();
        let address = limiter.address();
        let idle = TcpStream::connect(address).unwrap();
        drop(limiter);
        assert!(TcpStream::connect(address).is_err());
        drop(idle);
    }
}
