//! Why offsets and market-based instruments are refused.

/// Why a word that names an offset or a market-based instrument is refused; `None` for any other word.
pub fn market_hint(word: &str) -> Option<&'static str> {
    const PARTS: [&str; 12] = [
        "market",
        "offset",
        "credit",
        "certificate",
        "renewable",
        "residual_mix",
        "removal",
        "guarantee_of_origin",
        "ppa",
        "recs",
        "eac",
        "neutral",
    ];
    let plain = word.to_lowercase().replace(['-', ' '], "_");
    let named =
        |part: &&str| if part.len() <= 4 { plain.split('_').any(|w| w == *part) } else { plain.contains(*part) };
    PARTS.iter().find(|part| named(part)).map(|_| {
        "offsets and market-based instruments (credits, certificates, power purchase agreements, residual mixes) are refused: \
         SCI (ISO/IEC 21031) counts the emissions of the electricity that was used where it was used, and no deduction; lower \
         the score by using less energy, less hardware, or cleaner hours and places"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_are_known_by_their_names_and_nothing_else_is() {
        for word in
            ["market-based", "offset_g", "carbon-credits", "ppa_share", "RECs", "residual-mix", "renewable_share"]
        {
            assert!(market_hint(word).is_some(), "{word}");
        }
        for word in ["average", "marginal", "path", "records", "scoring_grid", "capacity", "factor_basis"] {
            assert!(market_hint(word).is_none(), "{word}");
        }
    }
}
