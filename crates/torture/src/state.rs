//! What a database holds, in two numbers: by its rows, and by what the store's
//! readers say.

use std::fmt::Write;

use futures::FutureExt;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tongbao_core::{EventId, MerchantId, PaymentId, Timestamp};
use tongbao_store::{CaseFilter, EventFilter, InboxFilter, PaymentFilter, Store, StoreError};

use crate::driven::FILE;
use crate::hash::Hash;
use crate::vfs::Disk;

/// Equal for equal contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// By its rows.
    pub rows: u64,
    /// By what the store's readers say.
    pub read: u64,
}

/// A connection beside the store's that looks at everything.
pub struct Looker(Connection);

impl Looker {
    /// Opens it.
    pub fn open(disk: &Disk) -> Result<Self, String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(FILE, flags, disk.name())
            .map(Self)
            .map_err(|error| format!("the database cannot be opened: {error}"))
    }

    /// Whether SQLite finds it whole, and no reference leads nowhere.
    pub fn is_whole(&self) -> Result<(), String> {
        let check = || -> rusqlite::Result<Option<String>> {
            let verdict: String = self
                .0
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            if verdict != "ok" {
                return Ok(Some(format!("integrity_check says {verdict}")));
            }
            let mut orphans = self.0.prepare("PRAGMA foreign_key_check")?;
            let orphan = orphans.query([])?.next()?.is_some();
            Ok(orphan.then(|| "a reference leads nowhere".to_owned()))
        };
        match check() {
            Ok(None) => Ok(()),
            Ok(Some(what)) => Err(what),
            Err(error) => Err(format!("the database cannot be checked: {error}")),
        }
    }

    /// A hash of every row.
    pub fn rows(&self) -> Result<u64, String> {
        let hash = || -> rusqlite::Result<u64> {
            let mut hash = Hash::default();
            let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name";
            let mut tables = self.0.prepare_cached(sql)?;
            let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for table in tables {
                let (name, sql): (String, Option<String>) = table?;
                hash.add(sql.unwrap_or_default().as_bytes());
                let mut statement = self.0.prepare_cached(&format!("SELECT * FROM {name}"))?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    for column in 0..columns {
                        add_value(&mut hash, row.get_ref(column)?);
                    }
                }
            }
            Ok(hash.sum())
        };
        hash().map_err(|error| format!("the rows cannot be read: {error}"))
    }

    /// The rows, for people.
    pub fn print(&self) -> String {
        let mut out = String::new();
        let mut print = || -> rusqlite::Result<()> {
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
            let mut tables = self.0.prepare(sql)?;
            for name in tables.query_map([], |row| row.get::<_, String>(0))? {
                let name = name?;
                let mut statement = self.0.prepare(&format!("SELECT * FROM {name}"))?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let values = (0..columns).map(|column| row.get_ref(column));
                    let values: Result<Vec<_>, _> = values.collect();
                    let _ = writeln!(out, "{name}: {:?}", values?);
                }
            }
            Ok(())
        };
        if let Err(error) = print() {
            let _ = writeln!(out, "{error}");
        }
        out
    }
}

/// The state of the database, through the looker and through the store.
pub fn state(looker: &Looker, store: &dyn Store, merchant: MerchantId) -> Result<State, String> {
    Ok(State {
        rows: looker.rows()?,
        read: read(store, merchant)?,
    })
}

/// A hash of what the store's readers say.
pub fn read(store: &dyn Store, merchant: MerchantId) -> Result<u64, String> {
    let reads = everything(store, merchant).now_or_never();
    let reads = reads.ok_or("a reader waits")?;
    let reads = reads.map_err(|error| format!("the store cannot read: {error}"))?;
    let mut hash = Hash::default();
    hash.add(reads.as_bytes());
    Ok(hash.sum())
}

/// Everything that a merchant can ask for, in words.
async fn everything(store: &dyn Store, merchant: MerchantId) -> Result<String, StoreError> {
    let mut out = String::new();
    let mut add = |what: &dyn std::fmt::Debug| {
        let _ = write!(out, "{what:?}");
    };
    let (limit, cursor) = (100, None);
    add(&store.merchants().await?);
    add(&store.channels(merchant).await?);
    add(&store.endpoints(merchant).await?);
    for shop in store.shops(merchant).await? {
        add(&store.tills(merchant, shop.id).await?);
        let end = Timestamp::from_secs(1_900_000_000);
        let start = Timestamp::from_secs(0);
        add(&store.takings(merchant, shop.id, start, end).await?);
        add(&shop);
    }
    add(&store.next_due().await?);
    add(&store.pulse(Timestamp::from_secs(1_900_000_000)).await?);
    let payments = PaymentFilter {
        merchant,
        store: None,
        merchant_order_no: None,
        state: None,
        from: None,
        to: None,
        cursor: cursor.clone(),
        limit,
    };
    let payments = store.payments(payments).await?.rows;
    for payment in &payments {
        add(payment);
        add(&store.timeline(merchant, payment.id).await?);
        let number = &payment.order.merchant_order_no;
        let found = store.payment_by_order_no(merchant, number).await?;
        add(&found.map(|found: tongbao_core::Payment| -> PaymentId { found.id }));
    }
    let cases = CaseFilter {
        merchant,
        state: None,
        unresolved: false,
        payment: None,
        cursor: cursor.clone(),
        limit,
    };
    add(&store.cases(cases).await?);
    let events = EventFilter {
        merchant,
        kind: None,
        payment: None,
        cursor: cursor.clone(),
        limit,
    };
    for event in store.events(events).await?.rows {
        let id: EventId = event.id;
        add(&event);
        add(&store.deliveries(merchant, id).await?);
    }
    let inbox = InboxFilter {
        merchant,
        channel: None,
        payment: None,
        cursor,
        limit,
    };
    add(&store.inbox(inbox).await?);
    Ok(out)
}

fn add_value(hash: &mut Hash, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hash.add(b"n"),
        ValueRef::Integer(number) => hash.add(&number.to_le_bytes()),
        ValueRef::Real(number) => hash.add(&number.to_le_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => hash.add(bytes),
    }
}
