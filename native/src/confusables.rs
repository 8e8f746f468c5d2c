//! Detects names that look alike, with the skeletons of UTS #39, section 4.

use unicode_security::confusable_detection::skeleton as skeleton_of;

/// Returns the skeleton of a text. Two texts look alike if their skeletons are equal. Do not display skeletons.
#[must_use]
pub fn skeleton(text: &str) -> String {
    skeleton_of(text).collect()
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn texts_that_look_alike_have_the_same_skeleton() {
        assert_eq!(skeleton("paypal"), skeleton("р\u{430}ур\u{430}l"));
        assert_ne!(skeleton("paypal"), skeleton("paypai"));
        assert_eq!(skeleton(""), "");
    }
}
