//! Open connections of live pages: so many in all, a few for one payment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tongbao_core::PaymentId;

/// A payer has a phone and perhaps a computer; more look like an attack on the
/// others' seats.
const FOR_ONE: usize = 8;

/// Who has one.
#[derive(Debug)]
pub(crate) struct Seats {
    most: usize,
    taken: Mutex<BTreeMap<PaymentId, usize>>,
    closed: watch::Sender<bool>,
}

/// One open connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    payment: PaymentId,
    closed: watch::Receiver<bool>,
}

impl Seats {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
            closed: watch::Sender::new(false),
        }
    }

    /// `None` when there is no room: the page asks by itself then.
    pub(crate) fn take(self: &Arc<Self>, payment: PaymentId) -> Option<Seat> {
        let closed = self.closed.subscribe();
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let of_this = taken.get(&payment).copied().unwrap_or(0);
        if *closed.borrow() || all >= self.most || of_this >= FOR_ONE {
            return None;
        }
        taken.insert(payment, of_this + 1);
        drop(taken);
        Some(Seat {
            seats: self.clone(),
            payment,
            closed,
        })
    }

    /// Ends all, and gives out no more.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// How many there are.
    pub(crate) fn taken(&self) -> u32 {
        let all: usize = self.lock().values().sum();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PaymentId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns when the seats are closed.
    pub(crate) async fn closed(&mut self) {
        let _ = self.closed.wait_for(|closed| *closed).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        match taken.get_mut(&self.payment) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.payment);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tongbao_core::id::Id;

    use super::*;

    #[test]
    fn one_payment_cannot_take_every_seat() {
        let seats = Arc::new(Seats::new(10));
        let (one, other) = (PaymentId::from_bits(1), PaymentId::from_bits(2));
        let held: Vec<_> = std::iter::from_fn(|| seats.take(one)).collect();
        assert_eq!(held.len(), FOR_ONE);
        let more: Vec<_> = std::iter::from_fn(|| seats.take(other)).collect();
        assert_eq!(more.len(), 2);

        drop(held);
        assert_eq!(seats.taken(), 2);
        assert!(seats.take(one).is_some());
    }

    #[test]
    fn closed_seats_are_given_to_nobody() {
        let seats = Arc::new(Seats::new(10));
        seats.close();
        assert!(seats.take(PaymentId::from_bits(1)).is_none());
    }
}
