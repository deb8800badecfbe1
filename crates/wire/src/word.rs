//! Enums over the platform's words.

/// Declares an enum of documented words and `Other` for those still to come.
///
/// Reading never fails and writing gives back what was read.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$note:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] #[doc = ""] $(#[$note])* $variant,)+
            /// A word that was not documented when this was written.
            Other(String),
        }

        impl $name {
            /// The platform's spelling.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
