//! PNG files: eight bits of red, green and blue, with the resolution on paper.
//!
//! Source: W3C, *Portable Network Graphics (PNG) Specification (Third Edition)*, 2025: chunks IHDR, pHYs, IDAT, IEND; filter types 1 and 2.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Encodes rows of pixels, three bytes each.
pub fn encode(pixels: &[u8], (width, height): (u32, u32), per_metre: Option<u32>) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // Eight bits, true colour, deflate, adaptive filters, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    if let Some(per_metre) = per_metre {
        let per_metre = per_metre.to_be_bytes();
        chunk(&mut file, b"pHYs", &[per_metre.as_slice(), &per_metre, &[1]].concat());
    }
    chunk(&mut file, b"IDAT", &compressed(pixels, width as usize * 3));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Rows by what differs from the row above, or in the first one from the pixel before.
fn compressed(pixels: &[u8], row: usize) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let mut line = Vec::with_capacity(row + 1);
    for (y, own) in pixels.chunks_exact(row).enumerate() {
        line.clear();
        match y {
            0 => {
                line.push(1);
                line.extend((0..row).map(|i| own[i].wrapping_sub(if i < 3 { 0 } else { own[i - 3] })));
            }
            _ => {
                line.push(2);
                let above = &pixels[(y - 1) * row..y * row];
                line.extend(own.iter().zip(above).map(|(a, b)| a.wrapping_sub(*b)));
            }
        }
        out.write_all(&line).expect("memory takes all bytes");
    }
    out.finish().expect("memory takes all bytes")
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend(crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_picture_comes_back_from_its_file() {
        let pixels: Vec<u8> = (0..3 * 2 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let file = encode(&pixels, (3, 2), Some(11_811));
        // Signature, length 13, IHDR, 3 x 2; the check sum of IEND is published in the specification: AE 42 60 82.
        assert_eq!(file[..24], *b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02");
        assert_eq!(file[file.len() - 4..], [0xae, 0x42, 0x60, 0x82]);
        let at = file.windows(4).position(|w| w == b"IDAT").expect("pixels");
        let length = u32::from_be_bytes(file[at - 4..at].try_into().expect("four bytes")) as usize;
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&file[at + 4..at + 4 + length]).read_to_end(&mut rows).expect("it inflates");
        let (mut back, mut above): (Vec<u8>, _) = (Vec::new(), vec![0u8; 9]);
        for line in rows.chunks(10) {
            let mut own = vec![0u8; 9];
            for i in 0..9 {
                let from = if line[0] == 2 {
                    above[i]
                } else if i < 3 {
                    0
                } else {
                    own[i - 3]
                };
                own[i] = line[i + 1].wrapping_add(from);
            }
            back.extend(&own);
            above = own;
        }
        assert_eq!(back, pixels);
    }
}
