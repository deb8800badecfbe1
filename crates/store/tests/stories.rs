//! What every database must do, told by each of them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::assigning_clones,
    reason = "every line here is a test's; a story's name says what it shows"
)]

mod stories {
    pub(crate) mod people;
    pub(crate) mod stage;

    mod accounts;
    mod cases;
    mod commit;
    mod deliveries;
    mod events;
    mod inbox;
    mod jobs;
    mod lists;
    mod refunds;
    mod restart;
    mod shops;
    mod tenants;
    mod timeline;
}
