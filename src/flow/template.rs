//! Templates: from what an author writes (MJML, a manifest, perhaps a plain text) to what SES stores, and the data
//! that each mail brings along.
//!
//! SES escapes nothing and feeds one data object to subject, text and HTML. Escaping is therefore compiled in: the
//! HTML part reads every value below `h`, where it is escaped, subject and text read its raw twin below `t`, and a
//! value in a place where escaping does not help is refused.

mod compile;
mod content;
mod dialect;
mod html;
mod json;
mod mjml;
mod nesting;
mod plain;
mod render;
mod shape;
mod source;
mod walk;

pub use compile::{Compiled, compile};
pub use content::{Personal, Shared};
pub use render::{RenderError, Rendered, Renderer, render};
pub use shape::Shape;
pub(super) use source::held_sample;
pub use source::{Manifest, Source, Variable};
