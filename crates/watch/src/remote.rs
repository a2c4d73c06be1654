//! Whether a folder lies on a disk whose changes other machines make, and nobody
//! tells about here.

use std::path::Path;

/// File systems of network drives, by the numbers that Linux gives them in statfs(2).
#[cfg(target_os = "linux")]
const NETWORK: [u32; 9] = [
    0x6969,      // NFS
    0x517b,      // SMB, long ago
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2 and 3
    0x0102_1997, // 9P
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
    0x6b41_4653, // AFS, the kernel's own
    0x7375_7245, // Coda
];

/// `false` where the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn is_on_network(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;

    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path is a C string, and the call fills the struct where it gives 0.
    let kind = unsafe {
        if libc::statfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return false;
        }
        found.assume_init().f_type
    };
    // Of another width on each processor; the numbers have 32 bits.
    NETWORK.contains(&(kind as u32))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_on_network(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_this_machine_and_a_missing_one_are_not_on_the_network() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_on_network(folder.path()));
        assert!(!is_on_network(&folder.path().join("nowhere")));
    }
}
