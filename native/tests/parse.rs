//! A body is a message, or is refused with all its errors.

use fechatter_native::error::{FieldErrors, Rejected};
use fechatter_native::message::{parse_batch, parse_message};

/// The (content, key) of a message, or the (pointer, code) of each error.
type Outcome = Result<(String, Option<String>), Vec<(String, &'static str)>>;

fn codes(errors: &FieldErrors) -> Vec<(String, &'static str)> {
    errors.as_slice().iter().map(|error| (error.pointer.clone(), error.code)).collect()
}

fn rejected(rejected: &Rejected) -> Vec<(String, &'static str)> {
    match rejected {
        Rejected::Malformed(malformed) => vec![("malformed".to_owned(), malformed.code())],
        Rejected::Invalid(errors) => codes(errors),
    }
}

fn parse_with_header(body: &str, header_key: Option<&str>) -> Outcome {
    let message = parse_message(body.as_bytes(), header_key, false).map_err(|error| rejected(&error))?;
    Ok((message.content.as_str().to_owned(), message.key.map(String::from)))
}

fn parse(body: &str) -> Outcome {
    parse_with_header(body, None)
}

#[expect(clippy::unnecessary_wraps, reason = "tests compare it with `errors`")]
fn message(content: &str, key: Option<&str>) -> Outcome {
    Ok((content.to_owned(), key.map(str::to_owned)))
}

fn errors(expected: &[(&str, &'static str)]) -> Outcome {
    Err(expected.iter().map(|&(pointer, code)| (pointer.to_owned(), code)).collect())
}

#[test]
fn a_message_has_content_and_an_optional_key() {
    assert_eq!(parse(r#"{"content":"hi"}"#), message("hi", None));
    assert_eq!(parse(r#"{"idempotency_key":"k 1","content":"hi"}"#), message("hi", Some("k 1")));
    assert_eq!(parse(r#"{"content":"hi","idempotency_key":null}"#), message("hi", None));
    assert_eq!(parse("\n { \"content\"\t: \"hi\" } \r\n"), message("hi", None));
}

#[test]
fn content_is_unescaped_and_otherwise_unchanged() {
    assert_eq!(parse(r#"{"content":" \u0068\"\n\ud83d\ude00\/ "}"#), message(" h\"\n😀/ ", None));
    assert_eq!(parse("{\"content\":\"e\u{301}\u{feff}\"}"), message("e\u{301}\u{feff}", None));
}

#[test]
fn a_name_may_be_escaped() {
    assert_eq!(parse(r#"{"\u0063ontent":"hi"}"#), message("hi", None));
}

#[test]
fn every_error_is_reported_in_the_order_of_the_body() {
    assert_eq!(
        parse(r#"{"idempotency_key":"","a/b~c":[{}],"content":" ","content":"x"}"#),
        errors(&[
            ("/idempotency_key", "invalid_key"),
            ("/a~1b~0c", "unknown_field"),
            ("/content", "blank"),
            ("/content", "duplicate_field"),
        ]),
    );
    assert_eq!(parse("{}"), errors(&[("/content", "missing")]));
    assert_eq!(
        parse(r#"{"content":null,"idempotency_key":7}"#),
        errors(&[("/content", "invalid_type"), ("/idempotency_key", "invalid_type")]),
    );
    for body in ["[]", "1", "null", "\"content\"", "[{\"content\":\"hi\"}]"] {
        assert_eq!(parse(body), errors(&[("", "invalid_type")]), "{body}");
    }
}

#[test]
fn errors_are_bounded() {
    let body = format!("{{{}}}", vec!["\"x\":1"; 10_000].join(","));
    assert_eq!(parse(&body).map_err(|errors| errors.len()), Err(16));
    let name = "ä".repeat(50_000);
    assert_eq!(
        parse(&format!("{{\"content\":\"hi\",\"{name}\":1}}")),
        errors(&[(&format!("/{}", "ä".repeat(64)), "unknown_field")]),
    );
}

#[test]
fn a_lone_surrogate_is_refused_everywhere() {
    assert_eq!(parse(r#"{"content":"a\ud800"}"#), errors(&[("/content", "invalid_character")]));
    assert_eq!(parse(r#"{"content":"a","idempotency_key":"\udc00"}"#), errors(&[("/idempotency_key", "invalid_key")]),);
    assert_eq!(parse(r#"{"content":"a","\udc00":1}"#), errors(&[("/\u{fffd}\u{fffd}\u{fffd}", "unknown_field")]));
}

#[test]
fn a_key_may_come_from_the_header() {
    let with = |body, header| parse_with_header(body, Some(header));
    assert_eq!(with(r#"{"content":"hi"}"#, "k"), message("hi", Some("k")));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":null}"#, "k"), message("hi", Some("k")));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":"\u006b"}"#, "k"), message("hi", Some("k")));
    let mismatch = errors(&[("/idempotency_key", "key_mismatch")]);
    assert_eq!(with(r#"{"content":"hi","idempotency_key":"K"}"#, "k"), mismatch);
    assert_eq!(with(r#"{"content":"hi"}"#, ""), errors(&[("/idempotency_key", "invalid_key")]));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":""}"#, "k"), errors(&[("/idempotency_key", "invalid_key")]),);
}

#[test]
fn bytes_after_the_value_are_malformed() {
    for body in [r#"{"content":"hi"}x"#, r#"{"content":"hi"}{}"#, r#"{"content":"hi"} ,"#, "{\"content\":\"hi\"}\0"] {
        assert_eq!(parse(body), errors(&[("malformed", "malformed_json")]), "{body:?}");
    }
}

#[test]
fn a_truncated_body_is_malformed() {
    let body = "{\"content\":\"é😀\\ud83d\\ude00\",\"idempotency_key\":null,\"x\":[-1.5e3,{\"y\":true}]}";
    for length in 0..body.len() {
        let outcome = parse_message(&body.as_bytes()[..length], None, true);
        assert!(matches!(outcome, Err(Rejected::Malformed(_))), "{length}");
    }
}

#[test]
fn malformed_json_takes_precedence_over_invalid_fields() {
    assert_eq!(parse(r#"{"content":"","x":1"#), errors(&[("malformed", "malformed_json")]));
    assert_eq!(parse(r#"{"content":"","x":NaN}"#), errors(&[("malformed", "malformed_json")]));
}

#[test]
fn each_message_of_a_batch_is_accepted_or_refused_by_itself() {
    let body = r#"{"messages":[{"content":"a"},{"content":""},7,{"content":"b","idempotency_key":"k"}]}"#;
    let outcomes = parse_batch(body.as_bytes(), false).expect("a valid envelope");
    let found: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map(|_| ()).map_err(codes)).collect();
    let error = |pointer: &str, code| Err(vec![(pointer.to_owned(), code)]);
    assert_eq!(found, [Ok(()), error("/content", "empty"), error("", "invalid_type"), Ok(())]);
}

#[test]
fn a_batch_contains_1_to_100_messages_and_nothing_else() {
    let batch =
        |body: &str| parse_batch(body.as_bytes(), false).map(|messages| messages.len()).map_err(|e| rejected(&e));
    let of = |count| format!("{{\"messages\":[{}]}}", vec!["{\"content\":\"a\"}"; count].join(","));
    assert_eq!(batch(&of(1)), Ok(1));
    assert_eq!(batch(&of(100)), Ok(100));
    let refused = |pointer: &str, code| Err(vec![(pointer.to_owned(), code)]);
    assert_eq!(batch(&of(101)), refused("/messages", "too_many"));
    assert_eq!(batch(&of(0)), refused("/messages", "empty"));
    assert_eq!(batch("{}"), refused("/messages", "missing"));
    assert_eq!(batch("[]"), refused("", "invalid_type"));
    assert_eq!(batch(r#"{"messages":{}}"#), refused("/messages", "invalid_type"));
    assert_eq!(batch(r#"{"messages":[1],"x":1}"#), refused("/x", "unknown_field"));
    assert_eq!(batch(r#"{"messages":[1],"messages":[1]}"#), refused("/messages", "duplicate_field"));
    assert_eq!(batch(r#"{"messages":[{"content":"a"},]}"#), refused("malformed", "malformed_json"));
}

/// The extras of a message if they are allowed, or the (pointer, code) of each error.
fn extras(body: &str) -> Result<Option<String>, Vec<(String, &'static str)>> {
    let message = parse_message(body.as_bytes(), None, true).map_err(|error| rejected(&error))?;
    Ok(message.extras.map(|extras| extras.lines().collect()))
}

#[test]
fn extras_are_kept_as_their_source() {
    let object = r#"{ "files":[1,{"a":null}], "b":"\u00e9}" }"#;
    assert_eq!(extras(&format!(r#"{{"extras": {object} ,"content":"hi"}}"#)), Ok(Some(object.to_owned())));
    assert_eq!(extras(r#"{"content":"hi","\u0065xtras":{}}"#), Ok(Some("{}".to_owned())));
    assert_eq!(extras(r#"{"content":"hi"}"#), Ok(None));
}

#[test]
fn extras_must_be_one_well_formed_object() {
    let refused = |pointer: &str, code| Err(vec![(pointer.to_owned(), code)]);
    for value in ["null", "[]", "\"{}\"", "1", "true"] {
        let body = format!(r#"{{"content":"hi","extras":{value}}}"#);
        assert_eq!(extras(&body), refused("/extras", "invalid_type"), "{value}");
    }
    assert_eq!(extras(r#"{"content":"hi","extras":{},"extras":{}}"#), refused("/extras", "duplicate_field"));
    assert_eq!(extras(r#"{"content":"hi","extras":{"a"}}"#), refused("malformed", "malformed_json"));
    let nested = "[".repeat(40) + &"]".repeat(40);
    assert_eq!(
        extras(&format!(r#"{{"content":"hi","extras":{{"a":{nested}}}}}"#)),
        refused("malformed", "malformed_json")
    );
}

#[test]
fn extras_are_unknown_unless_they_are_allowed() {
    assert_eq!(parse(r#"{"content":"hi","extras":{}}"#), errors(&[("/extras", "unknown_field")]));
    let body = r#"{"messages":[{"content":"a","extras":{}}]}"#;
    let outcomes = |allowed| parse_batch(body.as_bytes(), allowed).expect("a valid envelope");
    assert!(outcomes(true)[0].is_ok());
    assert_eq!(outcomes(false)[0].as_ref().map_err(codes), Err(vec![("/extras".to_owned(), "unknown_field")]));
}
