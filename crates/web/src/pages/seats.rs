//! Who may hold a connection open.
#[derive(Debug)]
pub(crate) struct Seats;
impl Seats {
    pub(crate) fn new(_: usize) -> Self {
        Self
    }
    pub(crate) fn close(&self) {}
    pub(crate) fn taken(&self) -> u32 {
        0
    }
}
