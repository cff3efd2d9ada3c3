//! What the system says of a running process. Linux only: elsewhere it says nothing.

use std::io;

/// Processor time of all threads of `pid`, in nanoseconds.
#[cfg(target_os = "linux")]
pub(super) fn processor_nanos(pid: u32) -> io::Result<u64> {
    let tasks = process(pid)?.tasks().map_err(io::Error::other)?;
    let mut nanos = 0;
    for task in tasks {
        let spent = task.and_then(|task| task.schedstat()).map_err(io::Error::other)?;
        nanos += spent.sum_exec_runtime;
    }
    Ok(nanos)
}

/// The most memory that `pid` has held resident, in bytes.
#[cfg(target_os = "linux")]
pub(super) fn peak_resident_bytes(pid: u32) -> io::Result<u64> {
    let status = process(pid)?.status().map_err(io::Error::other)?;
    Ok(status.vmhwm.unwrap_or_default() * 1024)
}

#[cfg(target_os = "linux")]
fn process(pid: u32) -> io::Result<procfs::process::Process> {
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    procfs::process::Process::new(pid).map_err(io::Error::other)
}

/// Nothing is known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn processor_nanos(_: u32) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing is known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn peak_resident_bytes(_: u32) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
