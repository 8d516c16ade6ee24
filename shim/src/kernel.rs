//! System calls that neither the standard library nor rustix offers in a safe form, and nothing else: what they are
//! for is said where they are called.
//!
//! The only module of this crate that is allowed `unsafe`.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::File;
use std::io::{Error, Result, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::thread::UnshareFlags;

/// `KEYCTL_JOIN_SESSION_KEYRING` of `linux/keyctl.h`.
const JOIN_SESSION_KEYRING: libc::c_long = 1;

/// `MOUNT_ATTR_RDONLY` of `linux/mount.h`.
const MOUNT_READ_ONLY: u64 = 1;

/// `struct mount_attr` of `linux/mount.h`.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// A second mount of this one file, read-only, that is in no mount namespace: nobody can remount it (Linux 5.12).
pub fn read_only_mount(file: &CStr) -> Result<OwnedFd> {
    let tree = open_tree(rustix::fs::CWD, file, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    let attributes = MountAttributes { set: MOUNT_READ_ONLY, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path is an empty C string, the attributes live until the call returns, and the size is theirs.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    check(result).map(|()| tree)
}

/// Leaves the session keyring for a new one, which children inherit.
pub fn join_new_session_keyring() -> Result<()> {
    // SAFETY: a null name asks for an anonymous keyring; nothing of this process's memory is passed.
    check(unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) })
}

/// Moves this process, which must have one thread, into new namespaces.
pub fn leave_namespaces(kinds: UnshareFlags) -> Result<()> {
    debug_assert!(!kinds.contains(UnshareFlags::FILES));
    // SAFETY: unsafe only for `FILES`, which no caller passes.
    unsafe { rustix::thread::unshare_unsafe(kinds) }.map_err(Error::from)
}

/// Brings the loopback interface of this process's network up. The kernel gives it its addresses.
pub fn bring_loopback_up() -> Result<()> {
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    // SAFETY: all zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
        *place = byte.cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or_default();
    // SAFETY: the request is a complete `ifreq`, which this call only reads.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }.into())
}

/// Closes every descriptor of this process from `first` on, but those that `keep` wants, which is asked for the
/// numbers below `limit` only.
///
/// The caller must see to it that nobody uses a closed number again: values that own one must never be dropped.
pub fn close_descriptors(first: RawFd, limit: RawFd, keep: impl Fn(BorrowedFd<'_>) -> bool) -> Result<()> {
    let mut start = first;
    for number in first..limit {
        // SAFETY: borrowed for one question about a number that may be open or not: both have an answer.
        if keep(unsafe { BorrowedFd::borrow_raw(number) }) {
            close_range(start, number - 1)?;
            start = number + 1;
        }
    }
    close_range(start, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: no memory is passed. What it means for owners of descriptors is said at `close_descriptors`.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) })
}

/// What a file holds, as numbers that this process, its children and whoever reads the file share. Mapped for good.
///
/// # Errors
/// The file is shorter, or can not be mapped.
pub fn shared_numbers(file: &File, bytes: usize) -> Result<&'static [AtomicU64]> {
    if file.metadata()?.len() < bytes as u64 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    // SAFETY: the kernel chooses the place, which is nobody's before. It is never unmapped, begins at a page, and is only
    // ever read and written as atomic numbers, for which any bytes are a value.
    unsafe {
        let (access, sharing) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        let place = libc::mmap(std::ptr::null_mut(), bytes, access, sharing, file.as_raw_fd(), 0);
        if place == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        Ok(std::slice::from_raw_parts(place.cast(), bytes / size_of::<AtomicU64>()))
    }
}

/// A file in memory that holds `contents`; its descriptor is closed on exec.
///
/// # Errors
/// There is no memory, or no descriptor, for it.
pub fn memory_file(name: &CStr, contents: &[u8]) -> Result<File> {
    // SAFETY: the name is a C string; the descriptor is new and owned by nobody else.
    let mut file = unsafe {
        let descriptor = libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC);
        check(descriptor.into())?;
        File::from_raw_fd(descriptor)
    };
    file.write_all(contents)?;
    Ok(file)
}

/// Replaces the environment of this process.
///
/// Only for a process with one thread: the zygote.
pub fn replace_environment<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) {
    let present: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    for name in present {
        // SAFETY: no other thread reads the environment.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in variables {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Another descriptor for what this one refers to.
///
/// # Errors
/// There is no such descriptor, or there are too many.
pub fn duplicate(descriptor: RawFd) -> Result<OwnedFd> {
    // SAFETY: the new descriptor is owned by nobody else.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3);
        check(copy.into())?;
        Ok(OwnedFd::from_raw_fd(copy))
    }
}

/// Lets the programs that this process executes find, under this number, what `descriptor` refers to. What was open under
/// it is closed.
///
/// # Errors
/// There is no such descriptor, or no such number.
pub fn hand_on(descriptor: BorrowedFd<'_>, number: RawFd) -> Result<()> {
    if descriptor.as_raw_fd() == number {
        // `dup2` would do nothing, and leave it to be closed when a program is executed.
        return Ok(rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty())?);
    }
    // SAFETY: no memory is passed. Called by a process that has just begun, where nothing owns the number.
    check(unsafe { libc::dup2(descriptor.as_raw_fd(), number) }.into())
}

/// Has every signal that this process ignores end it as usual, but for SIGPIPE, which runc's containers ignore too. What is
/// ignored is inherited by every program that is executed: below a containerd that somebody started with `nohup`, containers
/// would not hear a hangup.
///
/// # Errors
/// A signal can not be asked for or set.
pub fn heed_signals() -> Result<()> {
    for signal in (1..=31).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGPIPE].contains(signal)) {
        // SAFETY: `sigaction` is plain data for which zero is a value; the kernel writes it, and reads only one that it wrote.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            check(libc::sigaction(signal, std::ptr::null(), &raw mut action).into())?;
            if action.sa_sigaction == libc::SIG_IGN {
                action.sa_sigaction = libc::SIG_DFL;
                check(libc::sigaction(signal, &raw const action, std::ptr::null_mut()).into())?;
            }
        }
    }
    Ok(())
}

/// Makes one of the standard streams refer to what `descriptor` refers to.
///
/// # Errors
/// There is no such descriptor.
pub fn replace(stream: Stream, descriptor: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: changes only what one of the streams 0 and 1 refers to. The container's process has no other
    // thread that uses them.
    check(unsafe { libc::dup2(descriptor.as_raw_fd(), stream as RawFd) }.into())
}

/// A standard stream that can be replaced.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// What the container reads.
    Stdin = libc::STDIN_FILENO as isize,
    /// What the container writes.
    Stdout = libc::STDOUT_FILENO as isize,
}

/// The time-out, in milliseconds, with which the library's client of containerd looks for an answer, for as long as it is
/// connected: 100 times a second (`ClientConnection::ready` of ttrpc 0.8). Nothing depends on its end: it looks again.
const LIBRARY_LOOKS: libc::c_int = 10;

/// The process whose `poll` that is. Those that are forked from it have an engine, which calls `poll` too.
static LIBRARYS_PROCESS: AtomicU32 = AtomicU32::new(0);

/// Lets the library's client of containerd, which this process has, sleep until there is an answer.
pub fn let_library_sleep() {
    LIBRARYS_PROCESS.store(std::process::id(), Ordering::Relaxed);
}

/// The C library's `poll`: where the library would look again it waits until there is something.
///
/// # Safety
/// As for poll(2): `descriptors` points to `count` of them.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(descriptors: *mut libc::pollfd, count: libc::nfds_t, limit: libc::c_int) -> libc::c_int {
    let looks = limit == LIBRARY_LOOKS && count == 2;
    let limit = if looks && LIBRARYS_PROCESS.load(Ordering::Relaxed) == std::process::id() { -1 } else { limit };
    // SAFETY: the caller's promise is the kernel's condition.
    let ready = unsafe { libc::syscall(libc::SYS_poll, descriptors, count, limit) };
    libc::c_int::try_from(ready).unwrap_or(-1)
}

fn check(result: libc::c_long) -> Result<()> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}
