//! A QR code out of characters.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// Two rows of the code to a line of text, with the quiet zone that scanners
/// want. Black on white, whatever the terminal's colours are, when `coloured`.
pub(super) fn draw(text: &str, coloured: bool) -> Result<String, qrcode::types::QrError> {
    let code = QrCode::new(text)?;
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    if !coloured {
        return Ok(drawn);
    }
    let lines = drawn
        .lines()
        .map(|line| format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_of_half_blocks_in_a_quiet_zone() {
        let drawn = draw("weixin://wxpay/bizpayurl?pr=abcdefghi", false).unwrap();
        let lines: Vec<_> = drawn.lines().collect();
        // 29 modules and 4 of quiet zone on either side.
        assert!(
            lines.iter().all(|line| line.chars().count() == 37),
            "{drawn}"
        );
        assert_eq!(lines.len(), 37_usize.div_ceil(2));
        assert!(lines[0].trim().is_empty() && lines[1].trim().is_empty());
        assert!(drawn.chars().all(|c| " █▀▄\n".contains(c)));
    }

    #[test]
    fn colours_do_not_reach_past_a_line() {
        let drawn = draw("x", true).unwrap();
        assert!(drawn.lines().all(|line| line.ends_with("\x1b[0m")));
    }
}
