//! What the faulty worker does wrong, and when: the script in its environment
//! variable `FAULTS`.
//!
//! A script is a row of faults with commas between them. Each is a name, then
//! `:` and an argument where it takes one, then `@` and the request at which it
//! strikes, counted from 1 in each process, or `@*` for every request. Faults of
//! the handshake and poisons have no `@`.
//!
//! | fault | what the worker does |
//! |---|---|
//! | `refuse` | refuses at the handshake |
//! | `silent` | never says hello |
//! | `version` | says hello in another version |
//! | `driver` | kills itself before the hello where it is to use an accelerator |
//! | `deaf` | lives on for a minute when stdin has closed |
//! | `exit:7@3` | exits with code 7 |
//! | `kill@4` | kills itself, as the system does when memory runs out |
//! | `hang@2` | answers nothing more until stdin closes |
//! | `drop@2` | leaves this one request without an answer |
//! | `fail@2` | answers that the lease failed |
//! | `garbage@1` | writes bytes that are no frame, then exits with code 1 |
//! | `half-frame@2` | writes half of the answer, then exits with code 1 |
//! | `twice@2` | answers twice |
//! | `stranger@2` | answers with a lease that nobody gave |
//! | `late:200@*` | answers so many milliseconds late |
//! | `leak:100@*` | takes so many mebibytes more and keeps them, then answers |
//! | `poison:TOKEN` | aborts at every request that holds the token id |
//! | `poison-path:TEXT` | aborts at every request whose path holds the text |

use std::{str::FromStr, time::Duration};

use rummage_protocol::Request;

/// The environment variable that holds the script.
pub const FAULTS: &str = "FAULTS";
/// Optional: the path of a file that is not there. The first fault to strike
/// makes the file, and while it is there no fault strikes, in any process.
pub const FAULTS_ONCE: &str = "FAULTS_ONCE";
/// Optional: the model fingerprint of the handshake; `faulty` where it is not set.
pub const FAULTY_FINGERPRINT: &str = "FAULTY_FINGERPRINT";
/// Optional: numbers a vector; 32 where it is not set.
pub const FAULTY_DIMS: &str = "FAULTY_DIMS";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Refuse,
    Silent,
    WrongVersion,
    Driver,
    Deaf,
    Exit(i32),
    Kill,
    Hang,
    Drop,
    Fail,
    Garbage,
    HalfFrame,
    Twice,
    Stranger,
    Late(Duration),
    Leak { mebibytes: usize },
    Poison { token_id: u32 },
    PoisonPath(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// At the handshake, at the end, or decided by what a request holds.
    OfItself,
    Always,
    /// Counted from 1.
    Request(u64),
}

/// A parsed script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script(Vec<(Fault, When)>);

impl Script {
    /// Whether this fault of the handshake or of the end is in the script.
    pub fn holds(&self, fault: &Fault) -> bool {
        self.0.iter().any(|(scripted, _)| scripted == fault)
    }

    /// The faults that strike at this request, in the order of the script.
    pub fn strikes<'a>(
        &'a self,
        ordinal: u64,
        request: &'a Request,
    ) -> impl Iterator<Item = &'a Fault> {
        self.0.iter().filter_map(move |(fault, when)| {
            let strikes = match (fault, when) {
                (Fault::Poison { token_id }, _) => holds_token(request, *token_id),
                (Fault::PoisonPath(text), _) => holds_path(request, text),
                (_, When::OfItself) => false,
                (_, When::Always) => true,
                (_, When::Request(at)) => *at == ordinal,
            };
            strikes.then_some(fault)
        })
    }
}

/// The part of a script that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(pub String);

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| line(part).ok_or_else(|| ScriptError(part.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn line(part: &str) -> Option<(Fault, When)> {
    let (fault, when) = match part.rsplit_once('@') {
        Some((fault, "*")) => (fault, When::Always),
        Some((fault, at)) => (fault, When::Request(at.parse().ok().filter(|at| *at > 0)?)),
        None => (part, When::OfItself),
    };
    let (name, argument) = fault.split_once(':').unwrap_or((fault, ""));
    let fault = match (name, argument) {
        ("refuse", "") => Fault::Refuse,
        ("silent", "") => Fault::Silent,
        ("version", "") => Fault::WrongVersion,
        ("driver", "") => Fault::Driver,
        ("deaf", "") => Fault::Deaf,
        ("kill", "") => Fault::Kill,
        ("hang", "") => Fault::Hang,
        ("drop", "") => Fault::Drop,
        ("fail", "") => Fault::Fail,
        ("garbage", "") => Fault::Garbage,
        ("half-frame", "") => Fault::HalfFrame,
        ("twice", "") => Fault::Twice,
        ("stranger", "") => Fault::Stranger,
        ("exit", code) => Fault::Exit(code.parse().ok()?),
        ("late", milliseconds) => Fault::Late(Duration::from_millis(milliseconds.parse().ok()?)),
        ("leak", mebibytes) => Fault::Leak { mebibytes: mebibytes.parse().ok()? },
        ("poison", id) => Fault::Poison { token_id: id.parse().ok()? },
        ("poison-path", text) if !text.is_empty() => Fault::PoisonPath(text.to_owned()),
        _ => return None,
    };
    (is_of_itself(&fault) == (when == When::OfItself)).then_some((fault, when))
}

const fn is_of_itself(fault: &Fault) -> bool {
    use Fault::*;
    matches!(fault, Refuse | Silent | WrongVersion | Driver | Deaf | Poison { .. } | PoisonPath(_))
}

fn holds_token(request: &Request, token_id: u32) -> bool {
    match request {
        Request::Embed(request) => request.token_ids.iter().flatten().any(|id| *id == token_id),
        Request::Extract(_) => false,
    }
}

fn holds_path(request: &Request, text: &str) -> bool {
    match request {
        Request::Embed(_) => false,
        Request::Extract(request) => request.path.display().to_string().contains(text),
    }
}

#[cfg(test)]
mod tests {
    use rummage_protocol::EmbedRequest;

    use super::*;

    fn check(script: &str, ordinal: u64, ids: &[u32], expected: &[Fault]) {
        let script: Script = script.parse().unwrap();
        let request = Request::Embed(EmbedRequest {
            lease: 1,
            model: "faulty".to_owned(),
            urgent: false,
            tokens_per_call: 16,
            token_ids: vec![ids.to_vec()],
        });
        assert_eq!(script.strikes(ordinal, &request).cloned().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_fault_strikes_at_its_request_alone() {
        check("exit:7@3", 2, &[], &[]);
        check("exit:7@3", 3, &[], &[Fault::Exit(7)]);
        check("twice@*, kill@2", 2, &[], &[Fault::Twice, Fault::Kill]);
        check("late:200@*", 9, &[], &[Fault::Late(Duration::from_millis(200))]);
        check("refuse", 1, &[], &[]);
    }

    #[test]
    fn poison_strikes_wherever_it_is() {
        check("poison:12", 5, &[3, 12], &[Fault::Poison { token_id: 12 }]);
        check("poison:12", 5, &[3, 120], &[]);
    }

    #[test]
    fn a_script_without_sense_is_refused() {
        for part in ["kil@1", "kill", "kill@0", "exit@1", "refuse@2", "late:soon@1", "poison:1@2"] {
            let script = format!("twice@1,{part}");
            assert_eq!(script.parse::<Script>(), Err(ScriptError(part.to_owned())));
        }
        assert_eq!("".parse(), Ok(Script::default()));
    }
}
