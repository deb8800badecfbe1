//! The calls of the API, read out of its OpenAPI description.

use serde_json::Value;

use super::chinese;
use crate::api::openapi::document;
use crate::pages::language::Language;

/// Calls of one kind.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) calls: Vec<Call>,
}

/// One call.
pub(super) struct Call {
    pub(super) id: String,
    pub(super) method: String,
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
    let document = serde_json::to_value(document()).unwrap_or_default();
    let reader = Reader {
        document: &document,
        language,
    };
    let tags = document["tags"].as_array().into_iter().flatten();
    tags.map(|tag| reader.group(tag)).collect()
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

struct Reader<'a> {
    document: &'a Value,
    language: Language,
}

/// No value of ours goes deeper.
const DEEPEST: usize = 3;

impl Reader<'_> {
    fn group(&self, tag: &Value) -> Group {
        let name = text(&tag["name"]);
        let mut calls = Vec::new();
        for (path, methods) in self.document["paths"].as_object().into_iter().flatten() {
            for (method, call) in methods.as_object().into_iter().flatten() {
                if call["tags"][0] == tag["name"] {
                    calls.push(self.call(path, method, call));
                }
            }
        }
        calls.sort_by_key(|call| chinese::place(&call.id));
        Group {
            description: self.translated(&format!("tag.{name}"), text(&tag["description"])),
            name,
            calls,
        }
    }

    fn call(&self, path: &str, method: &str, call: &Value) -> Call {
        let id = text(&call["operationId"]);
        let body = &call["requestBody"]["content"]["application/json"]["schema"];
        let good = call["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .find(|(status, _)| status.starts_with('2'));
        let answer = good.map_or(&Value::Null, |(_, response)| {
            &response["content"]["application/json"]["schema"]
        });
        let parameters = call["parameters"].as_array().into_iter().flatten();
        let responses = call["responses"].as_object().into_iter().flatten();
        Call {
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: self.translated(&id, text(&call["summary"])),
            description: self.translated(&format!("{id}.more"), text(&call["description"])),
            parameters: parameters
                .map(|parameter| self.parameter(parameter))
                .collect(),
            body: self.fields(body),
            answer: self.fields(answer),
            responses: responses
                .map(|(status, response)| {
                    let said = text(&response["description"]);
                    (status.clone(), self.translated(&said, said.clone()))
                })
                .collect(),
            curl: self.curl(path, method, body),
            id,
        }
    }

    fn parameter(&self, parameter: &Value) -> Field {
        let said = text(&parameter["description"]);
        Field {
            name: text(&parameter["name"]),
            kind: self.kind(&parameter["schema"]),
            required: parameter["required"] == true,
            description: self.translated(&said, said.clone()),
        }
    }

    fn fields(&self, schema: &Value) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect("", schema, 0, &mut fields);
        fields
    }

    fn collect(&self, within: &str, schema: &Value, depth: usize, into: &mut Vec<Field>) {
        let schema = self.resolved(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(within, part, depth, into);
        }
        let required = schema["required"].as_array();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let full = format!("{within}{name}");
            let said = text(&field["description"]);
            into.push(Field {
                kind: self.kind(field),
                required: required.is_some_and(|all| all.iter().any(|one| one == name)),
                description: self.translated(&said, said.clone()),
                name: full.clone(),
            });
            if depth < DEEPEST {
                let (inner, mark) = match field["items"].is_object() {
                    true => (&field["items"], "[]."),
                    false => (self.some(field), "."),
                };
                self.collect(&format!("{full}{mark}"), inner, depth + 1, into);
            }
        }
        // One of several shapes: the fields of all of them.
        for shape in schema["oneOf"].as_array().into_iter().flatten() {
            for field in self.fields(shape) {
                let name = format!("{within}{}", field.name);
                if !into.iter().any(|known| known.name == name) {
                    into.push(Field { name, ..field });
                }
            }
        }
    }

    /// What a value that may be missing is when it is there.
    fn some<'b>(&'b self, field: &'b Value) -> &'b Value {
        let shapes = field["oneOf"].as_array().into_iter().flatten();
        let there = shapes.into_iter().find(|shape| shape["type"] != "null");
        self.resolved(there.unwrap_or(field))
    }

    fn resolved<'b>(&'b self, schema: &'b Value) -> &'b Value {
        let name = schema["$ref"]
            .as_str()
            .and_then(|name| name.rsplit('/').next());
        name.map_or(schema, |name| &self.document["components"]["schemas"][name])
    }

    fn kind(&self, field: &Value) -> String {
        let field = self.some(field);
        let types = match &field["type"] {
            Value::Array(types) => types.iter().find(|kind| *kind != "null").map(text),
            one => Some(text(one)),
        };
        let word = types
            .filter(|kind| !kind.is_empty())
            .unwrap_or_else(|| "object".to_owned());
        if word == "array" {
            return format!("{}[]", self.kind(&field["items"]));
        }
        word
    }

    fn curl(&self, path: &str, method: &str, body: &Value) -> String {
        let path = match path.split_once("{id}") {
            Some((before, after)) => format!("{before}$ID{after}"),
            None => path.to_owned(),
        };
        let mut lines = vec![match method {
            "get" => format!("curl \"$TONGBAO{path}\""),
            "post" if body.is_null() => format!("curl -X POST \"$TONGBAO{path}\""),
            "post" => format!("curl \"$TONGBAO{path}\""),
            other => format!("curl -X {} \"$TONGBAO{path}\"", other.to_uppercase()),
        }];
        lines.push("  -H \"Authorization: Bearer $TONGBAO_KEY\"".to_owned());
        if !body.is_null() {
            let example = &self.resolved(body)["example"];
            let example = serde_json::to_string_pretty(example).unwrap_or_default();
            lines.push("  -H \"Content-Type: application/json\"".to_owned());
            lines.push(format!("  -d '{example}'"));
        }
        lines.join(" \\\n")
    }

    fn translated(&self, key: &str, english: String) -> String {
        match self.language {
            Language::En => english.replace('\n', " "),
            Language::Zh => chinese::of(key).map_or(english, str::to_owned),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that the page shows of the description.
    fn shown(language: Language) -> Vec<String> {
        let mut all = Vec::new();
        for group in groups(language) {
            all.push(group.description);
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
        let mut english: Vec<_> = shown(Language::Zh)
            .into_iter()
            .filter(|text| !text.contains(is_chinese) && text.contains(' '))
            .collect();
        english.sort();
        english.dedup();
        assert_eq!(english, Vec::<String>::new());
    }

    #[test]
    fn every_call_has_a_group_and_an_example() {
        let document = serde_json::to_value(document()).unwrap();
        let calls: usize = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|methods| methods.as_object().unwrap().len())
            .sum();
        let groups = groups(Language::En);
        assert_eq!(
            groups.iter().map(|group| group.calls.len()).sum::<usize>(),
            calls
        );
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
        let body: Vec<_> = create.body.iter().map(|field| &field.name).collect();
        assert!(body.iter().any(|name| *name == "attempt.scene"), "{body:?}");
        let answer: Vec<_> = create.answer.iter().map(|field| &field.name).collect();
        assert!(
            answer
                .iter()
                .any(|name| *name == "attempts[].action.code_url"),
            "{answer:?}"
        );
    }
}
