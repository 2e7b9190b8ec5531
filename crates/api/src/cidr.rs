//! Networks.

use std::{borrow::Cow, fmt, str::FromStr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A network in CIDR notation, whose address is the network's first: `10.132.0.0/14`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

/// Why a text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// It isn't an address with a prefix length.
    #[error("`{0}` is not a network in CIDR notation")]
    Malformed(String),
    /// The address is one inside the network, not the network's own.
    #[error("`{text}` has host bits set")]
    HostBits {
        /// The whole text.
        text: String,
        /// The network that the address is in.
        network: String,
    },
}

impl Cidr {
    /// The network itself.
    pub fn net(&self) -> IpNet {
        self.0
    }
}

impl CidrError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Malformed(_) => "write an address and a prefix length, as in `10.132.0.0/14`".to_owned(),
            Self::HostBits { network, .. } => format!("write `{network}`"),
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let net: IpNet = text.parse().map_err(|_| CidrError::Malformed(text.to_owned()))?;
        if net.trunc() != net {
            return Err(CidrError::HostBits {
                text: text.to_owned(),
                network: net.trunc().to_string(),
            });
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Cidr {
    fn schema_name() -> Cow<'static, str> {
        "Cidr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "cidr",
            "description": "A network in CIDR notation: `10.132.0.0/14`.",
        })
    }
}
