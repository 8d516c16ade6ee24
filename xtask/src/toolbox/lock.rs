//! One set-up at a time: a lock that the kernel releases however its holder ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::progress::Progress;

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, after waiting for whoever holds it, and saying so.
    ///
    /// # Errors
    /// When the file can not be made or locked.
    pub fn take(path: &Path, progress: &mut dyn Progress) -> anyhow::Result<Self> {
        let context = || format!("can not lock `{}`", path.display());
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).with_context(context)?;
                progress.note(&format!(
                    "waiting for {}, or a program that it started: it holds `{}`",
                    holder.trim(),
                    path.display()
                ));
                file.lock().with_context(context)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(context),
        }
        // Children inherit it: should this process be killed in the middle, apt goes on for a while, and the next
        // call has to wait for it rather than collide with it.
        rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).with_context(context)?;
        file.set_len(0).with_context(context)?;
        file.rewind().with_context(context)?;
        writeln!(file, "process {}", std::process::id()).with_context(context)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Amount;
    use std::sync::mpsc::{Sender, channel};

    struct Notes(Sender<String>);

    impl Progress for Notes {
        fn note(&mut self, text: &str) {
            self.0.send(text.to_owned()).unwrap();
        }
        fn advance(&mut self, _what: &str, _amount: Amount) {}
    }

    #[test]
    fn the_second_waits_for_the_first_and_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (told, heard) = channel();
        let first = Lock::take(&path, &mut Notes(told.clone())).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::take(&path, &mut Notes(told)).map(drop));
            let text = heard.recv().unwrap();
            assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
            drop(first);
            second.join().unwrap().unwrap();
        });
    }
}
