//! What goes wrong on real machines: each ends in a clear message that names the
//! thing and the mend, the rest is indexed, and nothing is lost.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rummage_testkit::{Tree, runtime_library, worker_program};

use crate::command::{Installation, Run};

/// One good file that must be indexed whatever else happens.
const GOOD: (&str, &str) = ("good.txt", "Simmer onions and carrots until they are soft.");

fn check_good(installation: &Installation) {
    let found = installation.find("onions", "hybrid");
    assert!(found.iter().any(|path| path.ends_with("good.txt")), "{found:?}");
}

#[test]
fn an_empty_and_a_binary_file_are_skipped_with_a_reason() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    tree.write("empty.txt", "");
    tree.write("blank.txt", "  \n\n ");
    tree.write("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".repeat(50));
    tree.write(
        "noise.txt",
        (0..20_000u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect::<Vec<u8>>(),
    );
    let report = installation.index(tree.root());
    assert_eq!(report["files"]["skipped"], 4, "{report}");
    for (name, word) in [
        ("empty.txt", "no text"),
        ("blank.txt", "no text"),
        ("picture.png", "needs OCR"),
        ("noise.txt", "not text"),
    ] {
        let line = installation.ledger(name);
        assert_eq!(line["state"], "skipped", "{line}");
        assert!(line["reason"].as_str().unwrap().contains(word), "{line}");
    }
    check_good(&installation);
}

#[test]
fn invalid_utf8_is_read_as_far_as_it_goes() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    tree.write(
        "mixed.txt",
        b"Pumpkins are f\xfcr the soup, and p\xe9pins too: \xff\xfe.".as_slice(),
    );
    installation.index(tree.root());
    assert_eq!(installation.ledger("mixed.txt")["state"], "indexed");
    assert!(installation.find("pumpkins", "keyword")[0].ends_with("mixed.txt"));
    check_good(&installation);
}

#[test]
fn a_line_of_fifty_megabytes_is_named_with_the_mend_and_one_of_three_is_read() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    let line = |megabytes: usize| "endless words without any end ".repeat(megabytes * 35_000);
    tree.write("huge.txt", line(50));
    tree.write("large.txt", line(1));
    installation.index(tree.root());
    let huge = installation.ledger("huge.txt");
    assert_eq!(huge["state"], "skipped");
    let reason = huge["reason"].as_str().unwrap();
    assert!(reason.contains("32 MB") && reason.contains("settings"), "{reason}");
    let large = installation.ledger("large.txt");
    assert_eq!(large["state"], "indexed", "{large}");
    assert!(large["passages"].as_u64().unwrap() > 1000, "{large}");
    check_good(&installation);
}

#[test]
fn a_missing_model_file_is_named_and_words_are_searched_meanwhile() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    let model = installation.model_file("model.onnx");
    let away = installation.dir().join("away.onnx");
    fs::rename(&model, &away).unwrap();
    let run = Run::of(installation.command().arg("index").arg(tree.root()));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("model.onnx") && run.stderr.contains("npm run setup"), "{run:?}");
    assert!(installation.find("onions", "keyword")[0].ends_with("good.txt"), "words are searched");
    assert_eq!(installation.status()["queue"]["in_flight"], 1, "nothing is lost");
    let hybrid = installation.run(["search", "--json", "onions"]).json();
    assert!(hybrid["notice"].as_str().unwrap().contains("words"), "{hybrid}");
    assert_eq!(hybrid["results"].as_array().unwrap().len(), 1);

    fs::rename(&away, &model).unwrap();
    let report = installation.index(tree.root());
    assert_eq!(report["files"]["indexed"], 1, "{report}");
    check_good(&installation);
}

#[test]
fn a_missing_model_folder_loses_nothing() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    let model = installation.model_file("model.onnx").parent().unwrap().to_owned();
    let away = installation.dir().join("away");
    fs::rename(&model, &away).unwrap();
    let run = Run::of(installation.command().arg("index").arg(tree.root()));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("tiny-1"), "{run:?}");
    assert_eq!(installation.ledger("good.txt")["state"], "queued");
    fs::rename(&away, &model).unwrap();
    installation.index(tree.root());
    check_good(&installation);
}

#[test]
fn corrupt_settings_are_named_and_kept() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    let broken = "model = \"tiny-1\"\npool = [[[\n";
    installation.set(broken);
    let run = Run::of(installation.command().arg("index").arg(tree.root()));
    let path = installation.settings().display().to_string();
    assert!(run.stderr.contains(&path) && run.stderr.contains("line 2"), "{run:?}");
    assert_eq!(fs::read_to_string(installation.settings()).unwrap(), broken, "the person's words");
    installation.set("model = \"tiny-1\"\n[pool]\nsize = 400\n[future]\nx = 1\n");
    let run = Run::of(installation.command().arg("index").arg(tree.root())).succeeded();
    assert!(run.stderr.contains("pool.size") || run.stderr.contains("future"), "{run:?}");
    check_good(&installation);
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named_and_the_rest_indexed() {
    use std::os::unix::fs::PermissionsExt;

    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    tree.write("locked/secret.txt", "nobody reads this");
    tree.write("sealed.txt", "nor this");
    let seal = |path: PathBuf, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    seal(tree.path("locked"), 0o000).unwrap();
    seal(tree.path("sealed.txt"), 0o000).unwrap();
    let unprivileged = Unprivileged::new(&installation, tree.root());
    let follow = [OsStr::new("index"), tree.root().as_os_str()];
    let run = unprivileged.run(&installation, &follow).succeeded();
    let retried = unprivileged.run(&installation, &[OsStr::new("retry")]).succeeded();
    assert!(retried.stdout.contains("Read 1 file again.\n2 stand as failed"), "{retried:?}");
    seal(tree.path("locked"), 0o755).unwrap();
    seal(tree.path("sealed.txt"), 0o644).unwrap();
    assert!(run.stdout.contains("failed"), "{run:?}");
    for name in ["locked", "sealed.txt"] {
        let line = installation.ledger(name);
        assert_eq!(line["state"], "failed", "{line}");
        assert!(line["reason"].as_str().unwrap().contains("check who may read it"), "{line}");
        assert!(line["tries"].as_u64().unwrap() >= 2, "{line}");
    }
    assert!(installation.ledger("sealed.txt")["again"].is_string(), "it is tried by itself, too");
    check_good(&installation);
    // Readable again, both are read once a person says so.
    let sealed = tree.path("sealed.txt");
    let run = unprivileged.run(&installation, &[OsStr::new("retry"), sealed.as_os_str()]);
    assert!(run.succeeded().stdout.contains("Read 1 file again"));
    assert_eq!(installation.ledger("sealed.txt")["state"], "indexed");
    let run = unprivileged.run(&installation, &follow).succeeded();
    assert_eq!(installation.status()["files"]["failed"], 0, "{run:?}");
    assert_eq!(installation.ledger("secret.txt")["state"], "indexed");
}

/// Root may read everything; then the program runs as nobody, from copies that
/// nobody may read, and everything it works with is nobody's.
#[cfg(unix)]
struct Unprivileged {
    programs: Option<tempfile::TempDir>,
}

#[cfg(unix)]
impl Unprivileged {
    const NOBODY: u32 = 65534;

    fn new(installation: &Installation, tree: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt;

        // SAFETY: only asks.
        if unsafe { libc::geteuid() } != 0 {
            return Self { programs: None };
        }
        let programs = tempfile::tempdir().unwrap();
        fs::set_permissions(programs.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let rummage = Path::new(env!("CARGO_BIN_EXE_rummage"));
        for (from, name) in [
            (rummage, "rummage"),
            (&worker_program(), "rummage-worker"),
            (&runtime_library(), "libonnxruntime"),
        ] {
            fs::copy(from, programs.path().join(name)).unwrap();
        }
        let nobody = Self::NOBODY.to_string();
        let owned = Command::new("chown")
            .args(["-R", &nobody])
            .args([installation.dir(), tree])
            .status()
            .unwrap();
        assert!(owned.success());
        Self { programs: Some(programs) }
    }

    fn run(&self, installation: &Installation, args: &[&OsStr]) -> Run {
        use std::os::unix::process::CommandExt;

        let mut command = match &self.programs {
            None => installation.command(),
            Some(programs) => {
                let program = |name| programs.path().join(name);
                let mut command = installation.command_of(
                    &program("rummage"),
                    &program("rummage-worker"),
                    &program("libonnxruntime"),
                );
                command.uid(Self::NOBODY).gid(Self::NOBODY);
                command
            }
        };
        Run::of(command.args(args))
    }
}

/// A small disk of its own, in a mount namespace that ends with the command.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_the_work_goes_on_once_there_is_room() {
    let (installation, tree) = (Installation::new(), Tree::prose(800, 3));
    let disk = installation.dir().join("disk");
    fs::create_dir(&disk).unwrap();
    // The data folder lies on a disk that a file fills up to a few hundred
    // kilobytes; then that file goes and the same command runs again.
    let script = "set -e\n\
         mount -t tmpfs -o size=24m tmpfs \"$1\"\n\
         mkdir \"$1/data\"; cp \"$4\" \"$1/data/settings.toml\"\n\
         head -c 23400k /dev/zero > \"$1/filler\"\n\
         code=0; \"$2\" index --json --data \"$1/data\" \"$3\" || code=$?\n\
         echo \"first: $code\"\n\
         rm \"$1/filler\"\n\
         \"$2\" index --json --data \"$1/data\" \"$3\"\n\
         \"$2\" search --json --data \"$1/data\" -k 100 the >/dev/null\n\
         \"$2\" status --json --data \"$1/data\"\n";
    let rummage = installation.command();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    command.arg(&disk).arg(rummage.get_program()).arg(tree.root()).arg(installation.settings());
    for (name, value) in rummage.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let run = Run::of(&mut command).succeeded();
    assert!(run.stdout.contains("first: 1"), "{run:?}");
    assert!(run.stderr.contains("no space is left") && run.stderr.contains("disk/data"), "{run:?}");
    assert!(run.stderr.contains("Free some space"), "the mend: {run:?}");
    let last = run.stdout.lines().last().unwrap();
    let status: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(status["files"]["indexed"], 800, "{run:?}");
}

#[test]
fn its_own_data_folder_is_not_indexed() {
    let (installation, tree) = (Installation::new(), Tree::with([GOOD]));
    let data = tree.path("my-data");
    fs::create_dir(&data).unwrap();
    fs::copy(installation.settings(), data.join("settings.toml")).unwrap();
    let mut command = installation.command();
    command.env("RUMMAGE_DATA", &data).args(["index", "--json"]).arg(tree.root());
    assert_eq!(Run::of(&mut command).json()["files"]["indexed"], 1);
}

#[test]
fn reading_beside_an_indexing_process_disturbs_nothing() {
    let (installation, tree) = (Installation::new(), Tree::prose(1500, 5));
    let mut indexing = installation.command();
    let mut indexing =
        indexing.args(["index", "--quiet"]).arg(tree.root()).stdout(Stdio::null()).spawn().unwrap();
    let code = loop {
        if let Some(status) = indexing.try_wait().unwrap() {
            break status.code();
        }
        let status = installation.run(["status", "--json"]);
        // Until there is a catalog there is nothing to read.
        assert!([0, 2].contains(&status.code), "{status:?}");
    };
    assert_eq!(code, Some(0));
    assert_eq!(installation.status()["files"]["indexed"], 1500);
}

#[test]
fn a_killed_index_run_and_reverted_files_lose_nothing() {
    let (installation, tree) = (Installation::new(), Tree::new());
    let write = |edition: &str| {
        for file in 0..200 {
            tree.write(&format!("{file}.txt"), format!("file {file} in its {edition} edition"));
        }
    };
    write("first");
    installation.index(tree.root());
    write("second");
    // Killed at any moment, the old contents come back.
    let mut child = installation.command();
    let mut child = child.args(["index", "--quiet"]).arg(tree.root()).spawn().unwrap();
    let manifests = installation.data().join("index/passages.lance/_versions");
    let count = || fs::read_dir(&manifests).unwrap().count();
    let before = count();
    while count() == before && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    write("first");
    installation.index(tree.root());
    let found =
        installation.run(["search", "--json", "-k", "500", "--mode", "keyword", "first"]).json();
    assert_eq!(found["results"].as_array().unwrap().len(), 200);
    assert!(installation.find("second", "keyword").is_empty());
}
