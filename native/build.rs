//! Compiles the hash of the sources into the crate, and copies the migrations for the wheel.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// The sources of the extension besides the files under `native/src`, relative to the checkout.
const BUILD_FILES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "native/Cargo.toml", "native/build.rs"];

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets the variable"));
    let checkout = crate_folder.parent().expect("the crate is in a checkout");
    println!("cargo::rustc-env=FECHATTER_SOURCE_HASH={}", source_hash(checkout)?);
    println!("cargo::rustc-env=FECHATTER_BUILD={}", env::var("PROFILE").expect("cargo sets the variable"));
    copy_migrations(checkout)
}

/// Returns the SHA-256 over path, NUL, size in bytes, NUL and content of each file, in the order of the paths.
/// `fechatter/native.py` computes the same hash.
fn source_hash(checkout: &Path) -> io::Result<String> {
    let mut files: Vec<PathBuf> = BUILD_FILES.iter().map(PathBuf::from).collect();
    collect_files(checkout, Path::new("native/src"), ".rs", &mut files)?;
    files.sort_by_key(|path| path.to_string_lossy().into_owned());
    let mut hash = Sha256::new();
    for path in &files {
        println!("cargo::rerun-if-changed={}", checkout.join(path).display());
        let content = fs::read(checkout.join(path))?;
        hash.update(format!("{}\0{}\0", path.display(), content.len()));
        hash.update(&content);
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Appends the files under `folder` whose names end in `ending`, as paths relative to `root`.
fn collect_files(root: &Path, folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect_files(root, &path, ending, files)?;
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    Ok(())
}

/// Copies `migrations/**/*.sql` to the output folder of the build, from which the wheel includes them.
fn copy_migrations(checkout: &Path) -> io::Result<()> {
    let source = checkout.join("migrations");
    if !source.is_dir() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={}", source.display());
    let target = PathBuf::from(env::var("OUT_DIR").expect("cargo sets the variable"));
    let mut files = Vec::new();
    collect_files(checkout, Path::new("migrations"), ".sql", &mut files)?;
    for path in files {
        let copy = target.join(&path);
        fs::create_dir_all(copy.parent().expect("a file is in a folder"))?;
        fs::copy(checkout.join(&path), copy)?;
    }
    Ok(())
}
