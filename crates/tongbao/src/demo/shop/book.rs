//! The shop's orders, kept in a file of one line per change.
//!
//! A line is on the disk before anybody is answered: the order before the
//! gateway is asked for money, what a webhook said before it is acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use super::fen::Fen;
use super::order_no::OrderNo;

/// All orders, and the file that remembers them.
pub(super) struct Book {
    kept: Mutex<Kept>,
    changes: broadcast::Sender<OrderNo>,
}

struct Kept {
    file: File,
    orders: Orders,
}

#[derive(Default)]
struct Orders {
    by_no: BTreeMap<OrderNo, Order>,
    /// Oldest first.
    placed: Vec<OrderNo>,
    /// Every `webhook-id` that was applied or found to be old.
    told: BTreeSet<String>,
}

/// What a buyer ordered, and how it stands.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) no: OrderNo,
    pub(super) article: String,
    /// As the payer reads it; the same in every try.
    pub(super) subject: String,
    pub(super) amount: Fen,
    /// None until the gateway has answered.
    pub(super) bill: Option<Bill>,
    pub(super) standing: Standing,
    /// The webhook that set `standing`.
    pub(super) told: Option<Told>,
    /// Rises with every change: pages that show an older one look again.
    pub(super) revision: u64,
}

/// What the gateway made of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bill {
    pub(super) payment: String,
    pub(super) checkout_url: String,
    /// The QR code's text, as far as the gateway knew it.
    pub(super) code_url: Option<String>,
    /// RFC 3339.
    pub(super) created_at: String,
}

/// How the order stands, as far as webhooks have told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Waiting,
    Paid,
    Closed,
}

/// A webhook that was verified and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) webhook_id: String,
    pub(super) sequence: i64,
    pub(super) standing: Standing,
    /// When it became so, RFC 3339.
    pub(super) at: String,
}

/// What came of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Changed,
    /// The same webhook came before.
    Repeated,
    /// A newer one came before.
    Older,
    /// No such order here: somebody else used the same API key.
    NotOurs,
}

/// The number is in use for another article.
#[derive(Debug)]
pub(super) struct AnotherOrder;

#[derive(Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
enum Line {
    Placed {
        no: OrderNo,
        article: String,
        subject: String,
        amount: Fen,
    },
    Billed {
        no: OrderNo,
        bill: Bill,
    },
    Told {
        no: OrderNo,
        told: Told,
    },
}

impl Book {
    /// Reads the file, or starts it. A last line that a crash cut short was
    /// never answered for, and is cut off.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        text.truncate(whole);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut orders = Orders::default();
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            orders.apply(serde_json::from_slice(line)?);
        }
        Ok(Self {
            kept: Mutex::new(Kept { file, orders }),
            changes: broadcast::channel(64).0,
        })
    }

    /// Writes the order down, once however often it is placed.
    pub(super) fn place(
        &self,
        no: &OrderNo,
        article: &str,
        subject: &str,
        amount: Fen,
    ) -> io::Result<Result<Order, AnotherOrder>> {
        let mut kept = self.lock();
        if let Some(order) = kept.orders.by_no.get(no) {
            let same = order.article == article;
            return Ok(same.then(|| order.clone()).ok_or(AnotherOrder));
        }
        kept.write(Line::Placed {
            no: no.clone(),
            article: article.to_owned(),
            subject: subject.to_owned(),
            amount,
        })?;
        Ok(Ok(kept.orders.by_no[no].clone()))
    }

    /// Notes what the gateway made of an order that was placed.
    pub(super) fn bill(&self, no: &OrderNo, bill: Bill) -> io::Result<()> {
        let no = no.clone();
        self.lock().write(Line::Billed {
            no: no.clone(),
            bill,
        })?;
        self.changed(no);
        Ok(())
    }

    /// Applies what a webhook told, if it is news.
    pub(super) fn tell(&self, no: &OrderNo, told: Told) -> io::Result<Applied> {
        let mut kept = self.lock();
        let Some(order) = kept.orders.by_no.get(no) else {
            return Ok(Applied::NotOurs);
        };
        if kept.orders.told.contains(&told.webhook_id) {
            return Ok(Applied::Repeated);
        }
        let news = order.is_older_than(&told);
        kept.write(Line::Told {
            no: no.clone(),
            told,
        })?;
        if !news {
            return Ok(Applied::Older);
        }
        self.changed(no.clone());
        Ok(Applied::Changed)
    }

    pub(super) fn order(&self, no: &OrderNo) -> Option<Order> {
        self.lock().orders.by_no.get(no).cloned()
    }

    /// The last few orders, newest first.
    pub(super) fn latest(&self, count: usize) -> Vec<Order> {
        let orders = &self.lock().orders;
        let newest = orders.placed.iter().rev().take(count);
        newest.map(|no| orders.by_no[no].clone()).collect()
    }

    /// Orders that have just changed. A slow listener misses some and must look
    /// for itself.
    pub(super) fn changes(&self) -> broadcast::Receiver<OrderNo> {
        self.changes.subscribe()
    }

    fn changed(&self, no: OrderNo) {
        // Nobody listening is no error.
        let _ = self.changes.send(no);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn write(&mut self, line: Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let end = self.file.stream_position()?;
        let written = self
            .file
            .write_all(&text)
            .and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a line must not stand in front of the next one.
            self.file.set_len(end)?;
            self.file.seek(SeekFrom::Start(end))?;
        }
        written?;
        self.orders.apply(line);
        Ok(())
    }
}

impl Orders {
    fn apply(&mut self, line: Line) {
        match line {
            Line::Placed {
                no,
                article,
                subject,
                amount,
            } => {
                self.placed.push(no.clone());
                let order = Order {
                    no: no.clone(),
                    article,
                    subject,
                    amount,
                    bill: None,
                    standing: Standing::Waiting,
                    told: None,
                    revision: 1,
                };
                self.by_no.insert(no, order);
            }
            Line::Billed { no, bill } => {
                if let Some(order) = self.by_no.get_mut(&no) {
                    order.bill = Some(bill);
                    order.revision += 1;
                }
            }
            Line::Told { no, told } => {
                self.told.insert(told.webhook_id.clone());
                if let Some(order) = self.by_no.get_mut(&no)
                    && order.is_older_than(&told)
                {
                    order.standing = told.standing;
                    order.told = Some(told);
                    order.revision += 1;
                }
            }
        }
    }
}

impl Order {
    fn is_older_than(&self, told: &Told) -> bool {
        let last = self.told.as_ref().map(|told| told.sequence);
        last.is_none_or(|last| told.sequence > last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no() -> OrderNo {
        "TEA-000000000001".parse().unwrap()
    }

    fn told(webhook_id: &str, sequence: i64, standing: Standing) -> Told {
        Told {
            webhook_id: webhook_id.into(),
            sequence,
            standing,
            at: "2026-11-21T08:00:00Z".into(),
        }
    }

    fn placed(dir: &tempfile::TempDir) -> Book {
        let book = Book::open(&dir.path().join("orders.jsonl")).unwrap();
        let order = book
            .place(&no(), "gaiwan", "白瓷盖碗", Fen(12_800))
            .unwrap();
        assert_eq!(order.unwrap().standing, Standing::Waiting);
        book
    }

    #[test]
    fn an_order_is_placed_once_and_its_number_is_for_no_other_article() {
        let dir = tempfile::tempdir().unwrap();
        let book = placed(&dir);
        assert!(
            book.place(&no(), "gaiwan", "gaiwan", Fen(12_800))
                .unwrap()
                .is_ok()
        );
        assert!(
            book.place(&no(), "teapot", "teapot", Fen(68_000))
                .unwrap()
                .is_err()
        );
        assert_eq!(book.latest(9).len(), 1);
    }

    #[test]
    fn only_a_higher_sequence_changes_an_order_and_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let book = placed(&dir);
        let steps = [
            (told("evt_1", 3, Standing::Paid), Applied::Changed),
            (told("evt_1", 3, Standing::Paid), Applied::Repeated),
            (told("evt_2", 2, Standing::Closed), Applied::Older),
            (told("evt_2", 2, Standing::Closed), Applied::Repeated),
        ];
        for (told, applied) in steps {
            assert_eq!(book.tell(&no(), told).unwrap(), applied);
        }
        assert_eq!(book.order(&no()).unwrap().standing, Standing::Paid);
        let stranger = "TEA-000000000002".parse().unwrap();
        let told = told("evt_3", 1, Standing::Paid);
        assert_eq!(book.tell(&stranger, told).unwrap(), Applied::NotOurs);
    }

    #[test]
    fn the_book_is_read_again_and_a_torn_last_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.jsonl");
        let book = placed(&dir);
        book.tell(&no(), told("evt_1", 3, Standing::Paid)).unwrap();
        drop(book);
        let mut text = std::fs::read(&path).unwrap();
        text.extend(b"{\"change\":\"pla");
        std::fs::write(&path, &text).unwrap();

        let book = Book::open(&path).unwrap();
        assert_eq!(book.order(&no()).unwrap().standing, Standing::Paid);
        let again = book.tell(&no(), told("evt_1", 3, Standing::Paid)).unwrap();
        assert_eq!(again, Applied::Repeated);
        let other = "TEA-000000000002".parse().unwrap();
        assert!(
            book.place(&other, "teapot", "紫砂壶", Fen(68_000))
                .unwrap()
                .is_ok()
        );
        assert_eq!(Book::open(&path).unwrap().latest(9).len(), 2);
    }
}
