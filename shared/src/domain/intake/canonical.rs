//! Canonical JSON of any text: written while it is read, because a tree of a hostile text takes up to a hundred times
//! its bytes. What is kept beside the text itself is the names of the objects that are open.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// `text` with sorted keys and without blanks; of a name that an object has twice, the last value counts.
///
/// # Errors
/// It is no JSON, has a number that is out of range, or is nested deeper than the parser goes (128 levels).
pub(super) fn canonical(text: &str) -> serde_json::Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut reader = serde_json::Deserializer::from_str(text);
    Writer(&mut out).deserialize(&mut reader)?;
    reader.end()?;
    Ok(out)
}

/// Writes one value behind what is written already.
struct Writer<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl Writer<'_> {
    fn number(self, number: &Number) {
        self.0.push_str(&number.to_string());
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.number(&value.into());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.number(&value.into());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // The parser has refused what is not finite.
        if let Some(number) = Number::from_f64(value) {
            self.number(&number);
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.0.push_str(&serde_json::to_string(value).map_err(E::custom)?);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push('[');
        while items.next_element_seed(Writer(self.0))?.is_some() {
            self.0.push(',');
        }
        close(self.0, ']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let start = self.0.len();
        let mut fields: Vec<(String, Range<usize>)> = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            let from = self.0.len();
            entries.next_value_seed(Writer(self.0))?;
            fields.push((name, from..self.0.len()));
        }
        // Stable: the last of equal names stays the last.
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut object = String::with_capacity(self.0.len() - start);
        object.push('{');
        for (index, (name, value)) in fields.iter().enumerate() {
            let repeated = fields.get(index + 1).is_some_and(|(next, _)| next == name);
            if !repeated {
                Writer(&mut object).visit_str(name)?;
                object.push(':');
                object.push_str(self.0.get(value.clone()).unwrap_or_default());
                object.push(',');
            }
        }
        close(&mut object, '}');
        self.0.truncate(start);
        self.0.push_str(&object);
        Ok(())
    }
}

/// Ends a list of values that has a comma behind each.
fn close(out: &mut String, bracket: char) {
    if out.ends_with(',') {
        out.pop();
    }
    out.push(bracket);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn is_sorted_and_without_blanks() {
        for (text, expected) in [
            (" null ", "null"),
            ("[ ]", "[]"),
            ("{ }", "{}"),
            (
                "[1, -2, 1.50, -0, 1e2, true, [[]]]",
                "[1,-2,1.5,-0.0,100.0,true,[[]]]",
            ),
            (
                r#"{"b": {"d": 1, "c": ["x,", ","]}, "a": ""}"#,
                r#"{"a":"","b":{"c":["x,",","],"d":1}}"#,
            ),
            (r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"a":3,"b":2}"#),
            (
                r#"{"\u00e4":"\n\u0001\"","z":"\/"}"#,
                "{\"z\":\"/\",\"\u{e4}\":\"\\n\\u0001\\\"\"}",
            ),
        ] {
            assert_eq!(canonical(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "{", "1 2", "1e400", &"[".repeat(200), r#""\ud800""#] {
            assert!(canonical(wrong).is_err(), "{wrong}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\PC]{0,3}", inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// A tree keeps its keys sorted, so this is what was hashed before there was this module.
        #[test]
        fn is_what_a_tree_of_the_text_would_be_written_as(value in any_json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let tree: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(canonical(&text).unwrap(), tree.to_string());
        }
    }
}
