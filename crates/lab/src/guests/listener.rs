//! Where a guest listens: on the address that its Service got, or on a port of its own on 127.0.0.1, kept in its folder.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;

use super::StartGuestError;
use crate::home::{read_if_there, write_private};
use crate::sockets::listen_patiently;

/// The port of an API server behind its own address.
pub(super) const PORT: u16 = 6443;

/// A socket and the address under which clients reach it.
pub(super) struct Bound {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

/// Binds the address if it may and this machine has it free, else a port on 127.0.0.1.
pub(super) async fn bind(folder: &Path, address: &str, network: Option<u8>) -> Result<Bound, StartGuestError> {
    if let Some(ip) = address.parse().ok().filter(|ip| is_ours(*ip, network)) {
        let address = SocketAddr::new(IpAddr::V4(ip), PORT);
        if let Ok(listener) = listen_patiently(address).await {
            return Ok(Bound { listener, address });
        }
    }
    by_port(folder.join("port")).await
}

/// Binds a socket for the OAuth server: on the API server's address where its usual port is free there.
pub(super) async fn bind_logins(folder: &Path, ip: IpAddr) -> Result<Bound, StartGuestError> {
    let address = SocketAddr::new(ip, crate::oauth::PORT);
    if ip != IpAddr::V4(Ipv4Addr::LOCALHOST)
        && let Ok(listener) = listen_patiently(address).await
    {
        return Ok(Bound { listener, address });
    }
    by_port(folder.join("oauth-port")).await
}

/// Binds the port of 127.0.0.1 that a file holds; without one, any.
async fn by_port(path: PathBuf) -> Result<Bound, StartGuestError> {
    let keep = |source: io::Error| StartGuestError::Keep {
        path: path.clone(),
        source,
    };
    let kept: Option<u16> = read_if_there(&path)
        .map_err(keep)?
        .and_then(|port| port.trim().parse().ok());
    let listener = match kept {
        Some(port) => listen_patiently((Ipv4Addr::LOCALHOST, port).into()).await,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    };
    let listener = listener.map_err(StartGuestError::Listen)?;
    let address = listener.local_addr().map_err(StartGuestError::Listen)?;
    if kept.is_none() {
        write_private(&path, address.port().to_string()).map_err(keep)?;
    }
    Ok(Bound { listener, address })
}

/// Only loopback: a pool that someone set to a real network must not make a lab answer there. And of the labs' own
/// networks only this lab's: at an address that it had when it had another network, another lab's guest may be expected.
fn is_ours(ip: Ipv4Addr, network: Option<u8>) -> bool {
    match ip.octets() {
        [127, 64, number, _] => network == Some(number),
        _ => ip.is_loopback(),
    }
}
