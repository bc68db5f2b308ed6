//! What a process uses.

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// CPU and memory of one process over a measurement.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Usage {
    /// Of all threads, in user and kernel mode.
    pub cpu_ns: u64,
    /// The most that was resident since the process began.
    pub peak_rss_kib: u64,
    /// What is resident at the end.
    pub rss_kib: u64,
}

impl Usage {
    /// Of what is no process of its own.
    pub const NONE: Self = Self {
        cpu_ns: 0,
        peak_rss_kib: 0,
        rss_kib: 0,
    };
}

/// CPU time of this process so far.
pub fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000
        + u64::try_from(time.tv_nsec).unwrap_or_default()
}

impl Usage {
    /// Since `cpu_ns`.
    pub fn since(cpu_ns: u64) -> Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        Ok(Self {
            cpu_ns: self::cpu_ns() - cpu_ns,
            peak_rss_kib: kib("VmHWM:").context("no VmHWM")?,
            rss_kib: kib("VmRSS:").context("no VmRSS")?,
        })
    }
}
