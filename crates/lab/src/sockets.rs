//! Sockets of a lab: at the same address as the last time, if that can be had.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

/// How long an address may still be held by a process that was killed: its lock can be free before its sockets are.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// Listens at an address, waiting a moment where it is taken.
pub(crate) async fn listen_patiently(address: SocketAddr) -> io::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}
