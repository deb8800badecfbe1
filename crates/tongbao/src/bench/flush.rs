//! What the disk takes to keep something for certain: the floor under every
//! durable answer.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::latency::median;
use super::stopwatch::Stopwatch;

/// Of an append of four kilobytes and its flush.
pub(super) fn median_flush(dir: &Path) -> anyhow::Result<Duration> {
    let path = dir.join("flush");
    let mut file = File::create_new(&path)?;
    let mut took = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4_096])?;
        let watch = Stopwatch::start();
        file.sync_data()?;
        took.push(watch.elapsed());
    }
    drop(file);
    std::fs::remove_file(path)?;
    median(took).context("nothing was flushed")
}
