//! Texts of figures: numbers as short as they can be, units as they are printed, and how wide a text is in the embedded font.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, ScaleFont};

use crate::types::significant;

/// DejaVu Sans, unmodified; its licence lies beside the file.
static DEJAVU: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../data/fonts/DejaVuSans.ttf")).expect("the embedded font is whole")
});

/// The embedded font.
pub(super) fn font() -> &'static FontRef<'static> {
    &DEJAVU
}

/// The glyphs of a text and where each begins, in lengths of the text size; and how wide all are.
pub(super) fn glyphs(text: &str) -> (Vec<(GlyphId, f64)>, f64) {
    let font = font();
    let em = f64::from(font.units_per_em().unwrap_or(2048.0));
    let scaled = font.as_scaled(font.height_unscaled());
    let (mut x, mut before, mut all) = (0.0, None, Vec::new());
    for c in text.chars() {
        let glyph = scaled.glyph_id(c);
        if let Some(before) = before {
            x += f64::from(scaled.kern(before, glyph)) / em;
        }
        all.push((glyph, x));
        x += f64::from(scaled.h_advance(glyph)) / em;
        before = Some(glyph);
    }
    (all, x)
}

/// How wide a text is, in lengths of the text size.
pub fn width(text: &str) -> f64 {
    glyphs(text).1
}

/// A text that is at most `room` wide at a size: cut, with an ellipsis, where it is wider.
pub fn fit(text: &str, room: f64, size: f64) -> String {
    if width(text) * size <= room {
        return text.to_owned();
    }
    let mut cut = text.to_owned();
    while cut.pop().is_some() {
        let shown = format!("{}…", cut.trim_end());
        if width(&shown) * size <= room {
            return shown;
        }
    }
    "…".to_owned()
}

/// A text in lines that are at most `room` wide: broken at blanks, or anywhere in a word that alone is wider.
pub fn wrap(text: &str, room: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|line| width(line) * size <= room) {
            Some(line) => *lines.last_mut().expect("a line was made longer") = line,
            None => {
                lines.push(String::new());
                for c in word.chars() {
                    let line = lines.last_mut().expect("a line was pushed above");
                    line.push(c);
                    if width(line) * size > room && line.chars().count() > 1 {
                        line.pop();
                        lines.push(c.to_string());
                    }
                }
            }
        }
    }
    lines
}

/// Three significant digits.
pub fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return significant(x);
    }
    let power = 10f64.powi(2 - x.abs().log10().floor() as i32);
    let rounded = if power.is_finite() && power > 0.0 { (x * power).round() / power } else { x };
    significant(rounded)
}

/// Three significant digits with a true minus sign, and with a power of ten where the plain number is long.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return "undefined".to_owned();
    }
    let magnitude = if x == 0.0 { 0 } else { libm::floor(libm::log10(x.abs())) as i32 };
    if (-4..6).contains(&magnitude) {
        return short(x).replace('-', "−");
    }
    let mantissa = short(x / libm::pow(10.0, f64::from(magnitude))).replace('-', "−");
    if mantissa == "1" { power(magnitude) } else { format!("{mantissa}·{}", power(magnitude)) }
}

/// A power of ten.
pub fn power(exponent: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = exponent.to_string();
    let raised = digits.chars().map(|c| c.to_digit(10).map_or('⁻', |digit| RAISED[digit as usize]));
    "10".chars().chain(raised).collect()
}

/// A name with its unit in brackets, times a power of ten.
pub fn with_unit(name: &str, unit: &str, exponent: i32) -> String {
    let unit = unit.replace("CO2", "CO₂");
    match (exponent, unit.as_str()) {
        (0, "") => name.to_owned(),
        (0, unit) => format!("{name} [{unit}]"),
        (e, "" | "1") => format!("{name} [{}]", power(e)),
        (e, unit) => format!("{name} [{} {unit}]", power(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Advances of DejaVu Sans in 2048ths of the size: 0 is 1303, W 2025, i 569.
        assert!((width("0") - 1303.0 / 2048.0).abs() < 1e-6);
        assert!((width("W") - 2025.0 / 2048.0).abs() < 1e-6 && (width("ii") - 2.0 * 569.0 / 2048.0).abs() < 1e-6);
        // Pairs are kerned, as SVG viewers do.
        assert!(width("AV") < width("A") + width("V"));
        assert_eq!(width(""), 0.0);
    }

    #[test]
    fn long_texts_are_cut_or_broken_to_the_room() {
        assert_eq!(fit("container", 100.0, 10.0), "container");
        let cut = fit("a container with a very long name", 100.0, 10.0);
        assert!(cut.ends_with('…') && width(&cut) * 10.0 <= 100.0, "{cut}");
        assert_eq!(fit("wide", 0.0, 10.0), "…");
        let lines = wrap("calls received and executed over time", 100.0, 10.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line) * 10.0 <= 100.0), "{lines:?}");
        assert_eq!(lines.join(" "), "calls received and executed over time");
        let lines = wrap("a.key_without_any_blank", 60.0, 10.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line) * 10.0 <= 60.0), "{lines:?}");
        assert_eq!(lines.concat(), "a.key_without_any_blank");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([-0.012_345, 1234.0, 0.0].map(number), ["−0.0123", "1230", "0"]);
        assert_eq!([1e-9, 2.5e7, -1e12].map(number), ["10⁻⁹", "2.5·10⁷", "−1·10¹²"]);
        assert_eq!(number(f64::NAN), "undefined");
        assert_eq!(with_unit("sci", "gCO2e/call", 0), "sci [gCO₂e/call]");
        assert_eq!(with_unit("calls", "1", 3), "calls [10³]");
    }
}
