//! Where people live and what they read, weighted roughly as a technical newsletter's readers are.

#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub zone: Option<&'static str>,
    pub locale: &'static str,
}

const fn at(zone: &'static str, locale: &'static str) -> Place {
    Place { zone: Some(zone), locale }
}

/// Where nothing is known but a language.
pub const UNKNOWN: Place = Place { zone: None, locale: "en" };

pub const PLACES: [(u64, Place); 24] = [
    (140, at("America/New_York", "en-US")),
    (60, at("America/Chicago", "en-US")),
    (110, at("America/Los_Angeles", "en-US")),
    (30, at("America/Toronto", "en-CA")),
    (15, at("America/Toronto", "fr-CA")),
    (50, at("America/Sao_Paulo", "pt-BR")),
    (20, at("America/Mexico_City", "es-MX")),
    (80, at("Europe/London", "en-GB")),
    (110, at("Europe/Berlin", "de")),
    (50, at("Europe/Paris", "fr")),
    (30, at("Europe/Madrid", "es")),
    (30, at("Europe/Amsterdam", "nl")),
    (40, at("Europe/Warsaw", "pl")),
    (25, at("Europe/Stockholm", "sv")),
    (20, at("Europe/Zurich", "de-CH")),
    (25, at("Africa/Lagos", "en-NG")),
    (20, at("Africa/Nairobi", "en-KE")),
    (90, at("Asia/Kolkata", "en-IN")),
    (10, at("Asia/Kathmandu", "en")),
    (45, at("Asia/Tokyo", "ja")),
    (35, at("Asia/Seoul", "ko")),
    (35, at("Asia/Singapore", "en-SG")),
    (30, at("Australia/Sydney", "en-AU")),
    (30, UNKNOWN),
];
