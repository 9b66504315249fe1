//! Enums whose variants are words of the contract.

/// Declares an enum by its words: each is written once, so that `ALL`, what is read and what is written cannot
/// differ. With what is wanted, as a fault says it, the enum can be parsed.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $name:ident $(, $wanted:literal)? { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $code)] $variant,)* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }

        $(
            impl std::str::FromStr for $name {
                type Err = $crate::domain::door::Wanted;

                fn from_str(raw: &str) -> Result<Self, Self::Err> {
                    Self::ALL.iter().copied().find(|code| code.as_str() == raw)
                        .ok_or($crate::domain::door::Wanted($wanted))
                }
            }
        )?
    };
}

pub(crate) use codes;
