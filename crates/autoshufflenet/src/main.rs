//! tmp
use autoshufflenet::model::*;
use autoshufflenet::shuffle::ShuffleKind;
use std::time::Instant;
use tch::{Device, Kind, Tensor};
fn main() {
    tch::set_num_threads(1);
    for (a, c, p) in table().unwrap() {
        println!(
            "{:?} {} g{} {:.1}M {:.2}M published {:?}",
            a.version,
            a.width,
            a.groups,
            c.multiplications as f64 / 1e6,
            c.parameters as f64 / 1e6,
            p
        );
    }
    let width: f64 = std::env::args().nth(1).map(|w| w.parse().unwrap()).unwrap_or(1.0);
    let a = Architecture { version: Version::V2, width, groups: 1, stem: Stem::Small, classes: 10 };
    let nets: Vec<_> = [ShuffleKind::Manual, ShuffleKind::Random, ShuffleKind::Auto]
        .iter()
        .map(|&k| Network::new(a, &Beginning { kind: k, ..Default::default() }, Device::Cpu).unwrap())
        .collect();
    let x = Tensor::randn([128, 3, 32, 32], (Kind::Float, Device::Cpu));
    let y = Tensor::randint(10, [128], (Kind::Int64, Device::Cpu));
    for round in 0..4 {
        for (k, n) in ["manual", "random", "auto"].iter().zip(&nets) {
            let t = cpu_time::ProcessTime::now();
            let w = Instant::now();
            let l = n.forward(&x, true).cross_entropy_for_logits(&y);
            l.backward();
            println!(
                "{round} {k} cpu {:.3} wall {:.3} loss {:?}",
                t.elapsed().as_secs_f64(),
                w.elapsed().as_secs_f64(),
                l
            );
        }
    }
}
