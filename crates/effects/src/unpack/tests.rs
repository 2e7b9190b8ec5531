use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::*;

/// An archive made of raw headers: what a careful writer would refuse to make.
struct Made {
    folder: tempfile::TempDir,
    tar: Builder<Vec<u8>>,
}

impl Made {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            tar: Builder::new(Vec::new()),
        }
    }

    fn entry(mut self, path: &str, kind: EntryType, link: &str, contents: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().expect("a GNU header").name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_gnu_mut().expect("a GNU header").linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        self.tar.append(&header, contents).expect("an entry");
        self
    }

    fn file(self, path: &str, contents: &[u8]) -> Self {
        self.entry(path, EntryType::Regular, "", contents)
    }

    fn unpack(self, bounds: Bounds) -> (Result<(), UnpackError>, tempfile::TempDir) {
        let archive = self.folder.path().join("archive");
        let mut gzip = GzEncoder::new(File::create(&archive).expect("a file"), Compression::best());
        gzip.write_all(&self.tar.into_inner().expect("an archive"))
            .expect("written");
        gzip.finish().expect("finished");
        let result = unpack(&archive, "hcp", &self.folder.path().join("hcp"), bounds);
        (result, self.folder)
    }

    #[track_caller]
    fn refused(self, expected: &str) {
        let (result, folder) = self.unpack(BOUNDS);
        assert_eq!(result.expect_err("refused").to_string(), expected);
        assert!(!folder.path().parent().expect("a parent").join("evil").exists());
    }
}

#[test]
fn the_program_is_taken_out_executable_and_nothing_else() {
    let made = Made::new()
        .entry("dist/", EntryType::Directory, "", b"")
        .file("dist/LICENSE", b"text")
        .file("./dist/hcp", b"program");
    let (result, folder) = made.unpack(BOUNDS);
    result.expect("unpacked");
    let program = folder.path().join("hcp");
    assert_eq!(fs::read(&program).expect("read"), b"program");
    assert_eq!(
        fs::metadata(&program).expect("metadata").permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        2,
        "the archive and the program"
    );
}

#[test]
fn whatever_leads_out_of_the_archive_is_refused() {
    Made::new()
        .file("../evil", b"x")
        .refused("the archive holds `../evil`, which leads out of it");
    Made::new()
        .file("/tmp/evil", b"x")
        .refused("the archive holds `/tmp/evil`, which leads out of it");
    Made::new()
        .file("a/../../hcp", b"x")
        .refused("the archive holds `a/../../hcp`, which leads out of it");
}

#[test]
fn links_and_devices_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
        Made::new()
            .entry("hcp", kind, "/etc/passwd", b"")
            .refused("the archive holds `hcp`, which is not a regular file");
    }
}

#[test]
fn the_program_must_be_there_once() {
    Made::new().file("other", b"x").refused("the archive holds no `hcp`");
    Made::new()
        .file("a/hcp", b"x")
        .file("b/hcp", b"y")
        .refused("the archive holds more than one `hcp`");
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 8 << 20];
    Made::new()
        .file("hcp", &zeros)
        .refused("the archive holds more than it may: bytes");
    let few = Bounds { entries: 2, ..BOUNDS };
    let (result, _folder) = Made::new().file("a", b"").file("b", b"").file("hcp", b"").unpack(few);
    assert!(
        matches!(result, Err(UnpackError::TooMuch { what: "entries" })),
        "{result:?}"
    );
}

#[test]
fn a_broken_archive_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    fs::write(&archive, b"no archive at all").expect("written");
    let result = unpack(&archive, "hcp", &folder.path().join("hcp"), BOUNDS);
    assert!(matches!(result, Err(UnpackError::Read { .. })), "{result:?}");
}
