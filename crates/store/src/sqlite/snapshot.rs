//! One state of the database, read beside whoever writes.

use std::path::Path;

use rusqlite::Connection;
use tongbao_core::channel::ChannelAccount;
use tongbao_core::merchant::Merchant;
use tongbao_core::webhook::{Endpoint, WebhookEvent};
use tongbao_core::{Case, EventId, MerchantId, PaymentId};

use super::place::Place;
use super::{
    cases, channels, connection, damage, data_keys, deliveries, endpoints, events, inbox, jobs,
    merchants, migrate, payments, timeline,
};
use crate::snapshot::{Dossier, Part, Snapshot, Standing};
use crate::{CaseFilter, DataKey, EventFilter, InboxFilter, InboxRow, Page, StoreError};

/// A payment has a handful of cases and events; more than this is read in no
/// dossier.
const MOST: usize = 10_000;

/// A SQLite file at one moment.
///
/// The file's log cannot be shortened while this is held: it grows by what is
/// written meanwhile, and is used again afterwards.
pub struct SqliteSnapshot {
    db: Connection,
}

impl SqliteSnapshot {
    /// Opens the database at `path` for reading alone. It takes no lock, so a
    /// gateway may be running on it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_at(&Place::new(path))
    }

    /// The same, wherever the file is.
    pub fn open_at(place: &Place) -> Result<Self, StoreError> {
        let db = connection::reader(place)?;
        // The snapshot is taken by the first read.
        db.execute_batch("BEGIN")?;
        migrate::refuse_other(&db)?;
        payments::count(&db)?;
        Ok(Self { db })
    }
}

impl Snapshot for SqliteSnapshot {
    fn damage(&self, part: Part, line: &mut dyn FnMut(String)) -> Result<(), StoreError> {
        match part {
            Part::Pages => damage::pages(&self.db, line),
            Part::Schema => damage::schema(&self.db, line),
            Part::References => damage::references(&self.db, line),
            Part::Numbers => damage::numbers(&self.db, line),
            Part::Links => damage::links(&self.db, line),
        }
    }

    fn count_payments(&self) -> Result<u64, StoreError> {
        payments::count(&self.db)
    }

    fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        merchants::all(&self.db)
    }

    fn channels(&self, merchant: MerchantId) -> Result<Vec<ChannelAccount>, StoreError> {
        channels::all(&self.db, merchant)
    }

    fn endpoints(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, StoreError> {
        endpoints::all(&self.db, merchant)
    }

    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        data_keys::all(&self.db)
    }

    fn payment_ids(
        &self,
        merchant: MerchantId,
        after: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        payments::ids(&self.db, merchant, after, limit)
    }

    fn dossier(&self, merchant: MerchantId, id: PaymentId) -> Result<Dossier, StoreError> {
        let payment = payments::by_id(&self.db, merchant, id)?
            .ok_or_else(|| StoreError::Corrupt(format!("{id} is listed and not there")))?;
        let told = EventFilter {
            merchant,
            kind: None,
            payment: Some(id),
            cursor: None,
            limit: MOST,
        };
        let kept = CaseFilter {
            merchant,
            state: None,
            unresolved: false,
            payment: Some(id),
            cursor: None,
            limit: MOST,
        };
        let events = events::list(&self.db, &told)?.rows.into_iter();
        Ok(Dossier {
            payment,
            timeline: timeline::of(&self.db, merchant, id)?,
            jobs: jobs::of_payment(&self.db, merchant, id)?,
            cases: cases::list(&self.db, &kept)?.rows,
            events: events
                .map(|event| {
                    let standings = self.standings(merchant, event.id)?;
                    Ok((event, standings))
                })
                .collect::<Result<_, StoreError>>()?,
        })
    }

    fn cases(&self, filter: &CaseFilter) -> Result<Page<Case>, StoreError> {
        cases::list(&self.db, filter)
    }

    fn events(&self, filter: &EventFilter) -> Result<Page<WebhookEvent>, StoreError> {
        events::list(&self.db, filter)
    }

    fn standings(&self, merchant: MerchantId, event: EventId) -> Result<Vec<Standing>, StoreError> {
        deliveries::standings(&self.db, merchant, event)
    }

    fn inbox(&self, filter: &InboxFilter) -> Result<Page<InboxRow>, StoreError> {
        inbox::list(&self.db, filter)
    }
}
