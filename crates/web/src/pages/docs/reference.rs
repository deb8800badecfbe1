//! The calls of the API, read out of its OpenAPI description.

use super::chinese;
use super::description::{Description, Operation, Parameter, Schema};
use crate::api::openapi::document;
use crate::pages::language::Language;

/// Calls of one kind.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) calls: Vec<Call>,
}

/// One call.
pub(super) struct Call {
    pub(super) id: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) parameters: Vec<Field>,
    pub(super) body: Vec<Field>,
    pub(super) answer: Vec<Field>,
    pub(super) responses: Vec<(String, String)>,
    pub(super) curl: String,
}

/// A parameter, or a field of a body; `attempt.scene` and `data[].id` are deeper
/// ones.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) description: String,
}

/// All calls, by their kind.
pub(super) fn groups(language: Language) -> Vec<Group> {
    let text = serde_json::to_string(&document());
    let text = text.expect("the description is made of text and numbers");
    let description = serde_json::from_str(&text);
    let reader = Reader {
        description: description.expect("the derive writes what OpenAPI asks for"),
        language,
    };
    let tags = reader.description.tags.iter();
    tags.map(|tag| Group {
        name: tag.name.clone(),
        title: reader.said(&capitalized(&tag.name)),
        description: reader.said(&tag.description),
        calls: reader.calls(&tag.name),
    })
    .collect()
}

/// A piece of a line of text: `code` stands between backticks.
pub(super) struct Piece<'a> {
    pub(super) code: bool,
    pub(super) text: &'a str,
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let parts = text.split('`').enumerate();
    parts
        .filter(|(_, text)| !text.is_empty())
        .map(|(place, text)| Piece {
            code: place % 2 == 1,
            text,
        })
        .collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

struct Reader {
    description: Description,
    language: Language,
}

/// No value of ours goes deeper.
const DEEPEST: usize = 3;

impl Reader {
    fn calls(&self, tag: &str) -> Vec<Call> {
        let mut calls = Vec::new();
        for (path, item) in &self.description.paths {
            for (method, operation) in item.operations() {
                if operation.tags.iter().any(|one| one == tag) {
                    calls.push(self.call(path, method, operation));
                }
            }
        }
        calls
    }

    fn call(&self, path: &str, method: &'static str, operation: &Operation) -> Call {
        let body = operation.request_body.as_ref().and_then(|body| body.json());
        let mut good = operation
            .responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'));
        let answer = good.find_map(|(_, response)| response.json());
        let fields = |schema: Option<&Schema>| {
            let mut fields = Vec::new();
            if let Some(schema) = schema {
                self.collect("", schema, 0, &mut fields);
            }
            fields
        };
        Call {
            id: operation.id.clone(),
            method,
            path: path.to_owned(),
            summary: self.said(operation.summary.trim_end_matches('.')),
            description: self.said(&operation.description),
            parameters: operation
                .parameters
                .iter()
                .map(|one| self.parameter(one))
                .collect(),
            body: fields(body),
            answer: fields(answer),
            responses: operation
                .responses
                .iter()
                .map(|(status, response)| (status.clone(), self.said(&response.description)))
                .collect(),
            curl: self.curl(path, method, body),
        }
    }

    fn parameter(&self, parameter: &Parameter) -> Field {
        Field {
            name: parameter.name.clone(),
            kind: self.kind(&parameter.schema),
            required: parameter.required,
            description: self.said(&parameter.description),
        }
    }

    fn collect(&self, within: &str, schema: &Schema, depth: usize, into: &mut Vec<Field>) {
        let schema = self.description.resolved(schema);
        // Parts of one value, or shapes of which it has one: the fields of all.
        for part in schema.all_of.iter().chain(&schema.one_of) {
            self.collect(within, part, depth, into);
        }
        for (name, field) in &schema.properties {
            let name = format!("{within}{name}");
            if into.iter().any(|known| known.name == name) {
                continue;
            }
            let required = schema
                .required
                .iter()
                .any(|one| within.to_owned() + one == name);
            into.push(Field {
                kind: self.kind(field),
                required,
                description: self.said(field.said()),
                name: name.clone(),
            });
            if depth < DEEPEST {
                let inner = self.description.resolved(field);
                match &inner.items {
                    Some(items) => self.collect(&format!("{name}[]."), items, depth + 1, into),
                    None => self.collect(&format!("{name}."), inner, depth + 1, into),
                }
            }
        }
    }

    fn kind(&self, schema: &Schema) -> String {
        let schema = self.description.resolved(schema);
        match &schema.items {
            Some(items) => format!("{}[]", self.kind(items)),
            None => schema.kind().to_owned(),
        }
    }

    fn curl(&self, path: &str, method: &str, body: Option<&Schema>) -> String {
        let address = format!("\"$TONGBAO{}\"", path.replace("{id}", "$ID"));
        let mut lines = vec![match (method, body) {
            ("GET", _) | ("POST", Some(_)) => format!("curl {address}"),
            _ => format!("curl -X {method} {address}"),
        }];
        lines.push("  -H \"Authorization: Bearer $TONGBAO_KEY\"".to_owned());
        if let Some(body) = body {
            let example = self.description.resolved(body).example();
            let example = serde_json::to_string_pretty(&example).unwrap_or_default();
            lines.push("  -H \"Content-Type: application/json\"".to_owned());
            lines.push(format!("  -d '{example}'"));
        }
        lines.join(" \\\n")
    }

    /// What the description says, in the page's language.
    fn said(&self, english: &str) -> String {
        let english = english.replace('\n', " ");
        match self.language {
            Language::En => english,
            Language::Zh => chinese::of(&english).map_or(english, str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that the page shows of the description.
    fn shown(language: Language) -> Vec<String> {
        let mut all = Vec::new();
        for group in groups(language) {
            all.extend([group.title, group.description]);
            for call in group.calls {
                let fields = call
                    .parameters
                    .into_iter()
                    .chain(call.body)
                    .chain(call.answer);
                all.extend(fields.map(|field| field.description));
                all.extend([call.summary, call.description]);
                all.extend(call.responses.into_iter().map(|(_, said)| said));
            }
        }
        all.retain(|text| !text.is_empty());
        all
    }

    #[test]
    fn everything_is_said_in_chinese() {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let mut english = shown(Language::Zh);
        let titles = crate::problem::KINDS.iter().map(|kind| kind.title);
        english.extend(titles.map(|title| chinese::of(title).unwrap_or(title).to_owned()));
        english.retain(|text| !text.contains(is_chinese) && text.contains(' '));
        english.sort();
        english.dedup();
        assert!(english.is_empty(), "{english:#?}");
    }

    #[test]
    fn every_call_has_a_group_and_an_example() {
        let document = serde_json::to_value(document()).unwrap();
        let paths = document["paths"].as_object().unwrap().values();
        let calls: usize = paths
            .map(|methods| methods.as_object().unwrap().len())
            .sum();
        let groups = groups(Language::En);
        let shown: usize = groups.iter().map(|group| group.calls.len()).sum();
        assert_eq!(shown, calls);
        for call in groups.iter().flat_map(|group| &group.calls) {
            assert!(!call.curl.contains("null"), "{}: {}", call.id, call.curl);
            assert!(!call.summary.is_empty(), "{}", call.id);
        }
    }

    #[test]
    fn fields_within_fields_bear_their_path() {
        let groups = groups(Language::En);
        let mut calls = groups.iter().flat_map(|group| &group.calls);
        let create = calls.find(|call| call.id == "create_payment").unwrap();
        let body: Vec<_> = create.body.iter().map(|field| &*field.name).collect();
        assert_eq!(body[..3], ["merchant_order_no", "amount", "subject"]);
        assert!(body.contains(&"attempt.scene"), "{body:?}");
        let answer: Vec<_> = create.answer.iter().map(|field| &*field.name).collect();
        assert!(answer.contains(&"attempts[].action.code_url"), "{answer:?}");
    }
}
