//! Names the sources by a hash, `BIRKHOFF_SOURCES`: journals of experiments keep the results of different sources
//! apart.
//!
//! It depends on their content alone, neither on the machine nor on a repository, so that builds stay reproducible.

use std::fs;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let mut files = vec![PathBuf::from("Cargo.toml"), PathBuf::from("../Cargo.toml")];
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        add_sources(Path::new(folder), &mut files)?;
    }
    // What the dependencies are; a crate that is depended on from elsewhere has no lock file of its own.
    files.extend(Some(PathBuf::from("../Cargo.lock")).filter(|lock| lock.is_file()));
    let mut hash = FNV_OFFSET;
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        // A checkout may have other ends of lines, and then has the same sources.
        let content = fs::read(&file)?.into_iter().filter(|&byte| byte != b'\r');
        hash = content.chain([0]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    }
    println!("cargo::rustc-env=BIRKHOFF_SOURCES={hash:016x}");
    Ok(())
}

/// The programs' and the library's.
const SOURCES: [&str; 2] = ["src", "../src"];

/// FNV-1a (Fowler, Noll and Vo), 64 bits: nobody forges sources here.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// All files below a folder, in the order of their names.
fn add_sources(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() { add_sources(&entry, files)? } else { files.push(entry) }
    }
    Ok(())
}
