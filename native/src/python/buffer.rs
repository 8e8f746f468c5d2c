//! A column of a batch as a buffer, which numpy reads without a copy.

use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::batch::Columns;
use crate::pool::Pooled;

/// The read-only rows of a taken batch, shared by the batch and its columns.
pub type Rows = Arc<Pooled<Columns>>;

/// The name of a column.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// `Columns::chat_ids`
    ChatIds,
    /// `Columns::thread_ids`
    ThreadIds,
    /// `Columns::sender_ids`
    SenderIds,
    /// `Columns::session_ids`
    SessionIds,
    /// `Columns::fingerprints`
    Fingerprints,
}

/// One column: a read-only buffer of int64.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Column {
    rows: Rows,
    name: Name,
    layout: Layout,
}

impl Column {
    /// Wraps the column `name` of `rows`.
    pub fn new(rows: Rows, name: Name) -> Self {
        let mut column = Self { rows, name, layout: Layout::default() };
        column.layout = Layout::of(column.values());
        column
    }

    fn values(&self) -> &[i64] {
        match self.name {
            Name::ChatIds => &self.rows.chat_ids,
            Name::ThreadIds => &self.rows.thread_ids,
            Name::SenderIds => &self.rows.sender_ids,
            Name::SessionIds => &self.rows.session_ids,
            Name::Fingerprints => &self.rows.fingerprints,
        }
    }
}

#[pymethods]
#[expect(unsafe_code, reason = "the buffer protocol is a C interface; see `fill`")]
impl Column {
    fn __len__(&self) -> usize {
        self.values().len()
    }

    /// Return the values as Python integers.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.values())
    }

    unsafe fn __getbuffer__(slf: &Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let column = slf.get();
        // SAFETY: the view keeps `slf` alive, which owns the frozen values and layout.
        unsafe { fill(view, flags, column.values(), &column.layout, c"q", slf.as_any()) }
    }
}

/// Shape and strides of a buffer. A view points to them, so they live as long as its owner.
#[derive(Debug, Default)]
struct Layout {
    items: ffi::Py_ssize_t,
    item_bytes: ffi::Py_ssize_t,
}

impl Layout {
    #[expect(clippy::cast_possible_wrap, reason = "no allocation reaches 2^63 bytes")]
    fn of<T>(values: &[T]) -> Self {
        Self { items: values.len() as isize, item_bytes: size_of::<T>() as isize }
    }
}

/// Fills `view` with a read-only, one-dimensional, contiguous view of `values`.
///
/// # Safety
/// `view` is null or points to memory that the interpreter has allocated for the view. `owner` owns `values` and
/// `layout`, which neither move nor change while it lives. `format` is the struct code of `T`.
#[expect(unsafe_code, reason = "the buffer protocol is a C interface")]
unsafe fn fill<T>(
    view: *mut ffi::Py_buffer,
    flags: c_int,
    values: &[T],
    layout: &Layout,
    format: &'static CStr,
    owner: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if view.is_null() {
        return Err(PyBufferError::new_err("no view to fill"));
    }
    if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
        return Err(PyBufferError::new_err("a batch is read-only"));
    }
    let wanted = |flag: c_int| flags & flag == flag;
    let filled = ffi::Py_buffer {
        buf: values.as_ptr().cast_mut().cast::<c_void>(),
        obj: owner.clone().into_ptr(),
        len: layout.items * layout.item_bytes,
        itemsize: layout.item_bytes,
        readonly: 1,
        ndim: 1,
        format: if wanted(ffi::PyBUF_FORMAT) { format.as_ptr().cast_mut() } else { std::ptr::null_mut() },
        shape: if wanted(ffi::PyBUF_ND) { (&raw const layout.items).cast_mut() } else { std::ptr::null_mut() },
        strides: if wanted(ffi::PyBUF_STRIDES) {
            (&raw const layout.item_bytes).cast_mut()
        } else {
            std::ptr::null_mut()
        },
        ..ffi::Py_buffer::new()
    };
    // SAFETY: the caller guarantees that `view` is valid. Every pointer above is static or points into `owner`, which
    // `obj` keeps alive. Consumers of a read-only view do not write through them.
    unsafe { view.write(filled) };
    Ok(())
}
