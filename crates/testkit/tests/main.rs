//! The faulty worker does what its script says: tests of the pool stand on it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use rummage_protocol::{EmbedRequest, Reply, Request, VERSION, encode, exit, read_frame};
use rummage_testkit::{
    faults::{FAULTS, FAULTS_ONCE},
    vector_of,
};

/// What the worker said to two requests, up to its end or its first broken frame.
struct Said {
    /// Leases of the answers; a failure's with a minus.
    answers: Vec<i64>,
    whole: bool,
    /// `None` when a signal ended it.
    code: Option<i32>,
}

fn requests() -> Vec<u8> {
    let request = |lease, ids: &[u32]| {
        let token_ids = vec![ids.to_vec()];
        let model = "faulty".to_owned();
        Request::Embed(EmbedRequest { lease, model, urgent: false, tokens_per_call: 8, token_ids })
    };
    [request(1, &[5, 6]), request(2, &[66])].iter().flat_map(|r| encode(r).unwrap()).collect()
}

fn say(script: &str, once: Option<&Path>) -> (Option<Reply>, Said) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-worker"));
    command.args(["--role", "embed"]).env(FAULTS, script).env_remove(FAULTS_ONCE);
    if let Some(marker) = once {
        command.env(FAULTS_ONCE, marker);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the worker starts");
    // It may be dead before it has read everything.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), &requests());
    let mut stdout = child.stdout.take().unwrap();
    let first = read_frame(&mut stdout).unwrap();
    let mut said = Said { answers: Vec::new(), whole: true, code: None };
    loop {
        match read_frame(&mut stdout) {
            Ok(Some(Reply::Embedded(embedded))) => said.answers.push(embedded.lease as i64),
            Ok(Some(Reply::Failed { lease, .. })) => said.answers.push(-(lease as i64)),
            Ok(Some(other)) => panic!("{script}: {other:?}"),
            Ok(None) => break,
            Err(_) => {
                said.whole = false;
                break;
            }
        }
    }
    said.code = child.wait().unwrap().code();
    (first, said)
}

fn check(script: &str, answers: &[i64], whole: bool, code: Option<i32>) {
    let (_, said) = say(script, None);
    assert_eq!(
        (said.answers.as_slice(), said.whole, said.code),
        (answers, whole, code),
        "{script}"
    );
}

#[test]
fn faults_strike_as_scripted() {
    let killed = if cfg!(unix) { None } else { Some(1) };
    check("", &[1, 2], true, Some(exit::DONE));
    check("exit:7@2", &[1], true, Some(7));
    check("kill@2", &[1], true, killed);
    check("poison:66", &[1], true, killed);
    check("hang@1", &[], true, Some(exit::DONE));
    check("drop@1", &[2], true, Some(exit::DONE));
    check("fail@2", &[1, -2], true, Some(exit::DONE));
    check("twice@1", &[1, 1, 2], true, Some(exit::DONE));
    check("stranger@1", &[-1_000_001, 2], true, Some(exit::DONE));
    check("late:1@*,leak:1@*", &[1, 2], true, Some(exit::DONE));
    check("garbage@2", &[1], false, Some(1));
    check("half-frame@2", &[1], false, Some(1));
}

#[test]
fn handshakes_go_wrong_as_scripted() {
    let first = |script| say(script, None).0;
    assert!(matches!(first("refuse"), Some(Reply::Refused(_))));
    assert_eq!(first("silent"), None);
    let version = |script| match first(script) {
        Some(Reply::Hello(hello)) => hello.version,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(""), VERSION);
    assert_ne!(version("version"), VERSION);
}

#[test]
fn a_fault_that_strikes_once_strikes_in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("struck");
    let code = || say("exit:7@1", Some(&marker)).1.code;
    assert_eq!((code(), code()), (Some(7), Some(exit::DONE)));
}

#[test]
fn made_up_vectors_are_those_of_the_library() {
    let expected = vector_of(&[5, 6], 32);
    let mut child = Command::new(env!("CARGO_BIN_EXE_faulty-worker"))
        .args(["--role", "embed"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &requests()).unwrap();
    let mut stdout = child.stdout.take().unwrap();
    read_frame::<Reply>(&mut stdout).unwrap();
    match read_frame(&mut stdout).unwrap() {
        Some(Reply::Embedded(embedded)) => assert_eq!(embedded.values, expected),
        other => panic!("{other:?}"),
    }
    child.wait().unwrap();
}
