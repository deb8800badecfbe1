//! Durable commits a second.
fn main() {}
