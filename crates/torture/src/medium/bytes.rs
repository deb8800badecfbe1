//! A file's bytes in pages, which copies of the file share until one of them
//! writes: a disk is copied before each of its operations.

use std::sync::Arc;

const PAGE: usize = 4096;

type Page = [u8; PAGE];

/// What lies behind the end is zero, so a file grows by its length alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes {
    len: usize,
    pages: Arc<Vec<Arc<Page>>>,
}

impl Bytes {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Fills what it can and answers how much that is.
    pub(super) fn read(&self, at: usize, out: &mut [u8]) -> usize {
        let rest = self.len.saturating_sub(at).min(out.len());
        for part in parts(at, rest) {
            let page = &self.pages[part.page];
            out[part.from..part.from + part.len]
                .copy_from_slice(&page[part.within..part.within + part.len]);
        }
        rest
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.reach(at + bytes.len());
        let pages = Arc::make_mut(&mut self.pages);
        for part in parts(at, bytes.len()) {
            let page = Arc::make_mut(&mut pages[part.page]);
            page[part.within..part.within + part.len]
                .copy_from_slice(&bytes[part.from..part.from + part.len]);
        }
    }

    pub(super) fn resize(&mut self, len: usize) {
        if len > self.len {
            return self.reach(len);
        }
        let pages = Arc::make_mut(&mut self.pages);
        pages.truncate(len.div_ceil(PAGE));
        if let (Some(last), within @ 1..) = (pages.last_mut(), len % PAGE) {
            Arc::make_mut(last)[within..].fill(0);
        }
        self.len = len;
    }

    fn reach(&mut self, len: usize) {
        if len.div_ceil(PAGE) > self.pages.len() {
            let pages = Arc::make_mut(&mut self.pages);
            pages.resize_with(len.div_ceil(PAGE), || Arc::new([0; PAGE]));
        }
        self.len = self.len.max(len);
    }
}

/// A run of bytes within one page.
struct Part {
    page: usize,
    within: usize,
    /// Counted from the first byte of all.
    from: usize,
    len: usize,
}

fn parts(at: usize, len: usize) -> impl Iterator<Item = Part> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let within = (at + from) % PAGE;
        let part = Part {
            page: (at + from) / PAGE,
            within,
            from,
            len: (len - from).min(PAGE - within),
        };
        from += part.len;
        (part.len > 0).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use tongbao_simulation::chance::Chance;

    use super::*;

    /// The same as one vector, whatever is done to it and to its copies.
    #[test]
    fn pages_are_as_good_as_one_piece() {
        let mut chance = Chance::fork(1, "test");
        let mut pairs = vec![(Bytes::default(), Vec::<u8>::new())];
        for _ in 0..2_000 {
            let (mut bytes, mut plain) = pairs[chance.index(pairs.len())].clone();
            let at = chance.index(3 * PAGE);
            if chance.percent(30) {
                bytes.resize(at);
                plain.resize(at, 0);
            } else {
                let mut new = vec![0; chance.index(2 * PAGE)];
                chance.fill(&mut new);
                bytes.write(at, &new);
                plain.resize(plain.len().max(at + new.len()), 0);
                plain[at..at + new.len()].copy_from_slice(&new);
            }
            pairs.truncate(5);
            pairs.push((bytes, plain));
            for (bytes, plain) in &pairs {
                let (from, mut out) = (chance.index(4 * PAGE), vec![0; chance.index(4 * PAGE)]);
                let read = bytes.read(from, &mut out);
                let expected = plain.get(from..).unwrap_or_default();
                assert_eq!(bytes.len(), plain.len());
                assert_eq!(read, expected.len().min(out.len()));
                assert_eq!(out[..read], expected[..read]);
            }
        }
    }
}
