//! One operation of the document, built up in the words of this API.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{
        AllOfBuilder, Content, ContentBuilder, HeaderBuilder, HttpMethod, ObjectBuilder, Ref, RefOr, Required,
        ResponseBuilder, Schema, Type,
        path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
    },
};

use super::{
    examples,
    problem::{Problem, meaning, status},
};
use crate::flow::api::Code;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const PROBLEM: &str = "application/problem+json";

/// Components, by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// Makes a type and all that it stands on components; answers with where it is.
pub fn component<T: ToSchema>(schemas: &mut Schemas) -> Ref {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    Ref::from_schema_name(T::name())
}

/// An operation that is being described.
pub struct Op {
    path: &'static str,
    method: HttpMethod,
    operation: OperationBuilder,
    refusals: BTreeMap<StatusCode, Vec<Code>>,
    schemas: Schemas,
}

/// An operation and the components that it needs.
pub struct Described {
    pub path: &'static str,
    pub method: HttpMethod,
    pub operation: Operation,
    pub schemas: Schemas,
}

impl Op {
    pub fn new(method: HttpMethod, path: &'static str, tag: &str, id: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
        Self { path, method, operation, refusals: BTreeMap::new(), schemas: Schemas::new() }
    }

    pub fn says(self, description: &str) -> Self {
        self.with(|operation, _| operation.description(Some(description)))
    }

    /// A name in the path.
    pub fn named<T: ToSchema>(self, name: &str) -> Self {
        self.parameter::<T>(name, ParameterIn::Path, None)
    }

    /// A parameter of the query, which may be left out.
    pub fn query<T: ToSchema>(self, name: &str, description: &str) -> Self {
        self.parameter::<T>(name, ParameterIn::Query, Some(description))
    }

    fn parameter<T: ToSchema>(self, name: &str, place: ParameterIn, description: Option<&str>) -> Self {
        let required = if place == ParameterIn::Path { Required::True } else { Required::False };
        self.with(|operation, schemas| {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(place)
                .required(required)
                .description(description)
                .schema(Some(component::<T>(schemas)));
            operation.parameter(parameter)
        })
    }

    pub fn body<T: ToSchema>(self, example: Value) -> Self {
        let body = self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), example);
            operation.request_body(Some(
                RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build(),
            ))
        });
        body.refuses(&[Code::MalformedJson, Code::TooLarge])
    }

    /// A body that may be left out.
    pub fn body_if_any<T: ToSchema>(self, example: Value) -> Self {
        let body = self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), example);
            let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::False));
            operation.request_body(Some(body.build()))
        });
        body.refuses(&[Code::MalformedJson, Code::TooLarge])
    }

    /// A body of JSON Lines; the schema is that of a line.
    pub fn lines<T: ToSchema>(self, description: &str, example: &str) -> Self {
        self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), json!(example));
            let body = RequestBodyBuilder::new().description(Some(description)).content(LINES, content);
            operation.request_body(Some(body.required(Some(Required::True)).build()))
        })
        .refuses(&[Code::MalformedJson, Code::TooLarge])
    }

    pub fn answers<T: ToSchema>(self, status: u16, description: &str, example: Value) -> Self {
        self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), example);
            operation
                .response(status.to_string(), ResponseBuilder::new().description(description).content(JSON, content))
        })
    }

    /// As [`Op::answers`], with an entity tag.
    pub fn answers_tagged<T: ToSchema>(self, description: &str, tag: &str, example: Value) -> Self {
        self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), example);
            let text = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().schema(Some(text)).description(Some(tag)).build();
            let response =
                ResponseBuilder::new().description(description).header("ETag", header).content(JSON, content);
            operation.response("200", response)
        })
    }

    /// An answer of JSON Lines; the schema is that of a line.
    pub fn answers_lines<T: ToSchema>(self, description: &str, example: &str) -> Self {
        self.with(|operation, schemas| {
            let content = content(component::<T>(schemas), json!(example));
            operation.response("200", ResponseBuilder::new().description(description).content(LINES, content))
        })
    }

    /// A page for people.
    pub fn shows(self, status: u16, description: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let content = ContentBuilder::new().schema(Some(text)).build();
        self.with(|operation, _| {
            operation.response(
                status.to_string(),
                ResponseBuilder::new().description(description).content("text/html", content),
            )
        })
    }

    pub fn answers_nothing(self, description: &str) -> Self {
        self.with(|operation, _| operation.response("204", ResponseBuilder::new().description(description)))
    }

    pub fn refuses(mut self, codes: &[Code]) -> Self {
        for &code in codes {
            self.refusals.entry(status(code)).or_default().push(code);
        }
        self
    }

    pub fn done(self) -> Described {
        let Self { path, method, mut operation, refusals, mut schemas } = self;
        for (status, codes) in refusals {
            operation = operation.response(status.as_str(), refusal(status, &codes, &mut schemas));
        }
        Described { path, method, operation: operation.build(), schemas }
    }

    fn with(mut self, change: impl FnOnce(OperationBuilder, &mut Schemas) -> OperationBuilder) -> Self {
        self.operation = change(self.operation, &mut self.schemas);
        self
    }
}

fn content(schema: Ref, example: Value) -> Content {
    ContentBuilder::new().schema(Some(schema)).example(Some(example)).build()
}

/// A problem with one of these codes.
fn refusal(status: StatusCode, codes: &[Code], schemas: &mut Schemas) -> ResponseBuilder {
    let words: Vec<Value> = codes.iter().map(|code| json!(code)).collect();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    let schema =
        AllOfBuilder::new().item(component::<Problem>(schemas)).item(ObjectBuilder::new().property("code", code));
    let meanings: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), meaning(*code))).collect();
    let example = codes.first().map(|code| examples::problem(status, *code));
    let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
    ResponseBuilder::new().description(meanings.join(" ")).content(PROBLEM, content)
}
