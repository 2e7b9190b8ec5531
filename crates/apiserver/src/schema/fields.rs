//! The named fields of an object's node: sorted, and no larger than they need to be. There are tens of thousands of them
//! in a cluster's schemas, most objects have a handful, and a map's spare room would be most of the memory.

use super::{Edge, Node};

/// Nodes by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(Box<str>, Edge)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.find(name).ok().map(|index| &*self.0[index].1)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.find(name).ok().map(|index| self.0[index].1.own())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (&**name, &**node))
    }

    /// The field's node, which is made where there is none.
    pub(crate) fn entry(&mut self, name: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let index = match self.find(name) {
            Ok(index) => index,
            Err(index) => {
                self.0.reserve_exact(1);
                self.0.insert(index, (name.into(), make().into()));
                index
            }
        };
        self.0[index].1.own()
    }

    /// Sets a field, and returns what was there.
    pub(super) fn insert(&mut self, name: &str, node: Edge) -> Option<Edge> {
        match self.find(name) {
            Ok(index) => Some(std::mem::replace(&mut self.0[index].1, node)),
            Err(index) => {
                self.0.reserve_exact(1);
                self.0.insert(index, (name.into(), node));
                None
            }
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }
}

impl<N: Into<Box<str>>, E: Into<Edge>> FromIterator<(N, E)> for Fields {
    /// Of fields of one name the first stays.
    fn from_iter<I: IntoIterator<Item = (N, E)>>(fields: I) -> Self {
        let fields = fields.into_iter().map(|(name, node)| (name.into(), node.into()));
        let mut fields: Vec<(Box<str>, Edge)> = fields.collect();
        fields.sort_by(|(one, _), (two, _)| one.cmp(two));
        fields.dedup_by(|(one, _), (two, _)| one == two);
        fields.shrink_to_fit();
        Self(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Type, *};

    #[test]
    fn fields_are_found_whatever_their_order() {
        let node = |kind| Node::of_type(kind);
        let mut fields: Fields = [("b", node(Type::String)), ("a", node(Type::Integer))]
            .into_iter()
            .collect();
        assert!(fields.insert("c", node(Type::Array).into()).is_none());
        assert!(fields.insert("a", node(Type::Boolean).into()).is_some());
        fields.entry("aa", || node(Type::Object));
        fields.entry("b", || node(Type::Object));
        let kinds: Vec<_> = fields.iter().map(|(name, node)| (name, node.kind)).collect();
        let expected = [
            ("a", Some(Type::Boolean)),
            ("aa", Some(Type::Object)),
            ("b", Some(Type::String)),
            ("c", Some(Type::Array)),
        ];
        assert_eq!(kinds, expected);
        assert!(fields.contains("c") && !fields.contains("d") && fields.get("d").is_none());
    }
}
