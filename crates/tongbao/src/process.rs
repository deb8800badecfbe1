//! What the process asks of the operating system.

use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, setrlimit, umask};

use crate::config::Limits;

/// Files beside connections: the database, its readers, calls to platforms and
/// merchants.
const OTHER_FILES: u64 = 1_024;

/// Files are made for us alone, memory never goes to a core file, and there are
/// enough file handles for the connections that are allowed.
pub fn harden(limits: Limits) {
    umask(Mode::RWXG | Mode::RWXO);
    let mut core = getrlimit(Resource::Core);
    core.current = Some(0);
    if let Err(error) = setrlimit(Resource::Core, core) {
        tracing::warn!(%error, "core files could not be turned off");
    }
    let mut files = getrlimit(Resource::Nofile);
    let wanted = u64::from(limits.connections.get()) + OTHER_FILES;
    if files.current.is_some_and(|now| now < wanted) {
        files.current = Some(files.maximum.map_or(wanted, |most| most.min(wanted)));
        match setrlimit(Resource::Nofile, files) {
            Ok(()) if files.current >= Some(wanted) => {}
            _ => tracing::warn!(
                wanted,
                "fewer file handles than limits.connections needs; raise the limit (LimitNOFILE)"
            ),
        }
    }
}
