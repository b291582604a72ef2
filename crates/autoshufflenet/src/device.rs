//! Which device computes. The one file with unsafe code: loading a library runs its initializers.
#![allow(unsafe_code, reason = "loading a library runs its initializers")]

use birkhoff::{Error, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use tch::{Cuda, Device};

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// CUDA if there is one, else the processor.
    Auto,
    /// The processor.
    Cpu,
    /// The first CUDA device.
    Cuda,
}

impl DeviceChoice {
    /// The device.
    ///
    /// # Errors
    /// [`Error::Argument`] when CUDA is asked for and there is none.
    pub fn find(self) -> Result<Device> {
        if self == DeviceChoice::Cpu {
            return Ok(Device::Cpu);
        }
        load_cuda_backend();
        match (Cuda::is_available(), self) {
            (true, _) => Ok(Device::Cuda(0)),
            (false, DeviceChoice::Auto) => Ok(Device::Cpu),
            (false, _) => {
                let cause = "there is no CUDA device, or libtorch is the CPU's: set LD_LIBRARY_PATH to the torch/lib of a PyTorch 2.11 with CUDA";
                Err(Error::argument("device", cause))
            }
        }
    }
}

/// Whether libtorch's products of matrices use all of this processor: they are MKL's, which leaves AVX-512 to Intel's
/// own.
pub fn has_fast_products() -> bool {
    static FAST: LazyLock<bool> = LazyLock::new(|| {
        #[cfg(target_arch = "x86_64")]
        return raw_cpuid::CpuId::new().get_vendor_info().is_some_and(|vendor| vendor.as_str() == "GenuineIntel");
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    });
    *FAST
}

/// Registers CUDA with libtorch, whose linked part is the processor's alone.
///
/// It must come before the first question about CUDA: libtorch remembers the answer. Where there is no such
/// library nothing happens.
fn load_cuda_backend() {
    #[cfg(unix)]
    {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: the library is libtorch's own other half, made to be loaded like this; it is never unloaded.
        if let Ok(library) = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) } {
            std::mem::forget(library);
        }
    }
}
