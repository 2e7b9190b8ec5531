//! The addresses of a lab's guests: a network of its own, so that labs side by side do not fight for the same address and
//! a kubeconfig never leads to another lab's guest.
//!
//! Networks are 127.64.N.0/24. A lab claims one by holding a socket at its first address, which is given to nobody else;
//! it keeps N in its record and asks for the same again. Where only 127.0.0.1 exists nothing can be claimed, and guests
//! get ports there instead.

use std::net::Ipv4Addr;
use std::path::Path;

use tokio::net::TcpListener;

use crate::hash;
use crate::sockets::listen_patiently;

/// The port of a claim: nothing is ever accepted there.
const PORT: u16 = 6443;

/// A network that no other lab of this machine uses while this is held.
#[derive(Debug)]
pub(super) struct Claim {
    number: u8,
    _socket: TcpListener,
}

impl Claim {
    /// Claims the network that the lab had before; else any that is free, beginning with one that the lab's folder
    /// decides, so that labs seldom meet. `None` where the machine has no such addresses.
    pub(super) async fn of(former: Option<u8>, folder: &Path) -> Option<Self> {
        let first = hash::hex(&[&folder.to_string_lossy()], 2);
        let first = u8::from_str_radix(&first, 16).unwrap_or_default();
        let others = (0..=u8::MAX).map(|step| first.wrapping_add(step));
        if let Some(number) = former
            && let Ok(socket) = listen_patiently((address(number), PORT).into()).await
        {
            return Some(Self::held(number, socket));
        }
        for number in others {
            if let Ok(socket) = TcpListener::bind((address(number), PORT)).await {
                return Some(Self::held(number, socket));
            }
        }
        None
    }

    fn held(number: u8, socket: TcpListener) -> Self {
        Self {
            number,
            _socket: socket,
        }
    }

    /// What the record keeps.
    pub(super) fn number(&self) -> u8 {
        self.number
    }
}

/// The first address of a network. Load balancers avoid addresses that end in 0, so it is free for the claim.
pub(super) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 64, number, 0)
}

/// A network as MetalLB writes it. Addresses are given out even where nobody can bind them.
pub(super) fn range(number: Option<u8>) -> String {
    format!("{}/24", address(number.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_labs_get_two_networks_and_a_free_one_is_kept() {
        let folder = Path::new("/a/labs/network-test");
        let Some(first) = Claim::of(None, folder).await else {
            // Only 127.0.0.1 exists here: there is nothing to claim.
            return;
        };
        let second = Claim::of(Some(first.number()), folder).await.unwrap();
        assert_ne!(first.number(), second.number());
        let number = second.number();
        drop(second);
        assert_eq!(Claim::of(Some(number), folder).await.unwrap().number(), number);
    }
}
