//! The archive, made while it is sent: tar in gzip, with one file of mode 0755.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::mpsc;

use super::Body;

/// Name of the program in the archive.
const NAME: &str = "hcp";
/// Size of what is sent at a time, and how many of them wait for a slow client: a megabyte in all.
const CHUNK: usize = 64 * 1024;
const WAITING: usize = 16;

/// The archive as a body. It is stored rather than compressed: it goes no further than this machine.
pub(super) fn stream(program: Arc<File>) -> Body {
    let (sender, receiver) = mpsc::channel(WAITING);
    // Ends by itself: a client that went away makes the next send fail.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(
            &program,
            Sender {
                sender: sender.clone(),
                chunk: Vec::with_capacity(CHUNK),
            },
        ) {
            tracing::debug!(%error, "the archive was not sent to its end");
            // Without it the client would take a truncated archive for the whole.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let frames = futures::stream::unfold(receiver, async |mut receiver: mpsc::Receiver<io::Result<Bytes>>| {
        let chunk = receiver.recv().await?;
        Some((chunk.map(Frame::data), receiver))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

fn write(program: &File, to: Sender) -> io::Result<()> {
    let size = program.metadata()?.len();
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o755);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(GzEncoder::new(to, Compression::none()));
    archive.append_data(&mut header, NAME, At { program, offset: 0 }.take(size))?;
    let mut rest = archive.into_inner()?.finish()?;
    rest.flush()
}

/// Reads a shared file from the start, whatever others read of it.
struct At<'a> {
    program: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.program.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Gathers what is written into chunks and sends them.
struct Sender {
    sender: mpsc::Sender<io::Result<Bytes>>,
    chunk: Vec<u8>,
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK)));
        self.sender
            .blocking_send(Ok(chunk))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holds_the_program_under_the_name_of_hcp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &content).unwrap();
        let body = stream(Arc::new(File::open(&path).unwrap()));
        let sent = body.collect().await.unwrap().to_bytes();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(sent.as_ref()));
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("hcp"));
        assert_eq!(entry.header().mode().unwrap(), 0o755);
        let mut unpacked = Vec::new();
        entry.read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == content);
    }
}
