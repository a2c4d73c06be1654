//! What is left out of every folder unless the person says otherwise.

/// Groups of patterns, each with the reason why nobody searches there.
///
/// Names with a dot are hidden anyway. Those named here stay out when a person
/// takes hidden names in with `!.*`, or picks a hidden folder.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "version control keeps copies of what is already there",
        &[".git/", ".hg/", ".svn/", ".jj/", ".bzr/", ".pijul/", "CVS/", "_darcs/"],
    ),
    (
        "packages that others wrote",
        &[
            "node_modules/",
            "bower_components/",
            "site-packages/",
            ".venv/",
            "venv/",
            "__pypackages__/",
            "*.egg-info/",
            ".bundle/",
            ".terraform/",
        ],
    ),
    (
        "what programs make from sources",
        &[
            "target/",
            "build/",
            "dist/",
            "_build/",
            "cmake-build-*/",
            ".svelte-kit/",
            "*.o",
            "*.obj",
            "*.class",
            "*.pyc",
            "*.min.js",
            "*.min.css",
            "*.map",
        ],
    ),
    (
        "caches",
        &[
            "__pycache__/",
            ".cache/",
            ".tox/",
            ".mypy_cache/",
            ".pytest_cache/",
            ".ruff_cache/",
            ".gradle/",
            ".next/",
            ".nuxt/",
            ".turbo/",
            ".parcel-cache/",
            ".npm/",
            ".pnpm-store/",
            ".cargo/registry/",
            ".m2/repository/",
            ".nox/",
            ".hypothesis/",
            ".ipynb_checkpoints/",
            "Library/Caches/",
            "AppData/Local/",
        ],
    ),
    (
        "what the system and programs leave behind",
        &[
            ".DS_Store",
            "Thumbs.db",
            "desktop.ini",
            "$RECYCLE.BIN/",
            "System Volume Information/",
            ".Trash/",
            ".Trash-*/",
            ".local/share/Trash/",
            "lost+found/",
            "~$*",
            "*~",
            "*.swp",
            "*.tmp",
            "*.part",
            "*.crdownload",
        ],
    ),
    (
        "secrets",
        &[
            ".env",
            ".env.*",
            "*.pem",
            "*.key",
            "*.p12",
            "*.pfx",
            "*.jks",
            "*.keystore",
            "*.ppk",
            "*.kdb",
            "*.kdbx",
            "*.psafe3",
            "*.keychain",
            "*.keychain-db",
            "*.agilekeychain/",
            "*.opvault/",
            ".password-store/",
            "id_rsa*",
            "id_dsa*",
            "id_ecdsa*",
            "id_ed25519*",
            ".ssh/",
            ".gnupg/",
            ".aws/",
            ".kube/",
            ".netrc",
            "_netrc",
            ".pgpass",
            ".git-credentials",
            ".htpasswd",
            ".npmrc",
            ".pypirc",
            ".vault-token",
            ".docker/",
        ],
    ),
    (
        "disks of virtual machines and images of disks",
        &[
            "*.vmdk",
            "*.vdi",
            "*.vhd",
            "*.vhdx",
            "*.qcow",
            "*.qcow2",
            "*.ova",
            "*.vmem",
            "*.iso",
            "*.dmg",
            "*.img",
            "*.sparseimage",
            "*.sparsebundle/",
            "*.squashfs",
        ],
    ),
];

/// Why a pattern is among the defaults; `None` where it is not.
pub fn reason_of_default(pattern: &str) -> Option<&'static str> {
    let holds = |(_, patterns): &&(&str, &[&str])| patterns.contains(&pattern);
    GROUPS.iter().find(holds).map(|(reason, _)| *reason)
}

/// The default of `files.ignore`.
pub fn default_ignore() -> Vec<String> {
    GROUPS.iter().flat_map(|(_, patterns)| *patterns).map(|pattern| (*pattern).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_pattern_is_there_twice() {
        let patterns = default_ignore();
        assert_eq!(patterns.iter().collect::<BTreeSet<_>>().len(), patterns.len());
    }
}
