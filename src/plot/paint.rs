//! The colours, dashes and marks of all figures: safe for colour blindness, and told apart without colour, too.

use plotters::style::RGBColor;

/// What SVG texts name: the font that the pictures are laid out with, and what may stand in for it.
pub const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

/// Okabe and Ito's palette, distinguishable with every kind of colour blindness; yellow is left out, it is too light for lines.
///
/// Source: M. Okabe, K. Ito, *Color Universal Design*, 2008.
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

/// For text that explains.
pub const DARK: RGBColor = RGBColor(70, 70, 70);
/// For what stands back: dominated points, the whole beside its parts.
pub const GREY: RGBColor = RGBColor(130, 130, 130);
/// For lines that only guide the eye.
pub const FAINT: RGBColor = RGBColor(222, 222, 222);

/// What draws power and emits, in the order in which figures stack it: key, words, colour. IT first, then the facility's overhead and the network.
pub const CAUSES: [(&str, &str, RGBColor); 8] = [
    ("execution", "execution", COLOURS[0]),
    ("cold_start", "cold start", COLOURS[1]),
    ("warm_idle", "warm idle", COLOURS[5]),
    ("idle_host", "idle host", COLOURS[4]),
    ("boot", "host boot", COLOURS[3]),
    ("off", "host off", RGBColor(240, 228, 66)),
    ("pue_overhead", "overhead (PUE)", RGBColor(160, 160, 160)),
    ("network", "network", COLOURS[2]),
];

/// How many of [`CAUSES`] are IT.
pub const IT_CAUSES: usize = 6;

/// Embodied emissions beside the causes of operational ones.
pub const EMBODIED: RGBColor = RGBColor(60, 60, 60);

/// How a line is interrupted, in lengths of the text size: drawn, left out, drawn, …
pub const DASHES: [&[f64]; 5] = [&[], &[0.9, 0.4], &[0.25, 0.3], &[1.2, 0.35, 0.25, 0.35], &[1.8, 0.6]];

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Nabla,
    Cross,
}

const SHAPES: [Shape; 6] = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Nabla, Shape::Cross];

/// The colour, dash and shape of a line by its number: no two of the first 210 look alike.
pub fn style(line: usize) -> (RGBColor, &'static [f64], Shape) {
    let (c, d) = (line % COLOURS.len(), (line + line / COLOURS.len()) % DASHES.len());
    (COLOURS[c], DASHES[d], SHAPES[(line + 2 * (line / 35)) % SHAPES.len()])
}

/// Thirty-three colours of viridis at equal distances; between them it is interpolated, to within two steps of 255.
///
/// Source: S. van der Walt, N. Smith, *mpl colormaps*, 2015 (CC0): perceptually uniform, readable in grey and with every kind of colour blindness.
const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d, 0x33638d,
    0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685, 0x28ae80, 0x31b57b,
    0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a, 0xfde725,
];

/// The colour of a share from 0 to 1.
pub fn viridis(share: f64) -> RGBColor {
    let x = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let at = (x as usize).min(VIRIDIS.len() - 2);
    let part = |of: u32, shift: u32| f64::from(of >> shift & 255);
    let mix = |shift: u32| {
        let (a, b) = (part(VIRIDIS[at], shift), part(VIRIDIS[at + 1], shift));
        (a + (b - a) * (x - at as f64)).round() as u8
    };
    RGBColor(mix(16), mix(8), mix(0))
}

/// Black or white, whichever is read more easily on a colour (relative luminance of WCAG 2, formula 1.4.3).
pub fn on(colour: RGBColor) -> RGBColor {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
    };
    let luminance = 0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2);
    // Contrast with white (1.05 / (L + 0.05)) against contrast with black ((L + 0.05) / 0.05).
    if (luminance + 0.05) * (luminance + 0.05) > 1.05 * 0.05 { RGBColor(0, 0, 0) } else { RGBColor(255, 255, 255) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_meets_its_published_ends_and_grows_lighter_all_the_way() {
        assert_eq!((viridis(0.0), viridis(1.0)), (RGBColor(68, 1, 84), RGBColor(253, 231, 37)));
        let light = |c: RGBColor| 0.2126 * f64::from(c.0) + 0.7152 * f64::from(c.1) + 0.0722 * f64::from(c.2);
        for i in 0..100 {
            let [a, b] = [i, i + 1].map(|i| light(viridis(f64::from(i) / 100.0)));
            assert!(b > a, "{i}");
        }
    }

    #[test]
    fn text_on_a_colour_is_black_or_white() {
        assert_eq!(on(viridis(0.0)), RGBColor(255, 255, 255));
        assert_eq!(on(viridis(1.0)), RGBColor(0, 0, 0));
    }

    #[test]
    fn many_lines_all_look_different() {
        let all: Vec<String> = (0..210).map(|i| format!("{:?}", style(i))).collect();
        for (i, a) in all.iter().enumerate() {
            assert!(!all[..i].contains(a), "line {i} repeats {a}");
        }
    }
}
