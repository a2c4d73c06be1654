//! One file over HTTPS, taken only with the right hash. The only crate that opens a
//! connection, and only for a person who asked for that file.
//!
//! What has come is kept beside the file's place until it is whole: another try goes on
//! from there. It knows nothing of what the file is.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode, Url, header};
use sha2::{Digest, Sha256};

/// By what the file is known to be the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{url} is no address that files are fetched from: https:// is wanted")]
    Address { url: String },
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} answers {status}")]
    Answer { url: String, status: StatusCode },
    #[error(
        "{url} gives another file than the one that is known (SHA-256 {found}, not {expected}): \
         nothing was kept"
    )]
    OtherFile { url: String, expected: String, found: String },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// A server that takes longer to answer, or falls silent for so long, is given up.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);

/// Puts the file at `url` in its place; one that is there with the right hash stays.
/// `progress` hears how many bytes are there.
///
/// # Errors
///
/// See [`FetchError`]. What had come of the file is kept for the next try, unless it is
/// another file.
pub async fn fetch(
    url: &str,
    place: &Path,
    pin: &Pin,
    mut progress: impl FnMut(u64),
) -> Result<(), FetchError> {
    let address = allowed(url)?;
    let failed = |path: &Path, source| FetchError::Write { path: path.to_owned(), source };
    if place.metadata().is_ok_and(|file| file.len() == pin.bytes)
        && digits_of(place).map_err(|source| failed(place, source))? == pin.sha256
    {
        progress(pin.bytes);
        return Ok(());
    }
    let part = PathBuf::from(format!("{}.part", place.display()));
    let there = part.metadata().map_or(0, |file| file.len());
    if there < pin.bytes {
        let response = ask(address, there).await.map_err(|error| unreachable(url, &error))?;
        take(url, response, &part, there, pin, &mut progress).await?;
    }
    let found = digits_of(&part).map_err(|source| failed(&part, source))?;
    if found != pin.sha256 {
        fs::remove_file(&part).map_err(|source| failed(&part, source))?;
        let (url, expected) = (url.to_owned(), pin.sha256.clone());
        return Err(FetchError::OtherFile { url, expected, found });
    }
    fs::rename(&part, place).map_err(|source| failed(place, source))
}

/// Over HTTPS alone, but for servers on this very machine.
fn allowed(url: &str) -> Result<Url, FetchError> {
    let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "https" || is_local(url));
    parsed.ok_or_else(|| FetchError::Address { url: url.to_owned() })
}

fn is_local(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// The file from a byte on.
async fn ask(url: Url, from: u64) -> reqwest::Result<Response> {
    let client = Client::builder()
        .user_agent(concat!("rummage/", env!("CARGO_PKG_VERSION")))
        .https_only(!is_local(&url))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()?;
    let mut request = client.get(url);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    request.send().await
}

async fn take(
    url: &str,
    mut response: Response,
    part: &Path,
    there: u64,
    pin: &Pin,
    progress: &mut impl FnMut(u64),
) -> Result<(), FetchError> {
    let failed = |source| FetchError::Write { path: part.to_owned(), source };
    let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
    if !response.status().is_success() {
        return Err(FetchError::Answer { url: url.to_owned(), status: response.status() });
    }
    // A server that cannot begin in the middle begins anew.
    let mut came = if goes_on { there } else { 0 };
    let mut options = File::options();
    options.create(true).write(true).append(goes_on).truncate(!goes_on);
    let mut file = options.open(part).map_err(failed)?;
    while let Some(bytes) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
        came += bytes.len() as u64;
        file.write_all(&bytes).map_err(failed)?;
        progress(came.min(pin.bytes));
        if came > pin.bytes {
            break;
        }
    }
    file.sync_all().map_err(failed)
}

/// With its causes, which are what tells.
fn unreachable(url: &str, error: &reqwest::Error) -> FetchError {
    let mut reason = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        reason = error.to_string();
        cause = error.source();
    }
    FetchError::Unreachable { url: url.to_owned(), reason }
}

/// 64 lower-case hexadecimal digits.
fn digits_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hasher.finalize().iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        net::TcpListener,
        sync::{Arc, Mutex},
        thread,
    };

    use super::*;

    const FILE: &str = "all the numbers of a model";

    fn pin() -> Pin {
        let digits = Sha256::digest(FILE).iter().map(|byte| format!("{byte:02x}")).collect();
        Pin { sha256: digits, bytes: FILE.len() as u64 }
    }

    /// Answers each connection with the next of these, and notes what was asked.
    fn server(answers: Vec<fn(&str) -> String>) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/model.onnx", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
                let request = lines.collect::<Vec<_>>().join("\n");
                stream.write_all(answer(&request).as_bytes()).unwrap();
                noted.lock().unwrap().push(request);
            }
        });
        (url, asked)
    }

    fn whole(_: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{FILE}", FILE.len())
    }

    /// Breaks off in the middle.
    fn half(_: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", FILE.len(), &FILE[..10])
    }

    /// The rest of what `half` gave.
    fn rest(_: &str) -> String {
        let rest = &FILE[10..];
        let range = format!("Content-Range: bytes 10-{}/{}", FILE.len() - 1, FILE.len());
        let length = rest.len();
        format!("HTTP/1.1 206 Partial Content\r\n{range}\r\nContent-Length: {length}\r\n\r\n{rest}")
    }

    fn other(_: &str) -> String {
        let other = FILE.to_uppercase();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{other}", other.len())
    }

    fn missing(_: &str) -> String {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()
    }

    #[tokio::test]
    async fn a_file_comes_whole_and_is_not_fetched_again() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("model.onnx");
        let (url, asked) = server(vec![whole]);
        let mut heard = Vec::new();
        fetch(&url, &place, &pin(), |bytes| heard.push(bytes)).await.unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), FILE);
        assert_eq!(heard.last(), Some(&pin().bytes));
        fetch(&url, &place, &pin(), |_| ()).await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_broken_transfer_goes_on_where_it_stopped() {
        for second in [rest, whole] {
            let dir = tempfile::tempdir().unwrap();
            let place = dir.path().join("model.onnx");
            let (url, asked) = server(vec![half, second]);
            let error = fetch(&url, &place, &pin(), |_| ()).await.unwrap_err();
            assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
            assert!(!place.exists());
            fetch(&url, &place, &pin(), |_| ()).await.unwrap();
            assert_eq!(fs::read_to_string(&place).unwrap(), FILE);
            let asked = asked.lock().unwrap();
            assert!(asked[1].to_lowercase().contains("range: bytes=10-"), "{asked:?}");
        }
    }

    #[tokio::test]
    async fn another_file_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("model.onnx");
        let (url, _) = server(vec![other]);
        let error = fetch(&url, &place, &pin(), |_| ()).await.unwrap_err();
        assert!(matches!(error, FetchError::OtherFile { .. }), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said_with_the_address() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("model.onnx");
        let (url, _) = server(vec![missing]);
        let error = fetch(&url, &place, &pin(), |_| ()).await.unwrap_err().to_string();
        assert!(error.contains(&url) && error.contains("404"), "{error}");
        // Nobody listens any more where a listener was.
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{gone}/model.onnx");
        let error = fetch(&url, &place, &pin(), |_| ()).await.unwrap_err();
        assert!(matches!(&error, FetchError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(&url), "{error}");
        for url in ["http://example.org/model.onnx", "file:///etc/passwd", "model.onnx"] {
            let error = fetch(url, &place, &pin(), |_| ()).await.unwrap_err();
            assert!(matches!(error, FetchError::Address { .. }), "{error}");
        }
    }
}
