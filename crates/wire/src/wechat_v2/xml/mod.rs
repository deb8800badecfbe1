//! One message: a flat list of named texts, and its spelling in XML.
//!
//! The reader accepts far less than XML: one `xml` element with texts in it. Everything else
//! that a document may hold is refused, because each piece of it has been a hole in somebody's
//! payment system: external entities (CVE-2018-13439, CVE-2018-20318, CVE-2019-5312), an
//! element given twice, a comment that splits a value so that two readers see two amounts.

mod reader;
mod writer;

use std::borrow::Cow;

pub(super) use reader::is_allowed;
pub use reader::{MAX_BODY_BYTES, MAX_ELEMENTS, XmlError};

/// A name and its value.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The fields of one message, in the order in which they were received or inserted.
///
/// A name occurs once. Values are texts as the sender meant them: entities resolved, CDATA
/// unwrapped, nothing trimmed. A value is borrowed from the body where it stood there in one
/// piece.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    pairs: Vec<Pair<'a>>,
    /// Positions in `pairs`, sorted by the bytes of the name.
    by_name: Vec<usize>,
}

impl<'a> Fields<'a> {
    /// No fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a request, a reply or a notification.
    pub fn read(body: &'a [u8]) -> Result<Self, XmlError> {
        reader::read(body, "xml")
    }

    /// Reads a document of another root: the decrypted part of a refund notification.
    pub(super) fn read_root(body: &'a [u8], root: &str) -> Result<Self, XmlError> {
        reader::read(body, root)
    }

    /// One line without a declaration, every value in CDATA.
    ///
    /// The platform's notification service took a reply of several lines for a failure, so
    /// this is the form for everything that a merchant sends. Characters that XML cannot
    /// hold (controls) have no spelling and make a document that the other side refuses;
    /// [`limits::check`](super::limits::check) finds them first.
    pub fn write(&self) -> String {
        writer::one_line(self)
    }

    /// As the platform writes: one element a line, amounts and counts bare, the rest in CDATA.
    ///
    /// Its notifications have the elements in alphabetical order: [`sort`](Self::sort) first.
    pub fn write_lines(&self) -> String {
        writer::lines(self)
    }

    /// As the platform writes what it encrypts: another root, every value in CDATA.
    pub(super) fn write_root(&self, root: &str) -> String {
        writer::lines_in_cdata(self, root)
    }

    /// The value, which may be empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        // A message has few fields, and most names differ in length already.
        let found = self.pairs.iter().find(|(known, _)| *known == name)?;
        Some(&found.1)
    }

    /// Adds the field at the end, or replaces its value where it stands.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        match self.search(&name) {
            Ok(found) => self.pairs[self.by_name[found]].1 = value,
            Err(place) => {
                self.by_name.insert(place, self.pairs.len());
                self.pairs.push((name, value));
            }
        }
    }

    /// Takes the field out and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.search(name).ok()?;
        let removed = self.by_name.remove(found);
        for index in &mut self.by_name {
            *index -= usize::from(*index > removed);
        }
        Some(self.pairs.remove(removed).1)
    }

    /// Names and values in the order of the message.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Names and values in byte order of the names, the order of signing.
    pub fn iter_by_name(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.by_name.iter().map(|&index| {
            let (name, value) = &self.pairs[index];
            (&**name, &**value)
        })
    }

    /// Puts the fields into byte order of their names.
    pub fn sort(&mut self) {
        self.pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.by_name = (0..self.pairs.len()).collect();
    }

    /// How many fields, empty ones included.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is not a single field.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// A copy that no longer borrows from the body.
    pub fn into_owned(self) -> Fields<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Fields {
            pairs: self
                .pairs
                .into_iter()
                .map(|(name, value)| (own(name), own(value)))
                .collect(),
            by_name: self.by_name,
        }
    }

    /// `None` when a name occurs twice.
    fn from_pairs(pairs: Vec<Pair<'a>>) -> Option<Self> {
        let mut by_name: Vec<usize> = (0..pairs.len()).collect();
        by_name.sort_by(|&a, &b| pairs[a].0.cmp(&pairs[b].0));
        let distinct = by_name
            .windows(2)
            .all(|two| pairs[two[0]].0 != pairs[two[1]].0);
        distinct.then_some(Self { pairs, by_name })
    }

    fn search(&self, name: &str) -> Result<usize, usize> {
        self.by_name
            .binary_search_by(|&index| (*self.pairs[index].0).cmp(name))
    }
}

/// The same fields in the same order.
impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields<'_> {}

/// Of a name that comes twice, the later value stays.
impl<'a, N: Into<Cow<'a, str>>, V: Into<Cow<'a, str>>> FromIterator<(N, V)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.insert(name, value);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let mut fields = Fields::from_iter([("b", "2"), ("a", "1"), ("c", "3")]);

        assert_eq!(fields.get("a"), Some("1"));
        assert_eq!(fields.remove("b").as_deref(), Some("2"));
        assert_eq!(
            (fields.get("a"), fields.get("b"), fields.get("c")),
            (Some("1"), None, Some("3"))
        );
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("a", "1"), ("c", "3")]);
    }

    #[test]
    fn inserting_again_replaces_the_value_in_its_place() {
        let mut fields = Fields::from_iter([("b", "2"), ("a", "1")]);
        fields.insert("b", "x");

        assert_eq!(fields.iter().collect::<Vec<_>>(), [("b", "x"), ("a", "1")]);
    }

    #[test]
    fn fields_are_equal_in_names_values_and_order() {
        let fields = Fields::from_iter([("a", "1"), ("b", "2")]);
        assert_eq!(fields, Fields::from_iter([("a", "1"), ("b", "2")]));
        assert!(!fields.is_empty() && Fields::new().is_empty());
        for other in [
            &[("a", "1"), ("b", "3")][..],
            &[("a", "1"), ("c", "2")],
            &[("b", "2"), ("a", "1")],
            &[("a", "1")],
            &[],
        ] {
            assert_ne!(fields, other.iter().copied().collect());
        }
    }

    #[test]
    fn sorting_is_by_bytes() {
        let mut fields = Fields::from_iter([("ab", ""), ("a_1", ""), ("B", ""), ("aB", "")]);
        fields.sort();

        assert_eq!(
            fields.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["B", "aB", "a_1", "ab"]
        );
        assert!(fields.get("a_1").is_some());
    }
}
