//! A QR code as one path of an SVG drawing.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

/// What a till's scanner reads: the drawing's size, and the path that is dark.
pub(super) struct Qr {
    /// Modules a side, the margin included.
    pub(super) side: usize,
    pub(super) path: String,
}

/// Quiet modules around the code.
const MARGIN: usize = 4;

impl Qr {
    /// `None` for what no QR code can hold.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (place, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = (place % width + MARGIN, place / width + MARGIN);
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        Some(Self {
            side: width + 2 * MARGIN,
            path,
        })
    }
}
