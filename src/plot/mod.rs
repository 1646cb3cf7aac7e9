//! Figures of finished results, drawn from their tables alone: SVG for print, PNG for screens.
