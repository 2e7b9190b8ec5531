//! The query part of a request, as clients really send it.

use crate::{path, status::Result};

/// Decoded parameters, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let decode = |text: &str| path::decode(&text.replace('+', " "));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        };
        Ok(Self(pairs.map(pair).collect::<Result<_>>()?))
    }

    /// The first value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The names of all parameters, as often as they occur.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A flag: anything but `false` and `0` is true, also nothing after the name.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.set_flag(name).unwrap_or(false)
    }

    /// As [`Query::flag`], telling an absent one apart.
    pub(crate) fn set_flag(&self, name: &str) -> Option<bool> {
        let (_, value) = self.0.iter().find(|(given, _)| given == name)?;
        Some(!(value == "0" || value.eq_ignore_ascii_case("false")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_clients_send_them() {
        let query = Query::parse("a=True&b=1&c&d=false&e=0&f=FALSE&g=").unwrap();
        let set: Vec<&str> = ["a", "b", "c", "d", "e", "f", "g", "h"]
            .into_iter()
            .filter(|name| query.flag(name))
            .collect();
        assert_eq!(set, ["a", "b", "c", "g"]);
    }

    #[test]
    fn values_are_decoded_and_empty_queries_accepted() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&x=1+2").unwrap();
        assert_eq!(query.get("labelSelector"), Some("a=b,c"));
        assert_eq!(query.get("x"), Some("1 2"));
        assert_eq!(Query::parse("").unwrap().get("x"), None);
    }
}
