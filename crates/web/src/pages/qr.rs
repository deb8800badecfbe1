//! A QR code as an SVG path: one rectangle for every run of dark modules.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// The standard asks for four light modules on every side.
const QUIET: usize = 4;

/// A drawn code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Qr {
    /// Modules on a side, with the quiet zone.
    pub(crate) side: usize,
    /// The dark modules, for `<path d>`.
    pub(crate) path: String,
}

impl Qr {
    /// `None` when the text is longer than any code holds.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let (width, modules) = (code.width(), code.to_colors());
        let mut path = String::new();
        for (row, line) in modules.chunks(width).enumerate() {
            let mut column = 0;
            while column < width {
                let run = line[column..]
                    .iter()
                    .take_while(|module| **module == Color::Dark)
                    .count();
                if run > 0 {
                    let (x, y) = (column + QUIET, row + QUIET);
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                column += run.max(1);
            }
        }
        Some(Self {
            side: width + 2 * QUIET,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_quiet_zone() {
        let qr = Qr::of("weixin://wxpay/bizpayurl?pr=abcdefghi").unwrap();
        assert_eq!(qr.side, 29 + 8);
        // The top left finder pattern: seven modules.
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{:.40}", qr.path);
    }

    #[test]
    fn a_text_that_no_code_holds_is_no_code() {
        assert_eq!(Qr::of(&"x".repeat(4_000)), None);
    }
}
