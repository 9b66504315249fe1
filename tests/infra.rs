//! What a deployment is made of, beside what the code expects. `infra/check` compares the template with the same file.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ScalarAttributeType;
use germane::aws::tables::{TableDefinition, TableNames};
use serde_json::{Value, json};

#[test]
fn the_template_has_the_tables_that_the_code_makes() {
    let names = TableNames::new("");
    let made: BTreeMap<&str, Value> = names.definitions().iter().map(described).collect();
    let deployed: BTreeMap<&str, Value> = serde_json::from_str(include_str!("../infra/tables.json")).unwrap();
    assert_eq!(made, deployed, "infra/tables.json, and with it infra/template.yaml, are for other tables");
}

/// A table's name without a prefix, and what is written of it.
fn described<'a>(table: &TableDefinition<'a>) -> (&'a str, Value) {
    let key = |(name, kind): &(&'static str, ScalarAttributeType)| json!([name, kind.as_str()]);
    let expires = table.expires.then_some("x");
    let described = json!({
        "partition": key(&table.partition),
        "sort": table.sort.as_ref().map(key),
        "expires": expires,
    });
    (table.name.trim_start_matches('-'), described)
}
