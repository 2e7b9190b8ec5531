//! Where a guest listens: on the address that its Service got, or on a port of its own on 127.0.0.1, kept in its folder.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use tokio::net::TcpListener;

use super::StartGuestError;
use crate::home::{read_if_there, write_private};

/// The port of an API server behind its own address.
pub(super) const PORT: u16 = 6443;

/// A socket and the address under which clients reach it.
pub(super) struct Bound {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

/// Binds the address if this machine has it and it is free there, else a port on 127.0.0.1.
pub(super) async fn bind(folder: &Path, address: &str) -> Result<Bound, StartGuestError> {
    // Only loopback: a pool that someone set to a real network must not make a lab answer there.
    if let Some(ip) = address.parse::<IpAddr>().ok().filter(IpAddr::is_loopback)
        && let Ok(listener) = TcpListener::bind((ip, PORT)).await
    {
        return Ok(Bound {
            listener,
            address: SocketAddr::new(ip, PORT),
        });
    }
    let path = folder.join("port");
    let keep = |source: io::Error| StartGuestError::Keep {
        path: path.clone(),
        source,
    };
    let kept: Option<u16> = read_if_there(&path)
        .map_err(keep)?
        .and_then(|port| port.trim().parse().ok());
    let listener = match kept {
        Some(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    };
    let listener = listener.map_err(StartGuestError::Listen)?;
    let address = listener.local_addr().map_err(StartGuestError::Listen)?;
    if kept.is_none() {
        write_private(&path, &address.port().to_string()).map_err(keep)?;
    }
    Ok(Bound { listener, address })
}
