//! CloudWatch, in which nothing has a point: what runs in this process counts for itself (`meter`).
//!
//! Its protocol is CBOR over HTTP, so the ids of the queries are read from there and answered there.

use ciborium::Value;

/// The answer to `GetMetricData`: every query complete, without points. `None` for what is no such request.
pub(super) fn no_points(request: &[u8]) -> Option<Vec<u8>> {
    let asked: Value = ciborium::from_reader(request).ok()?;
    let queries = field(&asked, "MetricDataQueries")?.as_array()?;
    let results = queries.iter().map(|query| {
        let id = field(query, "Id").cloned().unwrap_or(Value::Null);
        map([
            ("Id", id),
            ("StatusCode", Value::Text("Complete".to_owned())),
            ("Timestamps", Value::Array(Vec::new())),
            ("Values", Value::Array(Vec::new())),
        ])
    });
    let answer = map([("MetricDataResults", Value::Array(results.collect()))]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&answer, &mut bytes).ok()?;
    Some(bytes)
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter();
    Value::Map(
        fields
            .map(|(name, value)| (Value::Text(name.to_owned()), value))
            .collect(),
    )
}

fn field<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let mut fields = of.as_map()?.iter();
    let found = fields.find(|(key, _)| key.as_text() == Some(name));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_complete_and_empty() {
        let query = |id: &str| map([("Id", Value::Text(id.to_owned()))]);
        let asked = map([(
            "MetricDataQueries",
            Value::Array(vec![query("errors"), query("invocations")]),
        )]);
        let mut request = Vec::new();
        ciborium::into_writer(&asked, &mut request).unwrap();
        let answer: Value = ciborium::from_reader(no_points(&request).unwrap().as_slice()).unwrap();
        let results = field(&answer, "MetricDataResults").unwrap().as_array().unwrap();
        let ids: Vec<_> = results
            .iter()
            .map(|one| field(one, "Id").unwrap().as_text())
            .collect();
        assert_eq!(ids, [Some("errors"), Some("invocations")]);
        assert_eq!(field(&results[0], "Values"), Some(&Value::Array(Vec::new())));
    }

    #[test]
    fn what_is_no_request_has_no_answer() {
        assert_eq!(no_points(b"no cbor"), None);
    }
}
