//! A small problem that the bytes choose, by the default and in another way, against enumeration.

use crate::draws::Draws;
use crate::enumeration::Enumeration;
use crate::judge::{Task, judge};
use crate::problem::Problem;

pub fn recovery(bytes: &[u8]) {
    let rng = &mut Draws::from(bytes);
    let problem = Problem::draw(6, rng);
    let drawn = Task::draw(&problem, rng);
    let truth = Enumeration::of(&problem);
    for (task, is_default) in [(Task::default_for(&problem), true), (drawn, false)] {
        let verdict = judge(&problem, &truth, &task, false);
        let fault = verdict.faults.iter().find(|(fault, _)| is_default || !fault.is_of_the_default());
        assert!(fault.is_none(), "{fault:?}\n{problem:#?}\n{task:#?}");
    }
}
