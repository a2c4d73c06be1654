//! Tesseract, where it is installed: a process of its own for each picture. It knows
//! no files and no documents.

use std::{
    io::{self, Read, Write},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rummage_extract::Eyes;

/// The longest that one picture may take; a full page takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than any page holds, in bytes.
const MAX_TEXT: u64 = 4 << 20;

/// Reads pictures in the languages it was made for.
pub struct Tesseract<'a> {
    program: &'a str,
    languages: &'a str,
    patience: Duration,
}

impl<'a> Tesseract<'a> {
    /// `None` where it is not installed. Languages are Tesseract's own names, joined by
    /// `+`.
    pub fn find(languages: &'a str) -> Option<Self> {
        Self::find_as("tesseract", languages)
    }

    fn find_as(program: &'a str, languages: &'a str) -> Option<Self> {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok().then_some(Self { program, languages, patience: PATIENCE })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(["stdin", "stdout", "-l", self.languages])
            // One page at a time on one processor: its threads gain little and take all.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        crate::process::end_with_this_thread(&mut command);
        command
    }
}

impl Eyes for Tesseract<'_> {
    fn read(&self, picture: &[u8]) -> Result<String, String> {
        let ran = run(&mut self.command(), picture, self.patience);
        let ran = ran.map_err(|error| format!("Tesseract does not run: {error}"))?;
        match ran.status {
            None => Err(format!("Tesseract took longer than {} s", self.patience.as_secs())),
            Some(status) if status.success() => Ok(ran.text),
            Some(status) => {
                Err(format!("Tesseract gave up ({status}): {}", telling_line(&ran.words)))
            }
        }
    }
}

struct Ran {
    text: String,
    /// What it wrote on stderr.
    words: String,
    /// `None` if it was ended for taking too long.
    status: Option<ExitStatus>,
}

/// Runs a program over its input, for no longer than `patience`.
fn run(command: &mut Command, input: &[u8], patience: Duration) -> io::Result<Ran> {
    let mut child = command.spawn()?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("it has no pipes"));
    };
    thread::scope(|scope| {
        // One that ends before it has read all is judged by its status.
        scope.spawn(move || drop(stdin.write_all(input)));
        let words = scope.spawn(|| read_all(stderr));
        let (done, waiting) = mpsc::channel::<()>();
        let ended = scope.spawn(move || {
            let is_late = waiting.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if is_late {
                child.kill()?;
            }
            child.wait().map(|status| (!is_late).then_some(status))
        });
        let text = read_all(stdout);
        drop(done);
        let gone = || io::Error::other("its reader ended");
        let status = ended.join().map_err(|_| gone())??;
        Ok(Ran { text: text?, words: words.join().map_err(|_| gone())??, status })
    })
}

fn read_all(pipe: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    pipe.take(MAX_TEXT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Of what it wrote, the line about a language that is not installed, else the last.
fn telling_line(words: &str) -> &str {
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let language = lines.clone().find(|line| line.starts_with("Failed loading language"));
    language.or_else(|| lines.next_back()).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a program that stands in for Tesseract.
    #[cfg(unix)]
    fn run_script(script: &str, input: &[u8], patience: Duration) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(&mut command, input, patience).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn what_it_reads_and_says_is_kept() {
        let ran = run_script("cat; echo one >&2; echo two >&2; exit 3", b"lemon", PATIENCE);
        assert_eq!((ran.text.as_str(), telling_line(&ran.words)), ("lemon", "two"));
        assert_eq!(ran.status.and_then(|status| status.code()), Some(3));
    }

    #[test]
    fn the_language_that_is_not_installed_is_named() {
        let words = "Error opening data file tessdata/xyz.traineddata\n\
                     Failed loading language 'xyz'\n\
                     Tesseract couldn't load any languages!\n\
                     Could not initialize tesseract.\n\n";
        assert_eq!(telling_line(words), "Failed loading language 'xyz'");
        assert_eq!(telling_line(" \n"), "without a word");
    }

    #[cfg(unix)]
    #[test]
    fn one_that_reads_nothing_or_writes_without_end_does_not_hang() {
        let large = vec![b'a'; 1 << 20];
        assert!(run_script("exit 0", &large, PATIENCE).status.is_some_and(|it| it.success()));
        assert_eq!(run_script("exec yes", &large, PATIENCE).text.len() as u64, MAX_TEXT);
    }

    #[cfg(unix)]
    #[test]
    fn one_that_takes_too_long_is_ended() {
        let ran = run_script("exec tail -f /dev/null", b"", Duration::from_millis(50));
        assert!(ran.status.is_none());
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        assert!(Tesseract::find_as("no-such-program", "eng").is_none());
    }
}
