//! What may be wrong with a body: a name for each, and who makes it.

use super::maker::Maker;
use super::{Item, bundles, decimals, envelopes, fields, ids, sizes, syntax};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal by $make:path,)+) => {
        /// What is wrong with a body.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)+
        }

        impl Kind {
            /// Every kind, the two of good bodies included.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The name, for a table.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        /// The `turn`th item of a kind.
        pub(super) fn make(kind: Kind, maker: &mut Maker, turn: usize) -> Item {
            let made = match kind {
                $(Kind::$variant => $make(maker, turn),)+
            };
            let (body, sender_id, ends) = made.into_parts();
            Item { kind, sender_id, body, ends }
        }
    };
}

kinds! {
    /// Nothing: a good interest, written plainly.
    Good = "good" by fields::good,
    /// Nothing: a good interest in an unusual spelling of the same JSON.
    OddlySpelt = "good, oddly spelt" by syntax::oddly_spelt,

    /// A message or a bundle that ends too early.
    Truncated = "truncated" by syntax::truncated,
    /// A message with something behind it.
    TrailingText = "trailing text" by syntax::trailing_text,
    /// Nothing, blanks, or an object without fields.
    EmptyBody = "empty body" by syntax::empty_body,
    /// A scalar where an object belongs.
    TopLevelScalar = "scalar for an object" by syntax::top_level_scalar,
    /// An array where an object belongs, the fields' values in their order included.
    TopLevelArray = "array for an object" by syntax::top_level_array,
    /// Another language: XML, FIX, a form, JSON with comments, …
    NotJson = "not JSON" by syntax::not_json,
    /// A number that JSON does not know: `NaN`, `01`, `+1`, `.5`, …
    NotANumber = "no JSON number" by syntax::not_a_number,
    /// An escape that JSON does not know, or that breaks off.
    BrokenEscape = "broken escape" by syntax::broken_escape,
    /// A control character, NUL included, as it is within a string.
    RawControl = "raw control character" by syntax::raw_control,
    /// A byte order mark or another invisible character between the tokens.
    InvisibleBetweenTokens = "invisible between tokens" by syntax::invisible_between_tokens,

    /// A field of the wrong type, `null` included.
    WrongType = "wrong type" by fields::wrong_type,
    /// A JSON number where a decimal string belongs: `1e400`, `1e2`, `-1`, …
    NumberForDecimal = "number for a decimal" by decimals::number_for_decimal,
    /// A decimal string that is a word, a float, has blanks, other digits, …
    WordForDecimal = "word for a decimal" by decimals::word_for_decimal,
    /// A decimal string below zero.
    Negative = "negative" by decimals::negative,
    /// A decimal string of zero.
    Zero = "zero" by decimals::zero,
    /// A decimal string of 19 and more significant digits.
    TooManyDigits = "19 digits and more" by decimals::too_many_digits,
    /// A decimal string with an exponent, huge ones included.
    Exponent = "exponent" by decimals::exponent,
    /// A decimal string with a plus sign.
    PlusSign = "plus sign" by decimals::plus_sign,
    /// A decimal string with very many digits behind the point.
    LongFraction = "long fraction" by decimals::long_fraction,
    /// A price off the tick, a quantity off the lot, a minimum above the quantity.
    OffStep = "off tick or lot" by decimals::off_step,
    /// A symbol of wrong form, or one that there is not.
    BadSymbol = "bad symbol" by fields::bad_symbol,
    /// Neither `buy` nor `sell`.
    BadSide = "bad side" by fields::bad_side,
    /// A time of wrong form, in another zone, impossible, long ago or far ahead.
    BadTime = "bad time" by fields::bad_time,
    /// A field that its type does not have.
    UnknownField = "unknown field" by fields::unknown_field,
    /// A field that its type must have.
    MissingField = "missing field" by fields::missing_field,
    /// A field twice, its name spelt the same or not.
    DuplicateField = "duplicate field" by fields::duplicate_field,
    /// Half a surrogate pair, as an escape.
    LoneSurrogate = "lone surrogate" by fields::lone_surrogate,
    /// A control or invisible character, as an escape.
    EscapedControl = "escaped control character" by fields::escaped_control,
    /// A type tag that there is not.
    UnknownType = "unknown type tag" by fields::unknown_type,
    /// The type tag of a bundle or envelope on a message.
    TypeOfContainer = "type tag of a container" by fields::type_of_container,

    /// No `clOrdId`.
    MissingId = "missing clOrdId" by ids::missing_id,
    /// A `clOrdId` that is no string.
    IdOfWrongType = "clOrdId of wrong type" by ids::id_of_wrong_type,
    /// A `clOrdId` of wrong length or characters.
    BadId = "bad clOrdId" by ids::bad_id,
    /// Two of them.
    DuplicateId = "duplicate clOrdId" by ids::duplicate_id,
    /// An `origClOrdId` of wrong length or characters.
    BadOriginal = "bad origClOrdId" by ids::bad_original,
    /// A cancel, replace or status of itself.
    SelfReference = "about itself" by ids::self_reference,
    /// A field's name in another case.
    KeyCase = "name in another case" by ids::key_case,
    /// A letter or digit that only looks like the right one.
    Homoglyph = "homoglyph" by ids::homoglyph,
    /// What bytes that are no UTF-8 become, or would like to be taken for.
    Utf8Lookalike = "UTF-8 lookalike" by ids::utf8_lookalike,

    /// One field of 256 KiB and more.
    HugeField = "huge field" by sizes::huge_field,
    /// 256 KiB and more that are no message.
    HugeText = "huge text" by sizes::huge_text,
    /// More than SQS takes.
    Oversized = "over 1 MiB" by sizes::oversized,
    /// 100,000 levels of arrays or objects.
    DeepNesting = "deep nesting" by sizes::deep_nesting,
    /// Very many small values in one field.
    ManyValues = "very many values" by sizes::many_values,

    /// A bundle without members.
    EmptyBundle = "empty bundle" by bundles::empty,
    /// A bundle in a bundle.
    NestedBundle = "bundle in a bundle" by bundles::nested,
    /// An envelope in a bundle.
    EnvelopeInBundle = "envelope in a bundle" by bundles::with_envelope,
    /// A bundle of 501 and more.
    LongBundle = "bundle of 501 and more" by bundles::long,
    /// A bundle with other fields, or without its own.
    BundleForm = "bundle of wrong form" by bundles::wrong_form,
    /// A bundle whose members are mostly no objects.
    BundleOfScraps = "bundle of scraps" by bundles::of_scraps,
    /// A bundle of 500, one of which is bad and bears a `clOrdId`.
    OneBadOf500 = "one bad of 500" by bundles::one_bad,
    /// A bundle of 500, one of which is bad and bears none.
    OneUnreadableOf500 = "one unreadable of 500" by bundles::one_unreadable,

    /// Anything from a sender that is not registered.
    UnknownSender = "unknown sender" by envelopes::unknown_sender,
    /// An envelope from a counterparty.
    ForeignEnvelope = "envelope from a stranger" by envelopes::foreign,
    /// An envelope of our own with an envelope in it.
    EnvelopeInEnvelope = "envelope in an envelope" by envelopes::nested,
    /// A message of our own role that is no envelope of the contract.
    BrokenEnvelope = "broken envelope" by envelopes::broken,
    /// An envelope of our own with something malformed in it.
    MalformedInEnvelope = "malformed in an envelope" by envelopes::malformed_inside,
}

impl Kind {
    /// Every kind that is malformed.
    pub const MALFORMED: [Self; Self::ALL.len() - 2] = {
        let mut kinds = [Self::Truncated; Self::ALL.len() - 2];
        let mut index = 0;
        while index < kinds.len() {
            kinds[index] = Self::ALL[index + 2];
            index += 1;
        }
        kinds
    };

    /// Whether it is good.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::OddlySpelt)
    }

    /// Whether its bodies are long, or have very many members.
    #[must_use]
    pub const fn is_long(self) -> bool {
        matches!(
            self,
            Self::HugeField
                | Self::HugeText
                | Self::Oversized
                | Self::DeepNesting
                | Self::ManyValues
                | Self::LongBundle
                | Self::OneBadOf500
                | Self::OneUnreadableOf500
        )
    }
}
