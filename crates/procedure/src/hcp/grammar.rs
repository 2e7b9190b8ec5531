//! The small languages inside some of `hcp`'s flags, with its error texts.

use berth_api::{StorageMapping, Toleration, TolerationEffect, TolerationOperator};

use super::HcpError;

/// `<infra>/<guest>[,group=<group>]`, for storage classes (`what` = `storageclass`) and for snapshot classes.
pub(super) fn mapping(text: &str, what: &str) -> Result<StorageMapping, HcpError> {
    let error = || HcpError::new(format!("invalid infra {what} mapping [{text}]"));
    let classes: Vec<&str> = text.split('/').collect();
    let [infra, guest] = classes.as_slice() else {
        return Err(error());
    };
    let mut options = guest.split(',');
    let guest = options.next().unwrap_or_default();
    let mut group = None;
    for option in options {
        // The original breaks down on an option that is no pair; a plain refusal serves better.
        let (key, value) = option
            .split_once('=')
            .filter(|(_, value)| !value.contains('='))
            .ok_or_else(error)?;
        if key.trim().eq_ignore_ascii_case("group") {
            group = Some(value.to_owned()).filter(|group| !group.is_empty());
            break;
        }
    }
    Ok(StorageMapping {
        infra: (*infra).to_owned(),
        guest: guest.to_owned(),
        group,
    })
}

/// `key=<k>,value=<v>,operator=<o>,effect=<e>,tolerationSeconds=<n>`.
pub(super) fn toleration(text: &str) -> Result<Toleration, HcpError> {
    let error = |what: String| HcpError::new(format!("invalid toleration cli argument.{what}"));
    let mut toleration = Toleration::default();
    for pair in text.split(',') {
        let parts: Vec<&str> = pair.split('=').collect();
        let [key, value] = parts.as_slice() else {
            return Err(error(format!(" [{text}]")));
        };
        let (key, value) = (key.trim(), value.trim());
        match key.to_lowercase().as_str() {
            "key" => toleration.key = some(value),
            "value" => toleration.value = some(value),
            "operator" | "effect" if value.is_empty() => {}
            "operator" => {
                toleration.operator = Some(match value.to_lowercase().as_str() {
                    "equal" => TolerationOperator::Equal,
                    "exists" => TolerationOperator::Exists,
                    _ => return Err(error(format!(" unknown operator type [{value}]"))),
                });
            }
            "effect" => {
                toleration.effect = Some(match value.to_lowercase().as_str() {
                    "noschedule" => TolerationEffect::NoSchedule,
                    "prefernoschedule" => TolerationEffect::PreferNoSchedule,
                    "noexecute" => TolerationEffect::NoExecute,
                    _ => return Err(error(format!(" unknown effect type [{value}]"))),
                });
            }
            "tolerationseconds" => {
                let seconds = value
                    .parse()
                    .map_err(|_| error(format!(" failed to parse tolerationSeconds [{value}]")))?;
                toleration.toleration_seconds = Some(seconds);
            }
            _ => return Err(error(format!(" unknown field [{key}]"))),
        }
    }
    Ok(toleration)
}

/// `name:<namespace>/<name>`.
pub(super) fn additional_network(text: &str) -> Result<String, HcpError> {
    let error = |what: String| HcpError::new(format!("failed to parse \"--additional-network\" flag: {what}"));
    if text.is_empty() {
        return Err(error("params may not be empty".to_owned()));
    }
    let mut name = None;
    let mut unknown = Vec::new();
    for param in text.split(',') {
        let (key, value) = param
            .split_once(':')
            .ok_or_else(|| error(format!("params need to have at least one colon: {param}")))?;
        if key == "name" {
            name = Some(value.to_owned());
        } else {
            unknown.push(param);
        }
    }
    if !unknown.is_empty() {
        return Err(error(format!("unknown param(s): {}", unknown.join(","))));
    }
    Ok(name.unwrap_or_default())
}

/// `<device>,count:<number>`. A device without a count is dropped, as `hcp` does (its help promises one).
pub(super) fn host_device(text: &str) -> Result<Option<(String, u32)>, HcpError> {
    let invalid = || HcpError::new(format!("invalid KubeVirt host device setting: [{text}]"));
    let Some((name, option)) = text.split_once(',') else {
        return Ok(None);
    };
    let value = option
        .strip_prefix("count:")
        .filter(|value| !value.contains([',', ':']))
        .ok_or_else(invalid)?;
    let unreadable = || HcpError::new(format!("could not parse host device count: [{text}]"));
    let count: i64 = value.parse().map_err(|_| unreadable())?;
    if count < 1 {
        let rule = "host device count must be greater than or equal to 1";
        return Err(HcpError::new(format!("{rule}. received: [{count}]")));
    }
    let count = u32::try_from(count).map_err(|_| unreadable())?;
    Ok(Some((name.to_owned(), count)))
}

/// `key=value` of an annotation or a label.
pub(super) fn pair(text: &str, what: &str, empty_keys: bool) -> Result<(String, String), HcpError> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| HcpError::new(format!("invalid {what}: {text}")))?;
    if key.is_empty() && !empty_keys {
        return Err(HcpError::new(format!(
            "invalid {what}: key must not be empty in \"{text}\""
        )));
    }
    Ok((key.to_owned(), value.to_owned()))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
