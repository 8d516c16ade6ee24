//! A reader of the container's output before there is a writer.
//!
//! containerd and its clients open a container's output in the background. On a busy machine they may be later than the end of
//! a container that is soon over, and what is in a pipe is lost when the last process is gone that has it open. The library
//! opens a pipe for reading and writing, which waits for nobody (`containerd-shimkit` 0.1, `sys/unix/stdio.rs`). So the server
//! has it open for writing while the container is made: that succeeds as soon as somebody reads, and the reader does not see
//! an end before the container has the pipe. What it is called only the request's span says (`order`).

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

/// How often, and in which steps, a reader is waited for. It needs nothing but a processor.
const LOOKS: u32 = 5000;
const LOOK: Duration = Duration::from_millis(1);

/// What is open while a container is made.
static HELD: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// Returns when each pipe that a request to create a container names has a reader. `request` is what `Debug` writes of it.
pub fn await_readers(request: &str) {
    let writers: Vec<OwnedFd> = pipes(request).filter_map(|path| writer(path, LOOKS)).collect();
    HELD.lock().unwrap_or_else(PoisonError::into_inner).extend(writers);
}

/// The container is made, and has them open, or it is not.
pub fn release() {
    HELD.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// The files of standard output and error; a path with a quotation mark or a backslash is none of containerd's.
fn pipes(request: &str) -> impl Iterator<Item = &str> {
    let value = |field: &str| {
        let (_, rest) = request.split_once(&format!(", {field}: \""))?;
        let (path, _) = rest.split_once('"')?;
        (!path.is_empty() && !path.contains('\\')).then_some(path)
    };
    ["stdout", "stderr"].into_iter().filter_map(value)
}

/// A pipe, open for writing only: not before somebody reads. Of anything else, nothing.
fn writer(path: &str, looks: u32) -> Option<OwnedFd> {
    for _ in 0..looks {
        match open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => {
                let is_pipe = fstat(&file).is_ok_and(|file| FileType::from_raw_mode(file.st_mode) == FileType::Fifo);
                return is_pipe.then_some(file);
            }
            Err(Errno::NXIO) => std::thread::sleep(LOOK),
            Err(_) => return None,
        }
    }
    log::warn!("nobody reads `{path}`: what the container writes may be lost");
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};
    use std::path::{Path, PathBuf};

    use containerd_shim_protos::api::CreateTaskRequest;
    use rustix::fs::{CWD, mkfifoat};
    use tracing::subscriber::with_default;

    use super::*;
    use crate::order::Witness;

    fn request(stdout: &Path, stderr: &str) -> CreateTaskRequest {
        let stdout = stdout.to_str().unwrap().to_owned();
        let bundle = "/run/a bundle".to_owned();
        CreateTaskRequest { id: "x".to_owned(), bundle, stdout, stderr: stderr.to_owned(), ..Default::default() }
    }

    fn pipe(folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("out put");
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        path
    }

    #[test]
    fn what_is_to_be_read_is_found_in_what_the_request_shows() {
        let of = |request: &CreateTaskRequest| pipes(&format!("{request:?}")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of(&request(Path::new("/run/fifo/out"), "/run/fifo/err")), ["/run/fifo/out", "/run/fifo/err"]);
        assert_eq!(of(&request(Path::new(""), "")), [""; 0]);
        assert_eq!(of(&request(Path::new("/a\"b"), "/err")), ["/err"]);
    }

    /// As it goes with the library, which says what it is about to do in a span of this name.
    #[test]
    fn a_container_is_not_made_before_its_output_is_read_and_then_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(&folder);
        let request = request(&path, "/no/such/pipe");
        let late = path.clone();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(LOOK * 50);
            let mut text = String::new();
            File::open(late).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        with_default(Witness, || {
            let span =
                tracing::debug_span!(target: "containerd_shimkit::sandbox::shim::local", "task_create", req = ?request);
            // The container, which is over at once.
            let mut container = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            container.write_all(b"said").unwrap();
            drop(span);
        });
        assert_eq!(reader.join().unwrap(), "said");
        assert!(HELD.lock().unwrap().is_empty(), "the reader would never see an end");
    }

    #[test]
    fn nobody_is_waited_for_in_vain_for_ever_and_a_file_needs_no_reader() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writer(pipe(&folder).to_str().unwrap(), 3).is_none());
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        assert!(writer(file.to_str().unwrap(), LOOKS).is_none());
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    }
}
