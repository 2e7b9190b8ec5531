//! Conditions as operators write them: `lastTransitionTime` moves only when the status does.

use serde_json::{Value, json};

/// The condition of a type, if the list has it.
pub(crate) fn find<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// Whether the object has the condition with status `True`.
pub(crate) fn is_true(object: &Value, kind: &str) -> bool {
    find(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Sets a condition in a list, in place; new ones go to the end. Whether anything changed.
pub(crate) fn set(
    conditions: &mut Vec<Value>,
    now: &str,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
) -> bool {
    let mut wanted = json!({ "type": kind, "status": status, "reason": reason, "message": message });
    let Some(condition) = conditions.iter_mut().find(|condition| condition["type"] == kind) else {
        wanted["lastTransitionTime"] = now.into();
        conditions.push(wanted);
        return true;
    };
    let same_status = condition["status"] == status;
    if same_status && condition["reason"] == reason && condition["message"] == message {
        return false;
    }
    wanted["lastTransitionTime"] = if same_status {
        condition["lastTransitionTime"].clone()
    } else {
        now.into()
    };
    if let (Some(old), Value::Object(new)) = (condition.as_object_mut(), wanted) {
        old.extend(new);
    }
    true
}
