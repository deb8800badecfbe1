//! I2, B14: no room on the disk. Nothing is acknowledged that was not written,
//! the program stays, says that it is not ready, and goes on when there is room.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::chance::Chance;
use crate::stage::{Stage, direct};
use crate::{pause, tell};

/// Far more than the load's data and its log ever take, so that it is full by
/// the ballast alone, and quickly filled.
const SIZE: &str = "size=256m";

pub(crate) fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount() else {
        eprintln!("SKIPPED: no tmpfs can be mounted here; run it as root, outside of a sandbox");
        return;
    };
    tell(async |chance| story(chance, &disk).await);
}

async fn story(chance: Chance, disk: &Disk) {
    let data = disk.path().join("data");
    let mut stage = Stage::open("disk", chance, direct, |config| {
        config["data_dir"] = json!(data);
    })
    .await;
    let mut gateway = stage.home.start().await;
    stage.endpoint.subscribe().await;
    stage.open_the_shop(6);
    for _ in 0..3 {
        pause(Duration::from_secs(2)).await;
        stage.what_was_acknowledged_is_kept().await;
        disk.fill();
        until(&mut stage, &mut gateway, 503).await;
        // Customers come, pay and are told "later" meanwhile.
        pause(Duration::from_secs(2)).await;
        until(&mut stage, &mut gateway, 503).await;
        disk.empty();
        until(&mut stage, &mut gateway, 200).await;
        stage.nobody_complains();
    }
    stage.every_promise_was_kept(gateway).await;
}

/// Until the gateway says so of itself.
async fn until(stage: &mut Stage, gateway: &mut crate::gateway::Gateway, status: u16) {
    let since = Instant::now();
    let url = format!("http://{}/readyz", stage.home.address);
    loop {
        let answer = reqwest::get(&url).await.expect("the process stays");
        if answer.status().as_u16() == status {
            return;
        }
        assert!(gateway.is_there(), "it ended; {}", stage.home.said());
        let late = since.elapsed() > Duration::from_secs(20);
        assert!(!late, "it never said {status}; {}", stage.home.said());
        pause(Duration::from_millis(50)).await;
    }
}

/// A small file system of our own.
struct Disk(TempDir);

impl Disk {
    /// `None` where that is not permitted.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(dir.path())
            .output();
        mount.ok()?.status.success().then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// To the last byte.
    fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).expect("room for a name");
        for size in [1 << 20, 4_096, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.ballast()).expect("it was filled");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The gateway's process may be on its way out.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
