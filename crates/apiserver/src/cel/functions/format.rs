//! Named formats of texts: each says what is wrong with a text, or nothing.

use cel::{
    DeclarationError, Env, add_member_overload, add_overload,
    common::types::{CelOptional, CelString},
};

use super::{collection, opaque};
use crate::{
    object_meta::{label_value, name_complaint, qualified_name},
    resource::NameRule,
    schema,
};

type Complain = fn(&str) -> Option<String>;

#[derive(Debug, Clone)]
struct Format(&'static str, Complain);

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

opaque!(Format, "kubernetes.NamedFormat");

/// The names of all formats, and what they complain about.
const FORMATS: [(&str, Complain); 12] = [
    ("dns1123Label", |text| name_complaint(NameRule::Label, text)),
    ("dns1123Subdomain", |text| name_complaint(NameRule::Subdomain, text)),
    ("dns1035Label", |text| name_complaint(NameRule::Label1035, text)),
    ("qualifiedName", qualified_name),
    ("dns1123LabelPrefix", |text| {
        name_complaint(NameRule::Label, &masked(text))
    }),
    ("dns1123SubdomainPrefix", |text| {
        name_complaint(NameRule::Subdomain, &masked(text))
    }),
    ("dns1035LabelPrefix", |text| {
        name_complaint(NameRule::Label1035, &masked(text))
    }),
    ("labelValue", label_value),
    ("uri", |text| of_schema("uri", text, "invalid URL")),
    ("uuid", |text| of_schema("uuid", text, "does not match the UUID format")),
    ("byte", |text| of_schema("byte", text, "invalid base64")),
    ("date", |text| of_schema("date", text, "invalid date")),
];

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    macro_rules! constants {
        ($($index:literal $name:literal)*) => {
            $(env.add_overload(concat!("format.", $name), concat!("format.", $name), vec![], |_| {
                Ok(cel::common::value::CowVal::owned(Format(FORMATS[$index].0, FORMATS[$index].1)))
            })?;)*
        };
    }
    constants! {
        0 "dns1123Label" 1 "dns1123Subdomain" 2 "dns1035Label" 3 "qualifiedName" 4 "dns1123LabelPrefix"
        5 "dns1123SubdomainPrefix" 6 "dns1035LabelPrefix" 7 "labelValue" 8 "uri" 9 "uuid" 10 "byte" 11 "date"
    }
    env.add_overload("format.datetime", "format.datetime", vec![], |_| {
        Ok(cel::common::value::CowVal::owned(datetime()))
    })?;
    add_overload!(env, fn named: (CelString) -> CelOptional, name = "format.named")?;
    add_member_overload!(env, fn validate: (Format, CelString) -> CelOptional)
}

fn datetime() -> Format {
    Format("datetime", |text| of_schema("date-time", text, "invalid datetime"))
}

fn of_schema(format: &str, text: &str, complaint: &str) -> Option<String> {
    (!schema::has_format(format, text)).then(|| complaint.to_owned())
}

/// A prefix of a name may end in what a whole name may not.
fn masked(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) => format!("{rest}a"),
        None => prefix.to_owned(),
    }
}

fn named(name: &CelString<'_>) -> CelOptional<'static> {
    let found = FORMATS.iter().find(|(known, _)| *known == name.inner());
    let found = found.map(|(name, complain)| Format(name, *complain));
    match found.or_else(|| (name.inner() == "datetime").then(datetime)) {
        Some(format) => CelOptional::of(Box::new(format)),
        None => CelOptional::none(),
    }
}

fn validate(Format(_, complain): &Format, text: &CelString<'_>) -> CelOptional<'static> {
    match complain(text.inner()) {
        Some(complaint) => CelOptional::of(Box::new(collection::texts([complaint]))),
        None => CelOptional::none(),
    }
}
