//! The formats that Berth's schemas name: what a text must be beyond being a text.

use crate::{
    cidr::Cidr,
    duration::GoDuration,
    name::{check_label, check_subdomain},
    quantity::Quantity,
};

/// Why a text does not have a format.
pub(super) struct Misfit {
    pub(super) cause: String,
    pub(super) fix: String,
}

/// Checks a text against a format; one that isn't ours is no concern here.
pub(super) fn check(format: &str, text: &str) -> Result<(), Misfit> {
    let misfit = |cause: &dyn ToString, fix: String| Misfit {
        cause: cause.to_string(),
        fix,
    };
    match format {
        "quantity" => text
            .parse::<Quantity>()
            .map(drop)
            .map_err(|error| misfit(&error, error.fix())),
        "cidr" => text
            .parse::<Cidr>()
            .map(drop)
            .map_err(|error| misfit(&error, error.fix())),
        "go-duration" => text
            .parse::<GoDuration>()
            .map(drop)
            .map_err(|error| misfit(&error, error.fix())),
        "dns-label" => check_label(text).map_err(|error| misfit(&error, error.fix())),
        "dns-subdomain" => check_subdomain(text).map_err(|error| misfit(&error, error.fix())),
        // Someone may have put the secret itself here: it is not repeated.
        "secret-name" => check_subdomain(text).map_err(|_| Misfit {
            cause: "this is not the name of a Secret".to_owned(),
            fix: "name a Secret that exists in the guest's namespace, or use `file` or `env`".to_owned(),
        }),
        "image" => check_image(text),
        "network-attachment" => check_network_attachment(text),
        "ip" => told(
            text.parse::<std::net::IpAddr>().is_ok(),
            text,
            "an IP address",
            "write one as in `172.20.0.1`",
        ),
        // An address may hold a password: it is not repeated.
        "url" if !is_url(text, &["http", "https"]) => Err(Misfit {
            cause: "this is not an address".to_owned(),
            fix: "write one as in `https://host.example.com:8443`".to_owned(),
        }),
        "snapshot-url" => told(
            is_url(text, &["https", "s3"]),
            text,
            "the address of a snapshot",
            "write one that begins with `https://` or `s3://`",
        ),
        "amount" => told(
            is_amount(text),
            text,
            "an amount",
            "write a number, or a part as in `25%`",
        ),
        "port-range" => told(
            is_port_range(text),
            text,
            "a range of ports",
            "write one as in `30000-32767`",
        ),
        "json-pointer" => told(
            text.starts_with('/'),
            text,
            "a path of a JSON patch",
            "write one as in `/spec/template/spec/domain/cpu/model`",
        ),
        "paused-until" => check_paused_until(text),
        _ => Ok(()),
    }
}

fn told(holds: bool, text: &str, what: &str, fix: &str) -> Result<(), Misfit> {
    if holds {
        return Ok(());
    }
    Err(Misfit {
        cause: format!("`{text}` is not {what}"),
        fix: fix.to_owned(),
    })
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme)?.strip_prefix("://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace))
}

fn is_amount(text: &str) -> bool {
    let number = text.strip_suffix('%').unwrap_or("");
    number.parse::<u32>().is_ok_and(|part| part <= 100)
}

fn is_port_range(text: &str) -> bool {
    let bounds = text
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?)));
    bounds.is_some_and(|(first, last)| 0 < first && first <= last)
}

fn check_image(text: &str) -> Result<(), Misfit> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(word) && text.len() > 1 && text.len() <= 253 && !text.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(Misfit {
        cause: format!("`{text}` is not an image"),
        fix: "write a registry, a path and a tag or digest, as in `quay.io/openshift-release-dev/ocp-release:4.17.0-multi`"
            .to_owned(),
    })
}

fn check_network_attachment(text: &str) -> Result<(), Misfit> {
    let parts = text.split_once('/');
    if parts.is_some_and(|(namespace, name)| check_label(namespace).is_ok() && check_subdomain(name).is_ok()) {
        return Ok(());
    }
    Err(Misfit {
        cause: format!("`{text}` is not a network"),
        fix: "write the namespace and the name of a NetworkAttachmentDefinition, as in `network/vlan-100`".to_owned(),
    })
}

fn check_paused_until(text: &str) -> Result<(), Misfit> {
    if text == "true" || text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(());
    }
    Err(Misfit {
        cause: format!("`{text}` is neither `true` nor a time"),
        fix: "write `true`, or a time as in `2026-12-31T18:00:00Z`".to_owned(),
    })
}
