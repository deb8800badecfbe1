//! What the database lies on.
//!
//! File systems of other machines lie about locks and flushes, and SQLite's log
//! needs memory that all of its users share.

use std::path::Path;

/// Where Linux says what is mounted.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Warns when the database is on another machine's disk. Where that cannot be
/// known, nothing is said.
pub(super) fn warn_of_network(database: &Path) {
    let directory = database.parent().unwrap_or(database);
    let (Ok(directory), Ok(mounts)) = (
        std::fs::canonicalize(directory),
        std::fs::read_to_string(MOUNTS),
    ) else {
        return;
    };
    if let Some(kind) = kind_of(&directory, &mounts).filter(|kind| is_network(kind)) {
        tracing::warn!(
            file_system = kind,
            directory = %directory.display(),
            "the database is on a network file system, which can lose or corrupt it; move the \
             data directory to a local disk"
        );
    }
}

/// The file system that holds `path`: of the mounts above it, the nearest, and
/// of several at one place the last.
fn kind_of<'m>(path: &Path, mounts: &'m str) -> Option<&'m str> {
    let mount = |line: &'m str| {
        let (place, kind) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?.replace("\\040", " ");
        let kind = kind.split(' ').next()?;
        path.starts_with(&point).then_some((point.len(), kind))
    };
    let above = mounts.lines().filter_map(mount);
    above
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

fn is_network(kind: &str) -> bool {
    const KINDS: [&str; 13] = [
        "9p",
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "sshfs",
    ];
    KINDS.contains(&kind.strip_prefix("fuse.").unwrap_or(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /srv rw shared:9 - nfs4 nas:/export rw,vers=4.2
31 30 254:1 / /srv/local rw - xfs /dev/vdb rw
32 22 0:27 / /mnt/my\\040shop rw - fuse.sshfs me@there:/ rw
33 22 0:28 / /over rw - nfs nas:/old rw
34 22 254:2 / /over rw - ext4 /dev/vdc rw
";

    #[test]
    fn the_nearest_mount_says_what_a_path_lies_on() {
        for (path, kind, network) in [
            ("/var/lib/tongbao", "ext4", false),
            ("/srv/tongbao", "nfs4", true),
            ("/srv/local/tongbao", "xfs", false),
            ("/srvs", "ext4", false),
            ("/mnt/my shop/data", "fuse.sshfs", true),
            ("/over/data", "ext4", false),
        ] {
            assert_eq!(kind_of(Path::new(path), SAMPLE), Some(kind), "{path}");
            assert_eq!(is_network(kind), network, "{path}");
        }
        assert_eq!(kind_of(Path::new("/var"), "no such lines\n\n"), None);
    }
}
