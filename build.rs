//! Names the code: a hash of everything that the program is made of, so that a sweep never takes a run of other code for its own.

use std::fs;
use std::path::{Path, PathBuf};

/// What the program is made of.
const PARTS: [&str; 3] = ["Cargo.lock", "Cargo.toml", "data"];

/// Of `src`, what cannot change a result: what is typed, and what is drawn of it.
const ASIDE: [&str; 3] = ["cli", "main.rs", "plot"];

fn main() {
    let mut files = Vec::new();
    let rooms = fs::read_dir("src").into_iter().flatten().flatten();
    let rooms = rooms.filter(|room| ASIDE.iter().all(|aside| room.file_name() != *aside)).map(|room| room.path());
    for part in PARTS.iter().map(PathBuf::from).chain(rooms) {
        println!("cargo:rerun-if-changed={}", part.display());
        collect(&part, &mut files);
    }
    files.sort();
    // FNV-1a with 64 bits, by hand: it has to be the same on every machine and with every compiler.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut absorb = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for file in files {
        // A file that went away in this moment is not part of the program.
        let Ok(content) = fs::read(&file) else { continue };
        absorb(file.to_string_lossy().replace('\\', "/").as_bytes());
        absorb(&[0]);
        absorb(&content);
        absorb(&[0]);
    }
    println!("cargo:rustc-env=SLACKWATER_CODE={hash:016x}");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        collect(&entry.path(), files);
    }
}
