//! What a disk holds, and what of it a power cut leaves.
//!
//! A file is twice here: as processes see it, and as it is on the disk. What
//! lies between are writes that nobody has synced yet; each of them may be on
//! the disk or not, whole or in part, whatever became of the others. Names are
//! kept apart from files: a directory has to be synced as well.

mod bytes;

use std::collections::BTreeMap;
use std::sync::Arc;

use tongbao_simulation::chance::Chance;

use bytes::Bytes;

/// A disk writes so much at once; what is larger can be torn.
const SECTOR: usize = 512;

/// A file, whatever its name is.
pub type FileId = u64;

/// Something that was asked for and not synced.
#[derive(Clone, Debug)]
enum Unsynced {
    Write { at: usize, bytes: Arc<[u8]> },
    Truncate { len: usize },
}

#[derive(Clone, Debug, Default)]
struct File {
    seen: Bytes,
    on_disk: Bytes,
    unsynced: Vec<Unsynced>,
}

#[derive(Clone, Debug)]
enum Renamed {
    Made { name: String, file: FileId },
    Deleted { name: String },
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Medium {
    next: FileId,
    files: BTreeMap<FileId, File>,
    names: BTreeMap<String, FileId>,
    names_on_disk: BTreeMap<String, FileId>,
    unsynced_names: Vec<Renamed>,
}

impl Medium {
    /// With one empty file, whose name is on the disk.
    pub fn with_file(name: &str) -> Self {
        let mut medium = Self::default();
        medium.make(name);
        medium.sync_names();
        medium
    }

    /// The file of that name.
    pub fn find(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    /// A new empty file.
    pub fn make(&mut self, name: &str) -> FileId {
        let file = self.next;
        self.next += 1;
        self.files.insert(file, File::default());
        self.names.insert(name.to_owned(), file);
        self.unsynced_names.push(Renamed::Made {
            name: name.to_owned(),
            file,
        });
        file
    }

    /// The name is gone; the file stays with those who have it open.
    pub fn delete(&mut self, name: &str) -> bool {
        let found = self.names.remove(name).is_some();
        if found {
            let name = name.to_owned();
            self.unsynced_names.push(Renamed::Deleted { name });
        }
        found
    }

    /// Names are on the disk as processes see them.
    pub fn sync_names(&mut self) {
        self.unsynced_names.clear();
        self.names_on_disk.clone_from(&self.names);
    }

    /// How long the file is.
    pub fn len(&self, file: FileId) -> usize {
        self.files.get(&file).map_or(0, |file| file.seen.len())
    }

    /// Fills what it can and answers how much that is.
    pub fn read(&self, file: FileId, at: usize, out: &mut [u8]) -> usize {
        let file = self.files.get(&file);
        file.map_or(0, |file| file.seen.read(at, out))
    }

    /// Seen at once, on the disk some day.
    pub fn write(&mut self, file: FileId, at: usize, bytes: &[u8]) {
        if let Some(file) = self.files.get_mut(&file) {
            file.seen.write(at, bytes);
            let bytes = bytes.into();
            file.unsynced.push(Unsynced::Write { at, bytes });
        }
    }

    /// The same for the end of the file.
    pub fn truncate(&mut self, file: FileId, len: usize) {
        if let Some(file) = self.files.get_mut(&file) {
            file.seen.resize(len);
            file.unsynced.push(Unsynced::Truncate { len });
        }
    }

    /// Everything of it is on the disk.
    pub fn sync(&mut self, file: FileId) {
        if let Some(file) = self.files.get_mut(&file) {
            // A write that was lost is seen and not among these.
            for change in std::mem::take(&mut file.unsynced) {
                apply(&mut file.on_disk, &change);
            }
        }
    }

    /// Every byte of it was written again and synced.
    pub fn settle(&mut self, file: FileId) {
        if let Some(file) = self.files.get_mut(&file) {
            file.unsynced.clear();
            file.on_disk = file.seen.clone();
        }
    }

    /// The disk could not be written. What was to be written is on it in part,
    /// and the system thinks that it need not try again: whoever reads still
    /// sees it, and the next sync succeeds without it.
    pub fn lose(&mut self, file: FileId, chance: &mut Chance) {
        if let Some(file) = self.files.get_mut(&file) {
            survive(file, chance);
        }
    }

    /// What is there when the power comes back.
    pub fn cut_power(&mut self, chance: &mut Chance) {
        for renamed in std::mem::take(&mut self.unsynced_names) {
            if chance.percent(50) {
                continue;
            }
            match renamed {
                Renamed::Made { name, file } => self.names_on_disk.insert(name, file),
                Renamed::Deleted { name } => self.names_on_disk.remove(&name),
            };
        }
        self.names.clone_from(&self.names_on_disk);
        let kept: Vec<_> = self.names.values().copied().collect();
        self.files.retain(|id, _| kept.contains(id));
        for file in self.files.values_mut() {
            survive(file, chance);
            file.seen.clone_from(&file.on_disk);
        }
    }

    /// Whether a power cut could make a difference.
    pub fn is_synced(&self) -> bool {
        let mut files = self.files.values();
        self.unsynced_names.is_empty() && files.all(|file| file.unsynced.is_empty())
    }
}

fn apply(target: &mut Bytes, change: &Unsynced) {
    match change {
        Unsynced::Write { at, bytes } => target.write(*at, bytes),
        Unsynced::Truncate { len } => target.resize(*len),
    }
}

/// How the writes that nobody synced fare.
#[derive(Clone, Copy)]
enum Fate {
    Lost,
    Kept,
    /// Each by itself.
    Any,
    /// Each by itself, and in part.
    Torn,
    /// The first ones, and a part of the next.
    First,
    /// The last ones: disks write in the order that suits them.
    Last,
}

const FATES: [Fate; 6] = [
    Fate::Lost,
    Fate::Kept,
    Fate::Any,
    Fate::Torn,
    Fate::First,
    Fate::Last,
];

fn survive(file: &mut File, chance: &mut Chance) {
    let fate = chance.pick(&FATES);
    let changes = std::mem::take(&mut file.unsynced);
    let split = chance.index(changes.len());
    for (place, change) in changes.iter().enumerate() {
        let (whole, torn) = match fate {
            Fate::Lost => (false, false),
            Fate::Kept => (true, false),
            Fate::Any => (chance.percent(50), false),
            Fate::Torn => (chance.percent(30), chance.percent(70)),
            Fate::First => (place < split, place == split),
            Fate::Last => (place > split, place == split),
        };
        if whole {
            apply(&mut file.on_disk, change);
        } else if let (true, Unsynced::Write { at, bytes }) = (torn, change) {
            tear(&mut file.on_disk, *at, bytes, chance);
        }
    }
}

/// Some of its sectors.
fn tear(target: &mut Bytes, at: usize, bytes: &[u8], chance: &mut Chance) {
    let mut from = 0;
    while from < bytes.len() {
        let sector_ends = SECTOR - (at + from) % SECTOR;
        let to = bytes.len().min(from + sector_ends);
        if chance.percent(50) {
            target.write(at + from, &bytes[from..to]);
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(medium: &Medium, seed: u64) -> Medium {
        let mut after = medium.clone();
        after.cut_power(&mut Chance::fork(seed, "test"));
        after
    }

    fn text(medium: &Medium, name: &str) -> Option<Vec<u8>> {
        let file = medium.find(name)?;
        let mut out = vec![0; medium.len(file)];
        medium.read(file, 0, &mut out);
        Some(out)
    }

    #[test]
    fn what_was_synced_is_there_whatever_happens() {
        let mut medium = Medium::with_file("a");
        let file = medium.find("a").unwrap();
        medium.write(file, 0, b"synced");
        medium.sync(file);
        for seed in 0..100 {
            assert_eq!(text(&cut(&medium, seed), "a").unwrap(), b"synced");
        }
    }

    #[test]
    fn what_was_not_synced_may_be_there_or_not_or_in_part() {
        let mut medium = Medium::with_file("a");
        let file = medium.find("a").unwrap();
        medium.write(file, 0, &[1; 2 * SECTOR]);
        let outcomes: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| text(&cut(&medium, seed), "a"))
            .collect();

        assert!(outcomes.contains(&Some(vec![])));
        assert!(outcomes.contains(&Some(vec![1; 2 * SECTOR])));
        assert!(outcomes.contains(&Some(vec![1; SECTOR])));
        let second_alone = [vec![0; SECTOR], vec![1; SECTOR]].concat();
        assert!(outcomes.contains(&Some(second_alone)));
    }

    #[test]
    fn a_new_files_name_may_be_lost_until_the_directory_is_synced() {
        let mut medium = Medium::default();
        let file = medium.make("a");
        medium.write(file, 0, b"synced");
        medium.sync(file);
        let found = |medium: &Medium| {
            (0..100)
                .filter(|seed| text(&cut(medium, *seed), "a").is_some())
                .count()
        };
        assert!((1..100).contains(&found(&medium)));
        medium.sync_names();
        assert_eq!(found(&medium), 100);
    }

    #[test]
    fn a_failed_sync_is_not_made_good_by_the_next() {
        let mut medium = Medium::with_file("a");
        let file = medium.find("a").unwrap();
        medium.write(file, 0, b"lost");
        let lost = (0..100).filter(|seed| {
            let mut medium = medium.clone();
            medium.lose(file, &mut Chance::fork(*seed, "test"));
            medium.sync(file);
            assert_eq!(text(&medium, "a").unwrap(), b"lost");
            text(&cut(&medium, 0), "a").unwrap() != b"lost"
        });
        assert!((1..100).contains(&lost.count()));
    }
}
