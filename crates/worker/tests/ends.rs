//! How a worker ends.

use std::process::{Command, Stdio};

use rummage_protocol::{Reply, encode, exit};

use crate::worker::{Worker, long_lease, model};

#[test]
fn it_ends_when_stdin_does() {
    let mut worker = Worker::start(&["--role", "extract"]);
    assert!(worker.reply().is_some());
    worker.close_stdin();
    assert_eq!(worker.reply(), None);
    assert_eq!(worker.end(), (Some(exit::DONE), String::new()));
}

#[test]
fn it_ends_in_the_middle_of_a_lease_too() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    worker.send(&[long_lease(1)]);
    worker.close_stdin();
    assert_eq!(worker.reply(), None, "the lease is not worked off first");
    assert_eq!(worker.end(), (Some(exit::DONE), String::new()));
}

#[test]
fn half_a_request_at_the_end_is_an_end() {
    let mut worker = Worker::start(&["--role", "extract"]);
    assert!(worker.reply().is_some());
    worker.write(&encode(&long_lease(1)).unwrap()[..9]);
    worker.close_stdin();
    assert_eq!(worker.end().0, Some(exit::DONE));
}

#[test]
fn a_garbage_frame_ends_it_with_a_word() {
    for garbage in [vec![0xff; 16], [&[3, 0, 0, 0][..], &[0xff; 3]].concat()] {
        let mut worker = Worker::start(&["--role", "extract"]);
        assert!(worker.reply().is_some());
        worker.write(&garbage);
        let (code, said) = worker.end();
        assert_eq!(code, Some(exit::PROTOCOL));
        assert!(said.contains("frame"), "{said}");
    }
}

#[test]
fn a_command_line_without_sense_shows_the_usage() {
    let (code, said) = Worker::start(&["--role", "dance"]).end();
    assert_eq!(code, Some(exit::USAGE));
    assert!(said.contains("dance") && said.contains("usage: rummage-worker"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_in_the_terminal_is_not_its_business() {
    let mut worker = Worker::start(&["--role", "extract"]);
    assert!(worker.reply().is_some());
    // SAFETY: sends a signal to a child that has not been waited for.
    assert_eq!(unsafe { libc::kill(worker.child.id() as i32, libc::SIGINT) }, 0);
    worker.close_stdin();
    assert_eq!(worker.end().0, Some(exit::DONE));
}

/// The worker's stdin stays open here, so that only the parent's death can end it.
#[cfg(target_os = "linux")]
#[test]
fn it_does_not_outlive_a_killed_parent() {
    use std::io::Read;

    let script = format!("exec 3<&0; '{}' --role extract <&3 & wait", crate::worker::PROGRAM);
    let mut parent = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let stdin = parent.stdin.take();
    let mut stdout = parent.stdout.take().expect("stdout is piped");
    let mut first = [0];
    stdout.read_exact(&mut first).expect("the worker says hello");
    parent.kill().expect("the parent can be killed");
    parent.wait().expect("the parent ends");
    // Ends only when the worker, which holds the other end, is gone.
    stdout.read_to_end(&mut Vec::new()).expect("stdout ends");
    drop(stdin);
}

/// The kernel's word of a dead parent is really one of the parent's thread.
#[cfg(target_os = "linux")]
#[test]
fn it_outlives_the_thread_that_started_it() {
    let start = || {
        let mut worker = Worker::start(&["--role", "extract"]);
        assert!(worker.reply().is_some(), "it has asked for the signal by now");
        worker
    };
    let mut worker = std::thread::spawn(start).join().expect("the worker starts");
    worker.send(&[long_lease(1)]);
    assert!(matches!(worker.reply(), Some(Reply::Failed { lease: 1, .. })));
}
