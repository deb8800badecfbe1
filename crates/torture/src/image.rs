//! A database as whoever reads it sees it, without asking SQLite: the pages of
//! its file, under what its log holds of them.
//!
//! Equal images are equal databases, so what SQLite has said of one of them need
//! not be asked again. Unequal ones may still hold the same rows.
//! (The formats: <https://sqlite.org/walformat.html>.)

use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::machine::Region;
use crate::medium::Medium;

const PAGE: usize = 4096;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// How much of the log is committed: what the memory that connections share says
/// of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEnd {
    frames: usize,
    pages: usize,
}

impl LogEnd {
    /// `None` while somebody changes it, or before anybody has read the log.
    pub(crate) fn of(index: &Region) -> Option<Self> {
        let header = |at: usize| -> Vec<u8> {
            let words = index[at..at + 6].iter();
            let words = words.map(|word| word.load(std::sync::atomic::Ordering::Relaxed));
            words.flat_map(u64::to_ne_bytes).collect()
        };
        let first = header(0);
        let number = |at: usize| -> Option<usize> {
            let bytes = first[at..at + 4].try_into().ok()?;
            usize::try_from(u32::from_ne_bytes(bytes)).ok()
        };
        let end = Self {
            frames: number(16)?,
            pages: number(20)?,
        };
        let page = usize::from(u16::from_ne_bytes([first[14], first[15]]));
        let is_read = first[12] == 1 && first == header(6);
        (is_read && (end.frames == 0 || page == PAGE)).then_some(end)
    }
}

/// A disk at one moment, while a database on it was open.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The disk.
    pub medium: Medium,
    pub(crate) name: String,
    pub(crate) log: Option<LogEnd>,
}

impl Snapshot {
    /// A hash of every page; `None` when nobody knows how long the log is.
    pub fn image(&self) -> Option<u64> {
        let (medium, end) = (&self.medium, self.log?);
        let file = medium.find(&self.name)?;
        let log = medium.find(&format!("{}-wal", self.name));
        let mut newest = BTreeMap::new();
        for frame in 0..end.frames {
            let at = LOG_HEADER + frame * (FRAME_HEADER + PAGE);
            let mut number = [0; 4];
            medium.read(log?, at, &mut number);
            newest.insert(u32::from_be_bytes(number), at + FRAME_HEADER);
        }
        let pages = match end.frames {
            0 => medium.len(file) / PAGE,
            _ => end.pages,
        };
        let mut hash = Hash::default();
        let mut bytes = [0; PAGE];
        for (number, place) in (1..).zip(0..pages) {
            match newest.get(&number) {
                Some(at) => medium.read(log?, *at, &mut bytes),
                None => medium.read(file, place * PAGE, &mut bytes),
            };
            hash.add(&bytes);
        }
        Some(hash.sum())
    }
}
