//! What channels say again and again is logged once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tongbao_core::{ChannelId, Timestamp};

/// After so long the same words are news again: the trouble is still there.
const NEWS_AFTER: Duration = Duration::from_hours(1);

/// So many words are remembered.
const MOST: usize = 256;

/// Which channel, to which call, and in which words.
type Words = (ChannelId, &'static str, String);

/// The words that were logged lately. A platform in trouble answers every question
/// in the same ones; and a code that nobody has seen should be found in the log.
#[derive(Default)]
pub(crate) struct Said(Mutex<BTreeMap<Words, Timestamp>>);

impl Said {
    /// Whether it is worth a line.
    pub(crate) fn is_news(
        &self,
        channel: ChannelId,
        call: &'static str,
        why: &str,
        now: Timestamp,
    ) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let words = (channel, call, why.to_owned());
        let recent = |at: &Timestamp| *at <= now && now.since(*at) < NEWS_AFTER;
        if said.get(&words).is_some_and(recent) {
            return false;
        }
        said.retain(|_, at| recent(at));
        if said.len() >= MOST {
            said.clear();
        }
        said.insert(words, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use tongbao_core::id::Id as _;

    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

    #[test]
    fn the_same_words_are_one_line_an_hour() {
        let said = Said::default();
        let [here, there] = [1, 2].map(ChannelId::from_bits);
        let minute = Duration::from_mins(1);
        for (channel, call, why, at, news) in [
            (here, "query", "NEW text", NOON, true),
            (here, "query", "NEW text", NOON + minute, false),
            (here, "close", "NEW text", NOON + minute, true),
            (there, "query", "NEW text", NOON + minute, true),
            (here, "query", "NEWER text", NOON + minute, true),
            (here, "query", "NEW text", NOON + minute * 59, false),
            (here, "query", "NEW text", NOON + minute * 60, true),
            // The clock was set back.
            (here, "query", "NEW text", NOON, true),
        ] {
            assert_eq!(
                said.is_news(channel, call, why, at),
                news,
                "{call} {why} {at}"
            );
        }
    }

    #[test]
    fn whoever_says_something_new_each_time_fills_no_memory() {
        let said = Said::default();
        let channel = ChannelId::from_bits(1);
        for number in 0..1_000 {
            assert!(said.is_news(channel, "query", &format!("{number}"), NOON));
        }
        assert!(said.0.lock().unwrap().len() <= MOST);
    }
}
