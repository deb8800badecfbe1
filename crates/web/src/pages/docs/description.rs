//! As much of an OpenAPI document as the page shows, in the document's order.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Description {
    pub(super) tags: Vec<Tag>,
    pub(super) paths: IndexMap<String, PathItem>,
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    schemas: IndexMap<String, Schema>,
}

#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) description: String,
}

/// The methods in the order in which people want to read of them.
#[derive(Deserialize)]
pub(super) struct PathItem {
    post: Option<Operation>,
    get: Option<Operation>,
    patch: Option<Operation>,
    delete: Option<Operation>,
}

impl PathItem {
    pub(super) fn operations(&self) -> impl Iterator<Item = (&'static str, &Operation)> {
        [
            ("POST", &self.post),
            ("GET", &self.get),
            ("PATCH", &self.patch),
            ("DELETE", &self.delete),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) tags: Vec<String>,
    #[serde(rename = "operationId")]
    pub(super) id: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    pub(super) request_body: Option<Carried>,
    pub(super) responses: IndexMap<String, Carried>,
}

#[derive(Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) schema: Schema,
}

/// A body with its content, of a request or an answer.
#[derive(Deserialize)]
pub(super) struct Carried {
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    content: IndexMap<String, Content>,
}

#[derive(Deserialize)]
struct Content {
    schema: Option<Schema>,
}

impl Carried {
    pub(super) fn json(&self) -> Option<&Schema> {
        self.content.get("application/json")?.schema.as_ref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(default, rename = "type")]
    kinds: Kinds,
    #[serde(default)]
    description: String,
    #[serde(default)]
    pub(super) properties: IndexMap<String, Self>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    pub(super) items: Option<Box<Self>>,
    #[serde(default)]
    pub(super) all_of: Vec<Self>,
    #[serde(default)]
    pub(super) one_of: Vec<Self>,
    #[serde(default)]
    example: Value,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(String),
    Many(Vec<String>),
    #[default]
    Unsaid,
}

impl Schema {
    /// What is said of it, wherever the document puts that.
    pub(super) fn said(&self) -> &str {
        let parts = self.one_of.iter().chain(&self.all_of);
        let mut said = std::iter::once(self)
            .chain(parts)
            .map(|part| part.description.as_str());
        said.find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The kind of its values, when they are there.
    pub(super) fn kind(&self) -> &str {
        let kinds = match &self.kinds {
            Kinds::One(kind) => std::slice::from_ref(kind),
            Kinds::Many(kinds) => kinds,
            Kinds::Unsaid => &[],
        };
        let there = kinds.iter().find(|kind| *kind != "null");
        there.map_or("object", String::as_str)
    }

    /// The example, its fields in the order of the schema's.
    pub(super) fn example(&self) -> IndexMap<&str, &Value> {
        let names = self.properties.keys();
        let given = names.map(|name| Some((name.as_str(), self.example.get(name)?)));
        given.flatten().collect()
    }

    /// Says only that the value may be missing.
    fn is_null(&self) -> bool {
        matches!(&self.kinds, Kinds::One(kind) if kind == "null")
    }
}

impl Description {
    /// The schema that a reference leads to, and what a value that may be missing
    /// is when it is there.
    pub(super) fn resolved<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let name = schema.reference.as_deref();
        let named = name.and_then(|name| self.components.schemas.get(name.rsplit('/').next()?));
        let schema = named.unwrap_or(schema);
        match &schema.one_of[..] {
            [null, there] | [there, null] if null.is_null() => self.resolved(there),
            _ => schema,
        }
    }
}
