//! Why a volume claim is not bound.

use berth_api::resources;
use serde_json::Value;

use crate::assess::Diagnosis;
use crate::facts::{Facts, Selector};
use crate::read::{annotation, find, name, objects, some_of, text};
use crate::walk::{Finding, diagnosis};

/// Annotation of the class that claims without a class get.
pub(crate) const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// Annotation of the class that CDI prefers for virtual machine disks.
pub(crate) const DEFAULT_VIRT_CLASS: &str = "storageclass.kubevirt.io/is-default-virt-class";

/// The storage classes that an annotation makes default, in the server's order.
pub(crate) fn defaults<'a>(facts: &'a Facts, key: &str) -> Vec<&'a str> {
    objects(facts, &Selector::all(resources::STORAGE_CLASS))
        .filter(|class| annotation(class, key) == Some("true"))
        .map(name)
        .collect()
}

/// Why one of the claims that pass the filter is still pending, if one is.
pub(crate) fn pending_claim(facts: &Facts, claims: &Selector, wanted: impl Fn(&str) -> bool) -> Option<Finding> {
    let claim = objects(facts, claims)
        .find(|claim| wanted(name(claim)) && text(claim, &["status", "phase"]).unwrap_or("Pending") == "Pending")?;
    Some(explain(facts, claim))
}

fn explain(facts: &Facts, claim: &Value) -> Finding {
    let classes = Selector::all(resources::STORAGE_CLASS);
    let object = format!(
        "PersistentVolumeClaim {}/{}",
        text(claim, &["metadata", "namespace"]).unwrap_or_default(),
        name(claim)
    );
    match text(claim, &["spec", "storageClassName"]) {
        None if defaults(facts, DEFAULT_CLASS).is_empty() => Finding::certain(no_class(facts, object)),
        Some(class) if find(facts, &classes, class).is_none() && !facts.objects(&classes).is_empty() => {
            Finding::certain(unknown_class(facts, object, class))
        }
        class => {
            let found = diagnosis(
                "P02",
                "a volume claim is not bound",
                &object,
                [format!(
                    "phase Pending with StorageClass {}",
                    class.unwrap_or("(the default)")
                )],
                format!(
                    "look at the provisioner's own words: oc describe pvc {} -n {}",
                    name(claim),
                    text(claim, &["metadata", "namespace"]).unwrap_or_default()
                ),
            );
            Finding::after(2, found).with(claim)
        }
    }
}

fn no_class(facts: &Facts, object: String) -> Diagnosis {
    diagnosis(
        "P02",
        "a volume claim names no storage class, and no class is the default",
        object,
        ["phase Pending without a storageClassName".to_owned(), offered(facts)],
        format!(
            "set `spec.storage.defaultClass` in the ManagementCluster document, or: oc annotate storageclass CLASS \
             {DEFAULT_CLASS}=true (claims that wait are bound then, too)"
        ),
    )
}

fn unknown_class(facts: &Facts, object: String, class: &str) -> Diagnosis {
    diagnosis(
        "P02",
        format!("a volume claim asks for the storage class {class}, which does not exist"),
        object,
        [format!("storageClassName {class}"), offered(facts)],
        "the class of a claim cannot be changed: name an existing class in the document, remove the guest and bring it up \
         again",
    )
}

fn offered(facts: &Facts) -> String {
    let names: Vec<_> = objects(facts, &Selector::all(resources::STORAGE_CLASS))
        .map(name)
        .collect();
    if names.is_empty() {
        "the cluster has no storage class".to_owned()
    } else {
        format!("classes: {}", some_of(&names))
    }
}
