//! The shop's own order numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `TEA-` and twelve letters and digits. Who knows the number sees the order, so
/// it is drawn, not counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct OrderNo(String);

const PREFIX: &str = "TEA-";
const DRAWN: usize = 12;
/// Crockford's base 32: without the signs that look like another.
const SIGNS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl OrderNo {
    pub(super) fn draw() -> Result<Self, NoChance> {
        let mut random = [0; DRAWN];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| NoChance)?;
        let signs = random.map(|byte| char::from(SIGNS[usize::from(byte % 32)]));
        Ok(Self(PREFIX.chars().chain(signs).collect()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderNo {
    type Err = NotAnOrderNo;

    fn from_str(text: &str) -> Result<Self, NotAnOrderNo> {
        let drawn = text.strip_prefix(PREFIX).ok_or(NotAnOrderNo)?.as_bytes();
        let good = drawn.len() == DRAWN && drawn.iter().all(|sign| SIGNS.contains(sign));
        good.then(|| Self(text.to_owned())).ok_or(NotAnOrderNo)
    }
}

impl TryFrom<String> for OrderNo {
    type Error = NotAnOrderNo;

    fn try_from(text: String) -> Result<Self, NotAnOrderNo> {
        text.parse()
    }
}

impl From<OrderNo> for String {
    fn from(no: OrderNo) -> Self {
        no.0
    }
}

impl fmt::Display for OrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("that is not one of this shop's order numbers")]
pub(super) struct NotAnOrderNo;

#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(super) struct NoChance;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_number_is_read_back_and_nothing_else_is() {
        let no = OrderNo::draw().unwrap();
        assert_eq!(no.as_str().parse::<OrderNo>().unwrap(), no);
        for text in [
            "",
            "TEA-",
            "TEA-../../etc/p",
            "TEA-22222222222",
            "tea-222222222222",
        ] {
            assert!(text.parse::<OrderNo>().is_err(), "{text}");
        }
    }
}
