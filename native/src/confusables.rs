//! Names that look alike: the skeletons of Unicode's security mechanisms (UTS #39, section 4).

use unicode_security::confusable_detection::skeleton as skeleton_of;

/// Return the skeleton of a text: two texts look alike if their skeletons are equal. It is for comparing, not for showing.
#[must_use]
pub fn skeleton(text: &str) -> String {
    skeleton_of(text).collect()
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn texts_that_look_alike_have_one_skeleton() {
        assert_eq!(skeleton("paypal"), skeleton("р\u{430}ур\u{430}l"));
        assert_ne!(skeleton("paypal"), skeleton("paypai"));
        assert_eq!(skeleton(""), "");
    }
}
