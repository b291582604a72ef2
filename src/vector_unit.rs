//! The vector unit of the machine that runs, and loops compiled for it.

/// Defines `$name`, which runs `$body` as compiled for the best vector unit there is.
macro_rules! vectorized {
    ($(#[$doc:meta])* $name:ident $(<const $n:ident: usize>)? = $body:ident($($arg:ident: $type:ty),*) -> $result:ty) => {
        $(#[$doc])*
        #[inline]
        pub(super) fn $name $(<const $n: usize>)? ($($arg: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512vpopcntdq,avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,popcnt")]
                fn counting $(<const $n: usize>)? ($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,popcnt")]
                fn avx512 $(<const $n: usize>)? ($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                fn avx2 $(<const $n: usize>)? ($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                match $crate::vector_unit::VectorUnit::chosen() {
                    // SAFETY: the unit was found on this machine.
                    $crate::vector_unit::VectorUnit::Avx512Counting => return unsafe { counting($($arg),*) },
                    // SAFETY: the unit was found on this machine.
                    $crate::vector_unit::VectorUnit::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the unit was found on this machine.
                    $crate::vector_unit::VectorUnit::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::vector_unit::VectorUnit::Baseline => {}
                }
            }
            $body($($arg),*)
        }
    };
}

pub(crate) use vectorized;

/// What the loops are compiled for. The baseline is SSE2 on x86-64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VectorUnit {
    /// AVX-512 that counts bits.
    #[cfg(target_arch = "x86_64")]
    Avx512Counting,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

impl VectorUnit {
    /// Whether this machine has it.
    #[inline]
    pub fn is_here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        use std::arch::is_x86_feature_detected as has;
        match self {
            #[cfg(target_arch = "x86_64")]
            VectorUnit::Avx512Counting => VectorUnit::Avx512.is_here() && has!("avx512vpopcntdq"),
            #[cfg(target_arch = "x86_64")]
            VectorUnit::Avx512 => {
                VectorUnit::Avx2.is_here()
                    && has!("avx512f")
                    && has!("avx512vl")
                    && has!("avx512dq")
                    && has!("avx512bw")
            }
            #[cfg(target_arch = "x86_64")]
            VectorUnit::Avx2 => has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt"),
            VectorUnit::Baseline => true,
        }
    }

    /// The best one that is here.
    #[inline]
    pub fn chosen() -> Self {
        #[cfg(test)]
        if let Some(unit) = forcing::forced() {
            return unit;
        }
        #[cfg(target_arch = "x86_64")]
        for unit in [VectorUnit::Avx512Counting, VectorUnit::Avx512, VectorUnit::Avx2] {
            if unit.is_here() {
                return unit;
            }
        }
        VectorUnit::Baseline
    }
}

/// Tests run their loops on one unit after the other.
#[cfg(test)]
pub(crate) mod forcing {
    use super::VectorUnit;
    use std::cell::Cell;

    thread_local! {
        static FORCED: Cell<Option<VectorUnit>> = const { Cell::new(None) };
    }

    /// The unit that the loops of this thread have to use.
    pub fn forced() -> Option<VectorUnit> {
        FORCED.get()
    }

    /// What `run` gives on each unit of this machine, the baseline first; it must not hand work to other threads.
    pub fn on_every_unit<T>(run: impl Fn() -> T) -> Vec<(VectorUnit, T)> {
        #[cfg(target_arch = "x86_64")]
        const UNITS: [VectorUnit; 4] =
            [VectorUnit::Baseline, VectorUnit::Avx2, VectorUnit::Avx512, VectorUnit::Avx512Counting];
        #[cfg(not(target_arch = "x86_64"))]
        const UNITS: [VectorUnit; 1] = [VectorUnit::Baseline];
        let mut answers = Vec::new();
        for unit in UNITS {
            if !unit.is_here() {
                eprintln!("skipped: this processor has no {unit:?}");
                continue;
            }
            FORCED.set(Some(unit));
            answers.push((unit, run()));
            FORCED.set(None);
        }
        answers
    }
}
