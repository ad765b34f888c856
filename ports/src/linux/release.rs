//! Gives memory back while nothing is to be done.

use std::ptr;

#[cfg(target_pointer_width = "32")]
use libc::Elf32_Phdr as Header;
#[cfg(target_pointer_width = "64")]
use libc::Elf64_Phdr as Header;

/// Read-only pages of the program and its libraries leave this process's memory, but not the system's
/// cache: what is needed again comes back from there. Most of them were needed once, by the start.
pub(crate) fn release_memory() {
    // SAFETY: `release_object` keeps to what dl_iterate_phdr(3) says of its arguments; it does not
    // need the third one.
    unsafe { libc::dl_iterate_phdr(Some(release_object), ptr::null_mut()) };
    release_heap();
}

/// Free pages within the heap; musl gives them back by itself.
#[cfg(target_env = "gnu")]
fn release_heap() {
    // SAFETY: malloc_trim(3) may be called at any time, by any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn release_heap() {}

unsafe extern "C" fn release_object(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: dl_iterate_phdr(3) passes a filled structure, which lasts as long as this call.
    let object = unsafe { &*object };
    if object.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the object has so many headers there, for as long as it is loaded.
    let headers =
        unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    // The addresses of this machine are as wide as a `usize`.
    let base = object.dlpi_addr as usize;
    if headers
        .iter()
        .any(|header| is_relocated_in_place(header, base))
    {
        return 0;
    }
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
            let begin = base.wrapping_add(header.p_vaddr as usize);
            release(begin, begin.wrapping_add(header.p_memsz as usize));
        }
    }
    0
}

/// The words of the dynamic section (elf(5)) by which a linker tells that it writes to read-only
/// pages too.
const DT_TEXTREL: usize = 22;
const DT_FLAGS: usize = 30;
const DF_TEXTREL: usize = 4;

fn is_relocated_in_place(header: &Header, base: usize) -> bool {
    if header.p_type != libc::PT_DYNAMIC {
        return false;
    }
    let begin = base.wrapping_add(header.p_vaddr as usize) as *const [usize; 2];
    let count = header.p_memsz as usize / size_of::<[usize; 2]>();
    // SAFETY: the object has its dynamic section there, pairs of words, for as long as it is loaded.
    let section = unsafe { std::slice::from_raw_parts(begin, count) };
    section
        .iter()
        .any(|[tag, value]| *tag == DT_TEXTREL || (*tag == DT_FLAGS && *value & DF_TEXTREL != 0))
}

/// Whole pages only: the rest of the first and the last one may be somebody else's.
fn release(begin: usize, end: usize) {
    // SAFETY: sysconf(3) takes a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
    if !page.is_power_of_two() {
        return;
    }
    let last = end & !(page - 1);
    let Some(first) = begin.checked_next_multiple_of(page) else {
        return;
    };
    if let Some(length) = last.checked_sub(first) {
        // SAFETY: these pages are mapped from a file and were never written to, since their segment
        // is not writable; so the system reads the same bytes again (madvise(2)). An error says that
        // it did nothing.
        unsafe { libc::madvise(first as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
}

#[cfg(test)]
mod tests {
    /// Kilobytes of read-only files that are resident.
    fn resident_files() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssFile:"));
        line.and_then(|line| line.split_whitespace().nth(1))
            .and_then(|number| number.parse().ok())
            .unwrap()
    }

    #[test]
    fn program_goes_on_with_fewer_pages() {
        let before = resident_files();
        super::release_memory();
        let after = resident_files();
        assert!(after < before, "{before} kB, then {after} kB");
    }
}
