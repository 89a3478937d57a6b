//! The metrics over HTTP, on a thread of their own.
//!
//! One connection at a time, a few seconds each: whoever reads them comes every few
//! seconds at most, and one that does not read must not hold up anything. The text is
//! made elsewhere ([`Ready`]), so nobody here waits for the analysis, nor it for anybody.

mod address;
mod request;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use address::address;

use self::request::{Asked, MOST_HEAD, answer, read};

/// How often it is looked whether to stop.
const TURN: Duration = Duration::from_millis(100);
/// How long a request may take to come.
const ASKING: Duration = Duration::from_secs(2);
/// How long an answer may take to be read.
const READING: Duration = Duration::from_secs(3);
/// Bytes that are still taken from somebody who was refused, so that he reads why.
const MOST_IGNORED: usize = 256 << 10;

/// A text that one thread replaces and another one reads.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<Mutex<String>>);

impl Ready {
    /// Replaces it.
    pub fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// As it is now.
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A listening socket.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens, which may need privileges that are dropped later. Fails as the system says:
    /// somebody else listens there, or there is no such address.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        // Whoever connects and goes away again must not make it wait.
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// Where it listens; with port 0 the system chose one.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers on a thread of its own until it is stopped. `text` gives the metrics.
    pub fn serve(self, text: impl Fn() -> String + Send + 'static) -> io::Result<Serving> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || self.run(&text, &stopped);
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(run)?;
        Ok(Serving { stop, thread: Some(thread) })
    }

    fn run(&self, text: &impl Fn() -> String, stop: &AtomicBool) {
        let turn = PollTimeout::try_from(TURN).unwrap_or(PollTimeout::ZERO);
        while !stop.load(Ordering::Relaxed) {
            let ready = poll(&mut [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)], turn);
            if ready == Ok(0) {
                continue;
            }
            match self.listener.accept() {
                // Whatever happens to one connection is no trouble of the next one.
                Ok((stream, _)) => _ = talk(&stream, text, stop),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Such as too many open files, which may pass.
                Err(_) => std::thread::sleep(TURN),
            }
        }
    }
}

/// A thread that answers. It stops when this is dropped.
#[derive(Debug)]
pub struct Serving {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads a request and answers it.
fn talk(stream: &TcpStream, text: &impl Fn() -> String, stop: &AtomicBool) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(TURN))?;
    stream.set_write_timeout(Some(TURN))?;
    let asked = listen(stream, stop)?;
    let answer = answer(asked, text);
    let mut rest = answer.as_slice();
    let mut out = stream;
    within(READING, stop, || {
        let written = out.write(rest)?;
        rest = rest.get(written..).unwrap_or_default();
        Ok(written == 0 || rest.is_empty())
    })?;
    stream.shutdown(Shutdown::Write)?;
    if matches!(asked, Asked::Refused(_)) {
        // What was not read would reset the connection before the answer is read.
        let (mut ignored, mut buffer, mut input) = (0, [0; 4 << 10], stream);
        within(ASKING / 4, stop, || {
            let read = input.read(&mut buffer)?;
            ignored += read;
            Ok(read == 0 || ignored >= MOST_IGNORED)
        })?;
    }
    Ok(())
}

/// What is asked for, as far as it came in time.
fn listen(mut stream: &TcpStream, stop: &AtomicBool) -> io::Result<Asked> {
    let (mut head, mut filled) = ([0; MOST_HEAD], 0);
    let mut asked = Asked::More;
    within(ASKING, stop, || {
        let count = stream.read(head.get_mut(filled..).unwrap_or_default())?;
        filled += count;
        asked = read(head.get(..filled).unwrap_or_default());
        if count == 0 && filled == 0 {
            // Gone without a word.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count == 0 || asked != Asked::More)
    })?;
    Ok(asked)
}

/// Repeats a step until it says that it was the last one, or the time is over. Fails where the step does, and
/// when it is to stop; a step that had to wait for a turn is no failure.
fn within(time: Duration, stop: &AtomicBool, mut step: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < time {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match step() {
            Ok(true) => break,
            Ok(false) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
