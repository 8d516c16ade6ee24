//! A container's log as CRI has it: a line per line of output, with a time and a stream in front
//! (kubernetes/design-proposals-archive, `node/kubelet-cri-logging.md`).
//!
//! `P` marks a line that goes on, or that the output ended in without a newline: what was written comes back byte for byte.

/// What a container wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// To stdout.
    pub stdout: Vec<u8>,
    /// To stderr.
    pub stderr: Vec<u8>,
}

/// Takes the log apart. Lines that are none of its form are left out.
pub fn parse(log: &[u8]) -> Logged {
    let mut logged = Logged::default();
    for line in log.split(|byte| *byte == b'\n') {
        let mut fields = line.splitn(4, |byte| *byte == b' ');
        let (Some(_time), Some(stream), Some(tag), Some(text)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let stream = match stream {
            b"stdout" => &mut logged.stdout,
            b"stderr" => &mut logged.stderr,
            _ => continue,
        };
        stream.extend_from_slice(text);
        if tag == b"F" {
            stream.push(b'\n');
        }
    }
    logged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_comes_back_byte_for_byte() {
        let log = b"2016-10-06T00:17:09.669794202Z stdout P The content of\n\
            2016-10-06T00:17:09.669794203Z stdout F  the log\n\
            2016-10-06T00:17:10.113242941Z stderr F an error\n\
            2016-10-06T00:17:10.1Z stdout F \n\
            2016-10-06T00:17:10.2Z stdout P no newline\n";
        let logged = parse(log);
        assert_eq!(String::from_utf8_lossy(&logged.stdout), "The content of the log\n\nno newline");
        assert_eq!(logged.stderr, b"an error\n");
        assert_eq!(parse(b""), Logged::default());
    }
}
