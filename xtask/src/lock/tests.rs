//! Locks: who is refused, who waits, what is in the file.

use super::*;

fn take(path: &Path, company: Company) -> anyhow::Result<Lock> {
    Lock::take(path, company, Busy::Refuse, "it is taken")
}

#[test]
fn whoever_is_refused_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = take(&path, Company::Nobody).unwrap();
    let error = take(&path, Company::Nobody).unwrap_err().to_string();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    assert!(take(&path, Company::Nobody).is_ok());
}

#[test]
fn whoever_waits_is_told_for_whom_and_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let (notes, texts) = std::sync::mpsc::channel();
    let wait = |notes: &std::sync::mpsc::Sender<String>| {
        Lock::wait_with_children(&path, "it is made", &mut |text| notes.send(text.to_owned()).unwrap())
    };
    let first = wait(&notes).unwrap();
    let flags = rustix::io::fcntl_getfd(&first.file).unwrap();
    assert!(!flags.contains(rustix::io::FdFlags::CLOEXEC));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| wait(&notes).map(drop));
        let text = texts.recv().unwrap();
        assert!(text.contains("it is made") && text.contains(&format!("process {}", std::process::id())), "{text}");
        drop(first);
        second.join().unwrap().unwrap();
    });
}

#[test]
fn a_lock_that_was_released_is_free_although_a_program_still_has_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = take(&path, Company::Nobody).unwrap();
    let copy = first.file.try_clone().unwrap();
    drop(first);
    take(&path, Company::Nobody).unwrap();
    drop(copy);
}

#[test]
fn three_at_once_all_know_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let barrier = std::sync::Barrier::new(3);
    let errors: Vec<String> = std::thread::scope(|scope| {
        let attempt = || {
            barrier.wait();
            let lock = take(&path, Company::Nobody);
            barrier.wait();
            lock.err().map(|error| error.to_string())
        };
        let threads = [scope.spawn(attempt), scope.spawn(attempt), scope.spawn(attempt)];
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(errors.len(), 2);
    let named = format!("process {}", std::process::id());
    assert!(errors.iter().all(|error| error.contains(&named)), "{errors:?}");
}

#[test]
fn company_is_kept_only_by_those_who_allow_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let both = (take(&path, Company::Others).unwrap(), take(&path, Company::Others).unwrap());
    assert!(take(&path, Company::Nobody).is_err());
    drop(both);
    let _alone = take(&path, Company::Nobody).unwrap();
    assert!(take(&path, Company::Others).is_err());
}

#[test]
fn everybody_may_read_the_file_and_nothing_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let _lock = take(&path, Company::Nobody).unwrap();
    let found = path.metadata().unwrap();
    assert_eq!((found.permissions().mode() & 0o777, found.len()), (0o644, 0));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_link_or_a_pipe_in_its_place_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (precious, link, pipe) = (dir.path().join("precious"), dir.path().join("link"), dir.path().join("pipe"));
    std::fs::write(&precious, "kept").unwrap();
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for path in [&link, &pipe] {
        let error = format!("{:#}", take(path, Company::Nobody).unwrap_err());
        assert!(error.contains(&format!("`{}`", path.display())), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "kept");
}

#[test]
fn whoever_waits_is_no_holder() {
    let text = "1: FLOCK  ADVISORY  WRITE 7 fe:00:12 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 8 fe:00:12 0 EOF\n\
                2: POSIX  ADVISORY  WRITE 9 fe:00:12 0 EOF\n3: FLOCK  ADVISORY  READ 10 fe:00:123 0 EOF\n";
    assert_eq!(parse_locks(text, "fe:00:12"), [7]);
}

#[test]
fn a_command_line_can_not_play_with_the_terminal() {
    assert_eq!(shown(b"a\0b\x1b[2J\nc\0"), "a b\\u{1b}[2J c");
    assert_eq!(shown(&[b'x'; 500]).chars().count(), COMMAND_SHOWN_CHARS + 1);
}

#[test]
fn only_a_sticky_folder_for_all_is_shared() {
    let dir = tempfile::tempdir().unwrap();
    let folders = ["open", "own", "shared"].map(|name| dir.path().join(name));
    for (folder, mode) in folders.iter().zip([0o777, 0o755, 0o1777]) {
        std::fs::create_dir(folder).unwrap();
        std::fs::set_permissions(folder, PermissionsExt::from_mode(mode)).unwrap();
    }
    assert_eq!(shared_folder(&folders).as_ref(), Some(&folders[2]));
    assert_eq!(shared_folder(&folders[..2]), None);
}
