//! What holds for the workspace as a whole. Each crate tests itself; the tests in
//! the real window are in tests/desktop.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

/// Crates that each stand behind one crate of ours, or two, so that a change of theirs
/// touches one place and everything else stays quick to build.
const BEHIND_ONE: [(&str, &[&str]); 13] = [
    ("arrow", &["store"]),
    ("clap", &["cli"]),
    ("html5ever", &["extract"]),
    ("ignore", &["watch"]),
    ("lancedb", &["store"]),
    ("notify", &["watch"]),
    ("ort", &["worker"]),
    ("reqwest", &["fetch"]),
    // The catalog must not lose a row, the cache may: they share nothing.
    ("rusqlite", &["cache", "catalog"]),
    ("sysinfo", &["pool"]),
    ("tauri", &["desktop"]),
    ("text-splitter", &["chunk"]),
    ("tokenizers", &["chunk"]),
];

type Edges = BTreeMap<String, BTreeSet<String>>;

/// What each package of the workspace depends on to run, by name; ours without
/// their prefix.
fn dependencies() -> Edges {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let of_run = package["dependencies"].as_array().expect("dependencies").iter();
            let of_run = of_run.filter(|dependency| dependency["kind"].is_null());
            (short(&package["name"]), of_run.map(|dependency| short(&dependency["name"])).collect())
        })
        .collect()
}

fn short(name: &Value) -> String {
    let name = name.as_str().expect("a name");
    name.strip_prefix("rummage-").unwrap_or(name).to_owned()
}

/// The table of ARCHITECTURE.md: a crate, what it owns, and which of ours it may know.
fn allowed() -> Edges {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).expect("ARCHITECTURE.md");
    let rows = text.lines().filter_map(|line| {
        let [_, name, _, known, _] = line.split('|').collect::<Vec<_>>().try_into().ok()?;
        let name = name.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let known = known.split(',').map(|known| known.trim().trim_matches('`').to_owned());
        Some((name, known.filter(|known| known != "–").collect()))
    });
    rows.collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let allowed = allowed();
    let actual = dependencies();
    let names: BTreeSet<&String> = actual.keys().collect();
    assert_eq!(names, allowed.keys().collect(), "the table of ARCHITECTURE.md names every crate");
    for (name, dependencies) in &actual {
        let ours: BTreeSet<String> =
            dependencies.iter().filter(|other| actual.contains_key(*other)).cloned().collect();
        let surplus: Vec<_> = ours.difference(&allowed[name]).collect();
        assert!(surplus.is_empty(), "{name} may not know {surplus:?} (ARCHITECTURE.md)");
        let unused: Vec<_> = allowed[name].difference(&ours).collect();
        assert!(unused.is_empty(), "{name} does not know {unused:?}: the table is out of date");
    }
}

#[test]
fn the_windows_program_is_the_command_line_where_it_is_told_so_and_needs_no_display() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_rummage-desktop"))
            .arg("--command")
            .args(arguments)
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env("RUMMAGE_DATA", dir.path())
            .output()
            .expect("it starts")
    };
    let version = run(&["--version"]);
    let expected = format!("rummage {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&version.stdout), expected, "{version:?}");
    let wrong = run(&["searches"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let empty = run(&["search", "lamp"]);
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
    assert!(
        String::from_utf8_lossy(&empty.stderr).contains("nothing has been indexed"),
        "{empty:?}"
    );
}

#[test]
fn large_dependencies_stand_behind_one_crate() {
    let actual = dependencies();
    for (dependency, owners) in BEHIND_ONE {
        let users = actual.iter().filter(|(_, all)| all.contains(dependency));
        let users: Vec<_> = users.map(|(name, _)| name.as_str()).collect();
        assert_eq!(users, owners, "{dependency} is used by {users:?}");
    }
}
