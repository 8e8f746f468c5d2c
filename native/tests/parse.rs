//! Bodies become messages, or are told everything that is wrong with them.

use fechatter_native::error::{FieldErrors, Rejected};
use fechatter_native::message::{parse_batch, parse_message};

/// (content, key) of a message, or the (pointer, code) of its errors, or the code of a malformed body.
type Outcome = Result<(String, Option<String>), Vec<(String, &'static str)>>;

fn told(errors: &FieldErrors) -> Vec<(String, &'static str)> {
    errors.as_slice().iter().map(|error| (error.pointer.clone(), error.code)).collect()
}

fn rejected(rejected: &Rejected) -> Vec<(String, &'static str)> {
    match rejected {
        Rejected::Malformed(malformed) => vec![("malformed".to_owned(), malformed.code())],
        Rejected::Invalid(errors) => told(errors),
    }
}

fn parse_with_header(body: &str, header_key: Option<&str>) -> Outcome {
    let message = parse_message(body.as_bytes(), header_key).map_err(|error| rejected(&error))?;
    let mut content = String::new();
    message.content.append_to(&mut content);
    Ok((content, message.key.map(String::from)))
}

fn parse(body: &str) -> Outcome {
    parse_with_header(body, None)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside `errors` in comparisons")]
fn message(content: &str, key: Option<&str>) -> Outcome {
    Ok((content.to_owned(), key.map(str::to_owned)))
}

fn errors(expected: &[(&str, &'static str)]) -> Outcome {
    Err(expected.iter().map(|&(pointer, code)| (pointer.to_owned(), code)).collect())
}

#[test]
fn a_message_is_content_and_perhaps_a_key() {
    assert_eq!(parse(r#"{"content":"hi"}"#), message("hi", None));
    assert_eq!(parse(r#"{"idempotency_key":"k 1","content":"hi"}"#), message("hi", Some("k 1")));
    assert_eq!(parse(r#"{"content":"hi","idempotency_key":null}"#), message("hi", None));
    assert_eq!(parse("\n { \"content\"\t: \"hi\" } \r\n"), message("hi", None));
}

#[test]
fn content_is_unescaped_and_never_changed() {
    assert_eq!(parse(r#"{"content":" \u0068\"\n\ud83d\ude00\/ "}"#), message(" h\"\n😀/ ", None));
    assert_eq!(parse("{\"content\":\"e\u{301}\u{feff}\"}"), message("e\u{301}\u{feff}", None));
}

#[test]
fn a_name_may_be_escaped() {
    assert_eq!(parse(r#"{"\u0063ontent":"hi"}"#), message("hi", None));
}

#[test]
fn every_error_is_told_in_the_order_of_the_body() {
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
fn a_lone_surrogate_is_refused_in_every_place() {
    assert_eq!(parse(r#"{"content":"a\ud800"}"#), errors(&[("/content", "invalid_character")]));
    assert_eq!(parse(r#"{"content":"a","idempotency_key":"\udc00"}"#), errors(&[("/idempotency_key", "invalid_key")]),);
    assert_eq!(parse(r#"{"content":"a","\udc00":1}"#), errors(&[("/\u{fffd}", "unknown_field")]));
}

#[test]
fn the_key_of_the_header_counts_like_that_of_the_body() {
    let with = |body, header| parse_with_header(body, Some(header));
    assert_eq!(with(r#"{"content":"hi"}"#, "k"), message("hi", Some("k")));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":null}"#, "k"), message("hi", Some("k")));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":"\u006b"}"#, "k"), message("hi", Some("k")));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":"K"}"#, "k"), errors(&[("/idempotency_key", "key_mismatch")]),);
    assert_eq!(with(r#"{"content":"hi"}"#, ""), errors(&[("/idempotency_key", "invalid_key")]));
    assert_eq!(with(r#"{"content":"hi","idempotency_key":""}"#, "k"), errors(&[("/idempotency_key", "invalid_key")]),);
}

#[test]
fn a_body_with_something_after_its_value_is_malformed() {
    for body in [r#"{"content":"hi"}x"#, r#"{"content":"hi"}{}"#, r#"{"content":"hi"} ,"#, "{\"content\":\"hi\"}\0"] {
        assert_eq!(parse(body), errors(&[("malformed", "malformed_json")]), "{body:?}");
    }
}

#[test]
fn a_body_cut_anywhere_is_malformed() {
    let body = "{\"content\":\"é😀\\ud83d\\ude00\",\"idempotency_key\":null,\"x\":[-1.5e3,{\"y\":true}]}";
    for length in 0..body.len() {
        let outcome = parse_message(&body.as_bytes()[..length], None);
        assert!(matches!(outcome, Err(Rejected::Malformed(_))), "{length}");
    }
}

#[test]
fn a_malformed_body_is_malformed_whatever_else_is_wrong() {
    assert_eq!(parse(r#"{"content":"","x":1"#), errors(&[("malformed", "malformed_json")]));
    assert_eq!(parse(r#"{"content":"","x":NaN}"#), errors(&[("malformed", "malformed_json")]));
}

#[test]
fn each_message_of_a_batch_has_its_own_outcome() {
    let body = r#"{"messages":[{"content":"a"},{"content":""},7,{"content":"b","idempotency_key":"k"}]}"#;
    let outcomes = parse_batch(body.as_bytes()).expect("the envelope is right");
    let told: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map(|_| ()).map_err(told)).collect();
    let error = |pointer: &str, code| Err(vec![(pointer.to_owned(), code)]);
    assert_eq!(told, [Ok(()), error("/content", "empty"), error("", "invalid_type"), Ok(())]);
}

#[test]
fn a_batch_holds_1_to_100_messages_and_nothing_else() {
    let batch = |body: &str| parse_batch(body.as_bytes()).map(|messages| messages.len()).map_err(|e| rejected(&e));
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
