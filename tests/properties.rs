//! What must hold for everybody and every campaign, tried on thousands that chance made.

mod rules;
mod world;
