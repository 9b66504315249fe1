//! How much memory an input may take. Beyond it nothing is given, so that the process ends and the input is named.

use cap::Cap;
use peak_alloc::PeakAlloc;

/// Besides what the input takes itself, a few times over: it is parsed, copied and answered.
const ROOM_BYTES: usize = 64 * 1024 * 1024;
const TIMES_ITS_SIZE: usize = 8;

#[global_allocator]
static ALLOCATOR: Cap<PeakAlloc> = Cap::new(PeakAlloc, usize::MAX);

/// What an input of so many bytes may take.
pub fn allowed(input: usize) -> usize {
    ROOM_BYTES + TIMES_ITS_SIZE * input
}

/// What an input took at its peak, in bytes.
pub fn measured<T>(input: usize, work: impl FnOnce() -> T) -> (T, usize) {
    let before = PeakAlloc.current_usage();
    PeakAlloc.reset_peak_usage();
    let limit = ALLOCATOR.allocated() + allowed(input);
    ALLOCATOR.set_limit(limit).expect("more than is taken");
    let done = work();
    ALLOCATOR.set_limit(usize::MAX).expect("the most there is");
    (done, PeakAlloc.peak_usage().saturating_sub(before))
}
