//! Numbers as texts: for a person in groups of three digits or with six significant ones, for a table with all of them.

/// A whole number in groups of three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(d);
    }
    text
}

/// A cell of a table: every digit; what is undefined is empty.
pub fn cell(x: f64) -> String {
    if x.is_finite() { x.to_string() } else { String::new() }
}

/// Six significant digits, with an exponent only where a plain number would be unreadable.
pub fn significant(x: f64) -> String {
    if !x.is_finite() {
        return "undefined".to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-5..12).contains(&magnitude) {
        return format!("{x:.5e}");
    }
    let decimals = (5 - magnitude).clamp(0, 12) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits_and_counts_have_groups() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!([significant(0.123_456_789), significant(2.0), significant(1e15)], ["0.123457", "2", "1.00000e15"]);
        assert_eq!(significant(f64::NAN), "undefined");
    }
}
