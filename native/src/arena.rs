//! All texts of one column in a single allocation.

/// One text per row, stored one after the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arena {
    text: String,
    ends: Vec<usize>,
}

impl Arena {
    /// Adds the text of the next row: `append` writes it to the end of the string.
    pub fn push(&mut self, append: impl FnOnce(&mut String)) {
        append(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// Returns the text of a row.
    ///
    /// # Panics
    /// If the row does not exist.
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// Size of all texts in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.text.len()
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Size of the allocated memory in bytes.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.text.capacity() + size_of::<usize>() * self.ends.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_own_text() {
        let mut arena = Arena::default();
        for text in ["é😀", "", "b"] {
            arena.push(|out| out.push_str(text));
        }
        assert_eq!([arena.get(0), arena.get(1), arena.get(2)], ["é😀", "", "b"]);
        assert_eq!(arena.len_bytes(), 7);
    }

    #[test]
    fn a_cleared_arena_is_empty_and_keeps_its_memory() {
        let mut arena = Arena::default();
        arena.push(|out| out.push_str("a text"));
        let allocated = arena.allocated_bytes();
        arena.clear();
        assert_eq!((arena.len_bytes(), arena.allocated_bytes()), (0, allocated));
        arena.push(|out| out.push('b'));
        assert_eq!(arena.get(0), "b");
    }
}
