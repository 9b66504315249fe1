//! The requests as the SDK writes them; members that we do not look at are left out.

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendBulkEmail {
    pub from_email_address: Option<String>,
    #[serde(default)]
    pub reply_to_addresses: Vec<String>,
    #[serde(default)]
    pub default_email_tags: Vec<Pair>,
    pub default_content: BulkContent,
    pub bulk_email_entries: Vec<BulkEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BulkContent {
    pub template: Option<TemplateUse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BulkEntry {
    #[serde(default)]
    pub destination: Destination,
    #[serde(default)]
    pub replacement_tags: Vec<Pair>,
    #[serde(default)]
    pub replacement_headers: Vec<Pair>,
    #[serde(default)]
    pub replacement_email_content: ReplacementContent,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ReplacementContent {
    pub replacement_template: ReplacementTemplate,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ReplacementTemplate {
    pub replacement_template_data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    pub from_email_address: Option<String>,
    #[serde(default)]
    pub destination: Destination,
    #[serde(default)]
    pub reply_to_addresses: Vec<String>,
    #[serde(default)]
    pub email_tags: Vec<Pair>,
    pub content: EmailContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EmailContent {
    pub simple: Option<Simple>,
    pub template: Option<TemplateUse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Simple {
    pub subject: Content,
    #[serde(default)]
    pub body: Body,
    #[serde(default)]
    pub headers: Vec<Pair>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Body {
    pub html: Option<Content>,
    pub text: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    pub data: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Destination {
    #[serde(rename = "ToAddresses")]
    pub to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    pub cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    pub bcc: Vec<String>,
}

/// A stored template by its name, or the whole content.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TemplateUse {
    pub template_name: Option<String>,
    pub template_content: Option<TemplateContent>,
    pub template_data: Option<String>,
    #[serde(default)]
    pub headers: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateEmailTemplate {
    pub template_name: String,
    pub template_content: TemplateContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateEmailTemplate {
    pub template_content: TemplateContent,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TemplateContent {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
}

/// A tag or a header.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Pair {
    pub name: String,
    pub value: String,
}
