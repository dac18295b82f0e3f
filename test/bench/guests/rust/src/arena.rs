// SPDX-License-Identifier: Apache-2.0

//! An allocator for guests: a call allocates forward and never frees, and at its end all is free at
//! once. So nothing that is allocated may outlive the export in which it was, but for the reply, which
//! the host reads before it enters the guest again.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32;
use std::cell::Cell;

#[global_allocator]
static ARENA: Arena = Arena {
    next: Cell::new(0),
    end: Cell::new(0),
};

struct Arena {
    /// Where the next allocation begins; 0 before the first.
    next: Cell<usize>,
    /// Where the memory ends.
    end: Cell<usize>,
}

// A guest has one thread.
unsafe impl Sync for Arena {}

extern "C" {
    static __heap_base: u8;
}

const PAGE: usize = 64 << 10;

/// Makes all that is allocated free.
pub fn reset() {
    ARENA.next.set(0);
}

impl Arena {
    #[cold]
    fn grow(&self, end: usize) -> bool {
        let have = wasm32::memory_size(0) * PAGE;
        if end > have && wasm32::memory_grow(0, (end - have).div_ceil(PAGE)) == usize::MAX {
            return false;
        }
        self.end.set(wasm32::memory_size(0) * PAGE);
        true
    }
}

unsafe impl GlobalAlloc for Arena {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let next = if self.next.get() == 0 {
            &raw const __heap_base as usize
        } else {
            self.next.get()
        };
        let at = (next + layout.align() - 1) & !(layout.align() - 1);
        let Some(end) = at.checked_add(layout.size()) else {
            return std::ptr::null_mut();
        };
        if end > self.end.get() && !self.grow(end) {
            return std::ptr::null_mut();
        }
        self.next.set(end);
        at as *mut u8
    }

    #[inline]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    /// What was allocated last grows where it is.
    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if at as usize + layout.size() == self.next.get() {
            let end = at as usize + size;
            if end <= self.end.get() || self.grow(end) {
                self.next.set(end);
                return at;
            }
            return std::ptr::null_mut();
        }
        let to = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !to.is_null() {
            std::ptr::copy_nonoverlapping(at, to, layout.size().min(size));
        }
        to
    }
}
