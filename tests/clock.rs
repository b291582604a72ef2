//! The one test that looks at the clock, in a program of its own: nothing runs beside it.

use argmin::core::TerminationReason;
use birkhoff::instance::{correlated_erdos_renyi, rng};
use birkhoff::objective::GraphMatching;
use birkhoff::recovery::{Method, Settings, recover, recover_within};
use birkhoff::solver::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[test]
fn limits_end_a_run_early_with_an_answer() {
    let instance = correlated_erdos_renyi(150, 0.5, 0.4, &mut rng(9, 0)).unwrap();
    let f = GraphMatching::new(instance.a, instance.b).unwrap();
    for method in Method::ALL {
        let settings = Settings::of(method).with_restarts(1_000).with_time_limit(0.05);
        let began = Instant::now();
        let recovery = recover(&f, &settings).unwrap();
        assert_eq!(recovery.termination, TerminationReason::Timeout, "{method}");
        assert!(recovery.attempts.len() < 1_000 && recovery.optimality.value.is_finite(), "{method}");
        // A limit is looked at between iterations: one of them, with the final rounding, may take a while on a busy
        // machine.
        assert!(began.elapsed() < Duration::from_secs(5), "{method}: {:?}", began.elapsed());

        let flag = Arc::new(AtomicBool::new(true));
        let limits = Limits::default().with_interrupt(flag);
        let settings = Settings::of(method).with_restarts(3);
        let began = Instant::now();
        let recovery = recover_within(&f, &settings, &limits).unwrap();
        assert_eq!(recovery.termination, TerminationReason::Interrupt, "{method}");
        assert_eq!((recovery.iterations, recovery.attempts.len()), (0, 1), "{method}");
        assert!(began.elapsed() < Duration::from_secs(5), "{method}: {:?}", began.elapsed());
    }
}
