//! Gives the line a number: a hash over the sources that both ends must have in common, and the version of the package
//! whose JavaScript goes with them. Two addons that differ in it do not share memory.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=src");
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    // The order in a folder is the system's.
    files.sort();
    let mut hash = Fnv::new();
    hash.add(env!("CARGO_PKG_VERSION").as_bytes());
    for file in files {
        hash.add(file.to_str().expect("a source with a name in UTF-8").as_bytes());
        hash.add(&std::fs::read(&file).expect("a source that can be read"));
    }
    println!("cargo:rustc-env=FARM_LINE={:016x}", hash.0);
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the sources") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// FNV-1a: nobody is to be kept out by it, and it stays the same from one compiler to the next.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        // The length first, so that no two rows of pieces run together to the same bytes.
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
