//! Bytes to fields. `quick-xml` finds the tokens; the rules are ours.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::{Fields, Pair};

/// Bodies above this are refused unread; a large genuine message has a few KiB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// More elements than the largest documented message (ten refunds with coupons) can hold.
pub const MAX_ELEMENTS: usize = 512;

const MAX_NAME_BYTES: usize = 64;

/// Why a body is not a message.
///
/// Says nothing of the content, so it may be logged, counted ([`label`](Self::label)) and
/// shown. The display form is the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}", self.label())]
pub enum XmlError {
    /// More than [`MAX_BODY_BYTES`].
    TooLarge,
    /// More than [`MAX_ELEMENTS`].
    TooManyElements,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// A byte order mark before the document.
    ByteOrderMark,
    /// NUL or another character that no message needs and some readers change: controls
    /// (a tab or a line feed is welcome), a carriage return inside a value, a noncharacter.
    ControlCharacter,
    /// A document type: the way in of every entity attack.
    Doctype,
    /// An entity that is not one of the five of XML, or a reference to no character.
    Entity,
    /// `<?…?>`, but for the declaration.
    ProcessingInstruction,
    /// A declaration that is misplaced or malformed.
    Declaration,
    /// The declaration names another encoding than UTF-8.
    Encoding,
    /// A comment. Readers differ in the value that `1<!---->2` has.
    Comment,
    /// An element with attributes.
    Attribute,
    /// A name with a colon.
    Namespace,
    /// An element name outside `[A-Za-z_][A-Za-z0-9_.-]*`, or a very long one.
    Name,
    /// The root is not `xml` (of an encrypted part: not `root`), or there is none.
    Root,
    /// Text or CDATA outside the fields.
    StrayText,
    /// An element inside a field.
    Nested,
    /// Two elements of one name. Readers differ in which of them counts.
    Duplicate,
    /// Something follows the root.
    AfterRoot,
    /// The document ends too early.
    Truncated,
    /// Not well-formed in another way.
    Malformed,
}

impl XmlError {
    /// A stable word for counters and inbox rows.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "xml_too_large",
            Self::TooManyElements => "xml_too_many_elements",
            Self::NotUtf8 => "xml_not_utf8",
            Self::ByteOrderMark => "xml_byte_order_mark",
            Self::ControlCharacter => "xml_control_character",
            Self::Doctype => "xml_doctype",
            Self::Entity => "xml_entity",
            Self::ProcessingInstruction => "xml_processing_instruction",
            Self::Declaration => "xml_declaration",
            Self::Encoding => "xml_encoding",
            Self::Comment => "xml_comment",
            Self::Attribute => "xml_attribute",
            Self::Namespace => "xml_namespace",
            Self::Name => "xml_name",
            Self::Root => "xml_root",
            Self::StrayText => "xml_stray_text",
            Self::Nested => "xml_nested",
            Self::Duplicate => "xml_duplicate",
            Self::AfterRoot => "xml_after_root",
            Self::Truncated => "xml_truncated",
            Self::Malformed => "xml_malformed",
        }
    }
}

pub(super) fn read<'a>(body: &'a [u8], root: &str) -> Result<Fields<'a>, XmlError> {
    let text = check_text(body)?;
    let mut document = Document {
        text,
        reader: Reader::from_str(text),
    };
    let pairs = match document.open_root(root)? {
        Root::Open => document.fields()?,
        Root::Empty => Vec::new(),
    };
    document.end()?;
    Fields::from_pairs(pairs).ok_or(XmlError::Duplicate)
}

/// The characters that XML and this platform's values share.
pub(in crate::wechat_v2) fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => !c.is_control(),
    }
}

struct Document<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
}

enum Root {
    Open,
    Empty,
}

impl<'a> Document<'a> {
    fn open_root(&mut self, root: &str) -> Result<Root, XmlError> {
        let mut first = true;
        loop {
            let (event, source) = self.next()?;
            let found = match event {
                Event::Decl(_) if first => {
                    check_declaration(source)?;
                    None
                }
                Event::Text(text) if is_blank(&text) => None,
                Event::Start(_) => Some(Root::Open),
                Event::Empty(_) => Some(Root::Empty),
                Event::Eof => return Err(XmlError::Root),
                other => return Err(refusal(&other)),
            };
            if let Some(found) = found {
                return if name(source)? == root {
                    Ok(found)
                } else {
                    Err(XmlError::Root)
                };
            }
            first = false;
        }
    }

    /// Everything up to the end of the root.
    fn fields(&mut self) -> Result<Vec<Pair<'a>>, XmlError> {
        let mut pairs = Vec::with_capacity(32);
        loop {
            let (event, source) = self.next()?;
            let pair = match event {
                Event::Text(text) if is_blank(&text) => continue,
                Event::Start(_) => (name(source)?.into(), self.value()?),
                Event::Empty(_) => (name(source)?.into(), "".into()),
                Event::End(_) => return Ok(pairs),
                other => return Err(refusal(&other)),
            };
            if pairs.len() == MAX_ELEMENTS {
                return Err(XmlError::TooManyElements);
            }
            pairs.push(pair);
        }
    }

    /// Texts, CDATA and references up to the end of the field, joined.
    fn value(&mut self) -> Result<Cow<'a, str>, XmlError> {
        let mut value = Cow::Borrowed("");
        loop {
            let piece = match self.next()?.0 {
                Event::Text(text) if text.contains("]]>") => return Err(XmlError::Malformed),
                Event::Text(text) => text.into_inner(),
                Event::CData(text) => text.into_inner(),
                Event::GeneralRef(reference) => resolve(&reference)?,
                Event::End(_) => return Ok(value),
                Event::Start(_) | Event::Empty(_) => return Err(XmlError::Nested),
                other => return Err(refusal(&other)),
            };
            // XML readers turn it into a line feed, so the sender did not sign this value.
            if piece.contains('\r') {
                return Err(XmlError::ControlCharacter);
            }
            if value.is_empty() {
                value = piece;
            } else {
                value.to_mut().push_str(&piece);
            }
        }
    }

    fn end(&mut self) -> Result<(), XmlError> {
        loop {
            match self.next()?.0 {
                Event::Eof => return Ok(()),
                Event::Text(text) if is_blank(&text) => {}
                Event::DocType(_) => return Err(XmlError::Doctype),
                _ => return Err(XmlError::AfterRoot),
            }
        }
    }

    /// The next token, and how it stands in the text.
    fn next(&mut self) -> Result<(Event<'a>, &'a str), XmlError> {
        let start = self.reader.buffer_position();
        let event = self
            .reader
            .read_event()
            .map_err(|error| malformed(&error))?;
        let end = self.reader.buffer_position();
        let span = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let source = span.and_then(|(start, end)| self.text.get(start..end));
        Ok((event, source.ok_or(XmlError::Malformed)?))
    }
}

fn check_text(body: &[u8]) -> Result<&str, XmlError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(XmlError::TooLarge);
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(XmlError::ByteOrderMark);
    }
    let text = str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?;
    // Counted, since counting compiles to vector instructions and `any` does not.
    let controls = body
        .iter()
        .filter(|byte| byte.is_ascii_control() && !b"\t\n\r".contains(byte))
        .count();
    let allowed = text.is_ascii() || text.chars().all(|c| c == '\r' || is_allowed(c));
    if controls > 0 || !allowed {
        Err(XmlError::ControlCharacter)
    } else {
        Ok(text)
    }
}

/// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, the last two optional.
fn check_declaration(source: &str) -> Result<(), XmlError> {
    let rest = source
        .strip_prefix("<?xml")
        .and_then(|rest| rest.strip_suffix("?>"));
    let rest = rest.ok_or(XmlError::Declaration)?;
    let Some(("1.0", rest)) = pseudo_attribute(rest, "version") else {
        return Err(XmlError::Declaration);
    };
    let rest = match pseudo_attribute(rest, "encoding") {
        Some((encoding, rest)) if encoding.eq_ignore_ascii_case("utf-8") => rest,
        Some(_) => return Err(XmlError::Encoding),
        None => rest,
    };
    let rest = match pseudo_attribute(rest, "standalone") {
        Some(("yes" | "no", rest)) => rest,
        _ => rest,
    };
    if is_blank(rest) {
        Ok(())
    } else {
        Err(XmlError::Declaration)
    }
}

/// The value of `name="value"` at the start of `text`, and what follows.
fn pseudo_attribute<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let spaced = text.trim_start_matches(is_space);
    if spaced.len() == text.len() {
        return None;
    }
    let rest = spaced.strip_prefix(name)?.trim_start_matches(is_space);
    let rest = rest.strip_prefix('=')?.trim_start_matches(is_space);
    let quote = rest.chars().next().filter(|&c| c == '"' || c == '\'')?;
    rest[1..].split_once(quote)
}

/// The name in a start tag or an empty-element tag that has nothing but a name.
fn name(tag: &str) -> Result<&str, XmlError> {
    let inner = tag
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    let inner = inner.ok_or(XmlError::Malformed)?;
    let name = inner
        .strip_suffix('/')
        .unwrap_or(inner)
        .trim_end_matches(is_space);
    let mut bytes = name.bytes();
    let well_named = name.len() <= MAX_NAME_BYTES
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if well_named {
        Ok(name)
    } else if name.contains(is_space) {
        Err(XmlError::Attribute)
    } else if name.contains(':') {
        Err(XmlError::Namespace)
    } else {
        Err(XmlError::Name)
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, XmlError> {
    Ok(Cow::Borrowed(match &**reference {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => {
            let c = reference
                .resolve_char_ref()
                .ok()
                .flatten()
                .ok_or(XmlError::Entity)?;
            return if is_allowed(c) {
                Ok(Cow::Owned(c.into()))
            } else {
                Err(XmlError::ControlCharacter)
            };
        }
    }))
}

/// Why a token may not stand where it was found.
fn refusal(event: &Event<'_>) -> XmlError {
    match event {
        Event::DocType(_) => XmlError::Doctype,
        Event::Comment(_) => XmlError::Comment,
        Event::PI(_) => XmlError::ProcessingInstruction,
        Event::Decl(_) => XmlError::Declaration,
        Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => XmlError::StrayText,
        Event::Eof => XmlError::Truncated,
        Event::Start(_) | Event::Empty(_) | Event::End(_) => XmlError::Malformed,
    }
}

fn malformed(error: &quick_xml::Error) -> XmlError {
    use quick_xml::errors::{IllFormedError, SyntaxError};
    match error {
        quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype)
        | quick_xml::Error::IllFormed(IllFormedError::MissingDoctypeName) => XmlError::Doctype,
        quick_xml::Error::Syntax(SyntaxError::UnclosedComment) => XmlError::Comment,
        quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => XmlError::Malformed,
        quick_xml::Error::Syntax(_) => XmlError::Truncated,
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => XmlError::Entity,
        _ => XmlError::Malformed,
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
