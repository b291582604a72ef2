//! Matches two graphs from files, and says how good the answer provably is:
//!
//! cargo run --release --example match_two_graphs -- a.edges b.edges
//!
//! Without files it matches a small pair of its own, whose names show who is who.

use birkhoff::certificate::Standing;
use birkhoff::io::{NamedGraph, Reading};
use birkhoff::objective::GraphMatching;
use birkhoff::recovery::{Settings, recover};
use birkhoff::score::EdgeScore;
use std::path::Path;

/// A ring of five with a tail of two, and the same graph with other names.
const A: &[u8] = b"ann ben\nben cid\ncid dan\ndan eve\neve ann\neve fay\nfay gus\n";
const B: &[u8] = b"Fay Gus\nEve Fay\nAnn Ben\nBen Cid\nCid Dan\nDan Eve\nEve Ann\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    print!("{}", report(&arguments)?);
    Ok(())
}

/// What `arguments`, two files or nothing, lead to.
///
/// # Errors
/// What is wrong with the arguments or the files, with line and cause.
pub fn report(arguments: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    // The content says which format a file has; vertices go by their names.
    let (a, b) = match arguments {
        [] => {
            let parse = |bytes| Reading::default().parse(Path::new("built-in.edges"), bytes);
            (parse(A)?, parse(B)?)
        }
        [a, b] => {
            let read = |file: &String| Reading::default().read(Path::new(file));
            (read(a)?, read(b)?)
        }
        _ => return Err("give two files of graphs, or none".into()),
    };
    Ok(matched(&a.named, &b.named)?)
}

fn matched(a: &NamedGraph, b: &NamedGraph) -> birkhoff::Result<String> {
    let objective = GraphMatching::new(a.graph.clone(), b.graph.clone())?;
    let answer = recover(&objective, &Settings::default())?;

    let partner = |i: usize| b.names.get(answer.permutation.apply(i));
    // Graphs of unequal size are padded: who is matched beyond B has no partner.
    let pair = |(i, name): (usize, &String)| format!("{name} {}", partner(i).map_or("-", String::as_str));
    let mut lines: Vec<String> = a.names.iter().enumerate().map(pair).collect();
    let edges = EdgeScore::of(&a.graph, &b.graph, &answer.permutation);
    lines.push(format!("{} of {} edges are kept", edges.common, edges.edges_a));
    let optimality = answer.optimality;
    lines.push(match optimality.standing {
        Standing::Proved => "proved: no other match keeps more".to_string(),
        Standing::WithinRounding => "no other match is better by more than rounding".to_string(),
        _ => format!("value {}, and no match has less than {}", optimality.value, optimality.lower_bound),
    });
    if answer.certificate.is_certified() {
        lines.push("certified: the matrix before rounding was near this permutation only".to_string());
    }
    Ok(lines.join("\n") + "\n")
}
