//! The table while it is being written.

use std::collections::BTreeMap;

use super::letter::{Algorithm, Letter};
use super::{Forgery, Must, Target};

pub(super) struct Table<'a> {
    pub(super) target: &'a Target,
    pub(super) rows: Vec<Forgery>,
    /// The last number below each attack.
    last: BTreeMap<&'static str, u32>,
}

impl<'a> Table<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self {
            target,
            rows: Vec::new(),
            last: BTreeMap::new(),
        }
    }

    /// The right key.
    pub(super) fn key(&self) -> &'a str {
        self.target.account.key.expose()
    }

    /// What the orders are signed with.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.target.algorithm
    }

    /// "Paid", not yet signed.
    pub(super) fn letter(&self) -> Letter {
        Letter::of(self.target)
    }

    /// Signed as it should be: whatever is wrong with it is wrong elsewhere.
    pub(super) fn sign(&self, letter: Letter) -> Letter {
        letter.signed(self.key(), self.algorithm())
    }

    /// The genuine message.
    pub(super) fn genuine(&self) -> Letter {
        self.sign(self.letter())
    }

    /// A message that must be refused.
    pub(super) fn refuse(
        &mut self,
        attack: &'static str,
        what: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) -> &mut Forgery {
        self.row(attack, Must::Refuse, what.into(), body.into())
    }

    /// A message that proves too little.
    pub(super) fn ask(
        &mut self,
        attack: &'static str,
        what: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) {
        self.row(attack, Must::Ask, what.into(), body.into());
    }

    /// A message for a person to look at.
    pub(super) fn case(
        &mut self,
        attack: &'static str,
        what: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) {
        self.row(attack, Must::Case, what.into(), body.into());
    }

    fn row(
        &mut self,
        attack: &'static str,
        must: Must,
        what: String,
        body: Vec<u8>,
    ) -> &mut Forgery {
        let last = self.last.entry(attack).or_default();
        *last += 1;
        self.rows.push(Forgery {
            id: format!("{attack}-{last}"),
            what,
            must,
            query: String::new(),
            headers: Vec::new(),
            body,
        });
        let newest = self.rows.len() - 1;
        &mut self.rows[newest]
    }
}
