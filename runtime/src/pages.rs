//! Large pages for large memory.
//!
//! Looking up table rows and adding to flows touches gigabytes at random; with pages of 4 KiB the processor
//! spends more time finding them than reading them. [`LargePages`] is a memory allocator for binaries: the
//! system's own, which besides asks the kernel to back large blocks with pages of 2 MiB.
//! It changes no address, size or content, and where the kernel declines it is the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};

/// Blocks from this size on are worth a large page or more.
const LARGE: usize = 8 << 20;

/// The system's allocator with large pages for large blocks.
///
/// ```
/// #[global_allocator]
/// static MEMORY: pcc_runtime::LargePages = pcc_runtime::LargePages;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LargePages;

// SAFETY: every block comes from the system's allocator and goes back to it unchanged; advice on pages
// changes neither addresses nor contents.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout is valid for the system's allocator.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`. Fresh pages are not touched here, so the advice comes before their first use.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from the system's allocator with this layout.
        advised(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as for `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The block, after asking for large pages if it is large.
fn advised(block: *mut u8, size: usize) -> *mut u8 {
    if size >= LARGE && !block.is_null() {
        advise(block, size);
    }
    block
}

/// Asks for large pages within a block; that it may be refused is no error.
#[cfg(target_os = "linux")]
fn advise(block: *mut u8, size: usize) {
    const PAGE: usize = 4096;
    let before = block.addr().next_multiple_of(PAGE) - block.addr();
    let whole = (size - before) / PAGE * PAGE;
    // SAFETY: the range consists of whole pages within the block, and the advice leaves their contents alone.
    unsafe { libc::madvise(block.add(before).cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_contents_through_growth() {
        let [small, large] = [1 << 20, 3 * LARGE].map(|size| Layout::from_size_align(size, 64).unwrap());
        // SAFETY: both layouts are valid, only bytes within the blocks are touched, and each block is freed
        // by the layout it has at the end.
        unsafe {
            let block = LargePages.alloc_zeroed(small);
            assert!(!block.is_null() && block.addr().is_multiple_of(64));
            block.add(small.size() - 1).write(7);
            let block = LargePages.realloc(block, small, large.size());
            assert_eq!([0, small.size() - 1].map(|at| block.add(at).read()), [0, 7]);
            block.add(large.size() - 1).write(9);
            LargePages.dealloc(block, large);
        }
    }
}
